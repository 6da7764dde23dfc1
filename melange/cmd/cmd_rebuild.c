#include "melange/cmd/cmd.h"

#include "melange/cmd/build_opts.h"
#include "melange/inspect/rebuild.h"

#define MAX_OUT ((size_t)1 << 30)

struct rebuild_cmd {
	struct build_opts build;	/* BO() names its fields */
	bool diff;
};

static const struct opt opts[] = {
	BO("runner", 0, STR, runner, "", "NAME", "bubblewrap, the default"),
	{ "diff", 0, OPT_BOOL, offsetof(struct rebuild_cmd, diff), "true", NULL,
		"print what differs from the packages given, and fail on anything", 0 },
	BO("out-dir", 0, STR, out_dir, "./rebuilt-packages/", "DIR", "where packages are written"),
	BO("source-dir", 0, STR, source_dir, ".", "DIR", "sources copied into the workspace"),
	BO("signing-key", 0, STR, signing_key, "", "FILE", "key for packages"),
	BO("rootfs", 0, STR, rootfs, "", "DIR",
		"build in this existing root instead of the packages of the first build"),
	{ 0 },
};

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct rebuild_cmd *cmd = req;
	const struct rebuild_req r = {
		.runner = build_opts_runner(&cmd->build, err),
		.out_dir = cmd->build.out_dir,
		.source_dir = or_null(cmd->build.source_dir),
		.rootfs = or_null(cmd->build.rootfs),
		.signing_key = or_null(cmd->build.signing_key),
		.diff = cmd->diff,
	};
	auto_buf struct buf out = BUF_INIT(MAX_OUT);
	auto_pkgfiles struct pkgfiles files = { 0 };
	bool differ = false;
	if (!r.runner || !pkgfiles_init(&files, NULL, NULL, a, err) ||
		!rebuild(&r, args, &files, a, &out, &differ, err) || !cmd_print(buf_str(&out), err))
		return false;
	return !differ || err_set(err, EK_OTHER, "what was built differs from the packages given");
}

const struct cmd cmd_rebuild = {
	.name = "rebuild",
	.args = "APK...",
	.summary = "build packages again from what they hold, and compare",
	.opts = opts,
	.req_size = sizeof(struct rebuild_cmd),
	.min_args = 1,
	.max_args = -1,
	.hidden = true,
	.run = run,
};
