#include "apko/cmd/cmd.h"

#include "apko/build/pack.h"

static const struct opt opts[] = {
	RO("build-arch", 0, STR, build_arch, "host", "ARCH", "architecture to build for"),
	APKO_COMMON_OPTS,
	APKO_DATE_OPT,
	APKO_OWNERS_OPT,
	{0},
};

static bool run(void *req, const struct strs *args, enum pack_format format, struct arena *a,
	struct err *err)
{
	struct apko_req *r = req;
	r->config = args->v[0].p;
	r->output = args->v[1].p;
	return pack_rootfs(r, format, a, err);
}

static bool run_minirootfs(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	return run(req, args, PACK_TAR, a, err);
}

static bool run_cpio(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	return run(req, args, PACK_CPIO, a, err);
}

const struct cmd cmd_build_minirootfs = {
	.name = "build-minirootfs",
	.args = "CONFIG FILE",
	.summary = "build the root file system of one architecture as a tar, compressed if FILE "
		   "ends in .gz",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 2,
	.max_args = 2,
	.run = run_minirootfs,
};

const struct cmd cmd_build_cpio = {
	.name = "build-cpio",
	.args = "CONFIG FILE",
	.summary = "build the root file system of one architecture as a cpio archive for the "
		   "kernel, compressed if FILE ends in .gz",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 2,
	.max_args = 2,
	.run = run_cpio,
};
