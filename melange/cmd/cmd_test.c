#include "melange/cmd/cmd.h"

#include <string.h>

#include "melange/build/test.h"
#include "melange/cmd/build_opts.h"
#include "shared/base/log.h"

struct test_opts {
	struct build_opts build;	/* BO() names its fields */
	struct strs test_options;
};

static const struct opt opts[] = {
	BO("arch", 0, LIST, archs, "", "ARCH", "architectures to test"),
	BO("workspace-dir", 0, STR, workspace_dir, "", "DIR",
		"where the workspace is made; a temporary directory by default"),
	BO("source-dir", 0, STR, source_dir, "", "DIR", "files copied into the workspace; none by default"),
	BO("pipeline-dirs", 0, LIST, pipeline_dirs, "", "DIR", "where `uses` is looked up first"),
	BO("cache-dir", 0, STR, cache_dir, "", "DIR", "shown as /var/cache/melange when it exists"),
	BO("apk-cache-dir", 0, STR, apk_cache_dir, "", "DIR", "where packages are kept"),
	BO("env-file", 0, LIST, env_files, "", "FILE", "KEY=VALUE files for the environment"),
	BO("runner", 0, STR, runner, "", "NAME", "bubblewrap, the default"),
	BO("keyring-append", 'k', LIST, keys, "", "KEY", "more keys for repositories"),
	BO("repository-append", 'r', LIST, repos, "", "REPO", "more repositories"),
	BO("test-package-append", 0, LIST, packages, "", "PKG", "more packages for every test's guest"),
	BO("ignore-signatures", 0, BOOL, ignore_signatures, NULL, NULL,
		"do not verify repository indexes"),
	BO("debug", 0, BOOL, debug, NULL, NULL, "show each command of the steps"),
	BO("interactive", 'i', BOOL, interactive, NULL, NULL, "a shell where a step failed"),
	BO("rm", 0, BOOL, rm, "true", NULL, "remove the workspace when done"),
	BO("cpu", 0, STR, cpu, "", "N", "overrides package.resources.cpu"),
	BO("cpumodel", 0, STR, cpumodel, "", "NAME", "overrides package.resources.cpumodel"),
	BO("memory", 0, STR, memory, "", "SIZE", "overrides package.resources.memory"),
	BO("disk", 0, STR, disk, "", "SIZE", "overrides package.resources.disk"),
	BO("timeout", 0, DURATION, timeout, "0s", "TIME", "most time the tests may take"),
	BO_NO_EFFECT("debug-runner", debug_runner, NULL),
	BO_NO_EFFECT("cache-source", cache_source, NULL),
	{ "test-option", 0, OPT_LIST, offsetof(struct test_opts, test_options), NULL, NULL,
		"has no effect", OPT_HIDDEN },
	{ 0 },
};

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

/* The texts that the build's table gives defaults to and this one does not have. */
static void fill_texts(struct build_opts *o)
{
	o->vars_file = o->git_commit = o->pipeline_dir = "";
	o->libc = "gnu";
}

static bool test_arch(struct test_req *r, const struct apk_arch *arch, bool several,
	struct arena *a, struct err *err)
{
	struct config c;
	if (!config_load(r->config_path, &r->load, a, &c, err))
		return false;
	if (!config_arch_wanted(&c, arch)) {
		log_warn("skipping arch %s", arch->oci);
		return true;
	}
	r->arch = arch;
	log_attr(several ? arena_printf(a, "arch=%s", arch->apk) : NULL);
	bool ok = test_package(r, err);
	log_attr(NULL);
	return ok;
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct test_opts *t = req;
	struct build_opts *o = &t->build;
	struct archs archs;
	fill_texts(o);
	struct test_req r = {
		.config_path = args->v[0].p,
		.runner = build_opts_runner(o, err),
		.package = args->n > 1 ? args->v[1].p : NULL,
		.source_dir = or_null(o->source_dir),
		.workspace_dir = or_null(o->workspace_dir),
		.cache_dir = or_null(o->cache_dir),
		.store_dir = or_null(o->apk_cache_dir),
		.keys = &o->keys,
		.repos = &o->repos,
		.packages = &o->packages,
		.ignore_signatures = o->ignore_signatures,
		.debug = o->debug,
		.interactive = o->interactive,
		.keep = !o->rm,
		.pipeline_dirs = o->pipeline_dirs,
	};
	if (!r.runner || !build_opts_archs(o, &archs, err))
		return false;
	build_opts_load(o, &r.load);
	r.load.detect_commit = false;
	log_info("melange %s with runner %s is testing %s", PROJECT_VERSION, r.runner->name,
		r.config_path);
	for (size_t i = 0; i < archs.n; i++)
		if (!test_arch(&r, archs.v[i], archs.n > 1, a, err))
			return false;
	return true;
}

const struct cmd cmd_test = {
	.name = "test",
	.args = "CONFIG [PACKAGE[=VERSION]]",
	.summary = "run the tests of a build file on its packages",
	.opts = opts,
	.req_size = sizeof(struct test_opts),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
