#include "apko/cmd/cmd.h"

#include "apko/build/lock.h"

#define LOCK_OPTS                                                                                  \
	APKO_OPTS, RO("output", 0, STR, output, "", "FILE",                                        \
			   "lock file to write; beside the configuration if it is not given")

static const struct opt opts[] = {LOCK_OPTS, {0}};

static bool run(
	void *req, const struct strs *args, const char *ending, struct arena *a, struct err *err)
{
	struct apko_req *r = req;
	r->config = args->v[0].p;
	return lock_all(r, ending, a, err);
}

static bool run_lock(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	return run(req, args, "lock.json", a, err);
}

static bool run_resolve(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	return run(req, args, "resolved.json", a, err);
}

const struct cmd cmd_lock = {
	.name = "lock",
	.args = "CONFIG",
	.summary = "resolve, and write which packages an image is to be built of",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 1,
	.max_args = 1,
	.run = run_lock,
};

const struct cmd cmd_resolve = {
	.name = "resolve",
	.args = "CONFIG",
	.summary = "the former name of lock; writes CONFIG with the ending .resolved.json",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 1,
	.max_args = 1,
	.hidden = true,
	.run = run_resolve,
};
