#include "melange/cmd/cmd.h"

#include "melange/upstream/source.h"

struct source_cmd {
	const char *out_dir, *source_dir;
};

static const struct opt opts[] = {
	{ "output", 'o', OPT_STR, offsetof(struct source_cmd, out_dir), "./source", "DIR",
		"where the repository is, in a directory of the package's name", 0 },
	{ "source-dir", 0, OPT_STR, offsetof(struct source_cmd, source_dir), "", "DIR",
		"where the patches are; the package's directory beside the build file by default", 0 },
	{ 0 },
};

static struct source_req request(void *req, const struct strs *args)
{
	const struct source_cmd *cmd = req;
	return (struct source_req){ args->v[0].p, cmd->out_dir, cmd->source_dir };
}

static bool run_get(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)a;
	const struct source_req r = request(req, args);
	return source_get(&r, err);
}

static bool run_pop(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)a;
	const struct source_req r = request(req, args);
	return source_pop(&r, err);
}

const struct cmd cmd_source_get = {
	.name = "source get",
	.args = "CONFIG",
	.summary = "check out the sources of a build file, with its patches as commits",
	.opts = opts,
	.req_size = sizeof(struct source_cmd),
	.min_args = 1,
	.max_args = 1,
	.run = run_get,
};

const struct cmd cmd_source_pop = {
	.name = "source pop",
	.args = "CONFIG",
	.summary = "turn commits made there into patches that the build file applies",
	.opts = opts,
	.req_size = sizeof(struct source_cmd),
	.min_args = 1,
	.max_args = 1,
	.run = run_pop,
};
