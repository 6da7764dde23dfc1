#include "melange/cmd/cmd.h"

#include "melange/cmd/build_opts.h"
#include "melange/inspect/rescan.h"
#include "shared/base/log.h"

#define MAX_OUT ((size_t)256 << 20)

struct scan_cmd {
	struct build_opts build;	/* BO() names its fields */
	const char *repo, *package;
	bool diff, comments;
};

#define SCAN(name, letter, type, field, def, arg, help)                                            \
	{ name, letter, OPT_##type, offsetof(struct scan_cmd, field), def, arg, help, 0 }
static const struct opt opts[] = {
	SCAN("repository-append", 'r', STR, repo, "./packages", "REPO",
		"where the packages are, path or URL"),
	SCAN("package", 'p', STR, package, "", "PKG", "the only package to tell of"),
	BO("arch", 0, LIST, archs, "x86_64", "ARCH", "architectures to look at"),
	SCAN("diff", 0, BOOL, diff, NULL, NULL, "print differences to the packages, and fail on any"),
	SCAN("comments", 0, BOOL, comments, NULL, NULL, "differences in comments count, too"),
	BO("namespace", 0, STR, namespace_, "unknown", "NAME", "distribution, the maintainer"),
	BO("keyring-append", 'k', LIST, keys, "", "KEY", "keys that packages must be signed with"),
	{ 0 },
};

static bool scan_archs(const struct scan_cmd *cmd, const struct rescan_req *r,
	struct pkgfiles *files, struct arena *a, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(MAX_OUT);
	struct archs archs;
	bool differ = false;
	if (!build_opts_archs(&cmd->build, &archs, err))
		return false;
	for (size_t i = 0; i < archs.n; i++) {
		if (!config_arch_wanted(r->config, archs.v[i]))
			log_warn("skipping arch %s", archs.v[i]->oci);
		else if (!rescan(r, archs.v[i], files, a, &out, &differ, err))
			return false;
	}
	if (!cmd_print(buf_str(&out), err))
		return false;
	return !differ || err_set(err, EK_OTHER, "saw diff for %s", r->config_path);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct scan_cmd *cmd = req;
	const struct load_opts lo = { .any_version = true };
	struct config c;
	auto_pkgfiles struct pkgfiles files = { 0 };
	const struct rescan_req r = {
		.config_path = args->v[0].p,
		.config = &c,
		.repo = cmd->repo,
		.package = *cmd->package ? cmd->package : NULL,
		.namespace_ = cmd->build.namespace_,
		.diff = cmd->diff,
		.comments = cmd->comments,
	};
	return pkgfiles_init(&files, NULL, &cmd->build.keys, a, err) &&
		config_load(r.config_path, &lo, a, &c, err) && scan_archs(cmd, &r, &files, a, err);
}

const struct cmd cmd_scan = {
	.name = "scan",
	.args = "CONFIG",
	.summary = "print the .PKGINFO that a build file gives to packages that are built already",
	.opts = opts,
	.req_size = sizeof(struct scan_cmd),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
