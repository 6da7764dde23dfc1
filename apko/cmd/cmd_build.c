#include "apko/cmd/cmd.h"

#include "apko/build/output.h"

static const struct opt opts[] = {
	APKO_OPTS,
	APKO_DATE_OPT,
	RO("vcs", 0, BOOL, vcs, "true", NULL, "find out the configuration's git commit"),
	RO("lockfile", 0, STR, lockfile, "", "FILE", "install exactly what this lock file lists"),
	RO("annotations", 0, LIST, annotations, "", "KEY:VALUE", "annotations of the image"),
	RO("sbom", 0, BOOL, sbom, "true", NULL, "write SBOMs"),
	RO("sbom-formats", 0, LIST, sbom_formats, "spdx", "FORMAT", "formats of SBOMs: spdx"),
	RO("sbom-path", 0, STR, sbom_path, "", "DIR", "where SBOMs go; the working directory"),
	APKO_OWNERS_OPT,
	{ 0 },
};

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct apko_req *r = req;
	r->config = args->v[0].p;
	r->tag = args->v[1].p;
	r->output = args->v[2].p;
	for (size_t i = 0; i < r->sbom_formats.n; i++)
		if (!str_is(r->sbom_formats.v[i], "spdx"))
			return err_set(err, EK_USAGE, "unknown SBOM format '%.*s'\nhint: use spdx",
				STR_ARG(r->sbom_formats.v[i]));
	r->sbom = r->sbom && r->sbom_formats.n;
	return build_all(r, a, err);
}

const struct cmd cmd_build = {
	.name = "build",
	.args = "CONFIG TAG OUTPUT",
	.summary = "build an image into a layout directory or a tar",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 3,
	.max_args = 3,
	.run = run,
};
