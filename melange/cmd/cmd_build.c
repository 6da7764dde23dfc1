#include "melange/cmd/cmd.h"

#include "melange/build/build.h"
#include "melange/cmd/build_opts.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"
#include "shared/os/path.h"

static const struct opt opts[] = { BUILD_OPTS, { 0 } };

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static bool epoch_of(const struct build_opts *o, int64_t *ret, struct err *err)
{
	bool set = false;
	*ret = 0;
	if (*o->build_date && !tstamp_parse(str_of(o->build_date), ret, err))
		return err_wrap(err, "--build-date");
	return tstamp_env(&set, ret, err);
}

static const char *source_dir(const struct build_opts *o, const char *config, struct arena *a)
{
	if (*o->source_dir)
		return o->source_dir;
	struct str dir = path_dir(str_of(config));
	return dir.n ? arena_strndup(a, dir.p, dir.n) : config[0] == '/' ? "/" : ".";
}

static bool fill_request(const struct build_opts *o, const struct strs *args, struct arena *a,
	struct build_req *r, struct err *err)
{
	if (!build_opts_config(args, &r->config_path, err) ||
		!(r->runner = build_opts_runner(o, err)) || !epoch_of(o, &r->epoch, err))
		return false;
	struct compile_opts co;
	build_opts_compile(o, NULL, a, &co);
	r->pipeline_dirs = co.pipeline_dirs;
	r->source_dir = source_dir(o, r->config_path, a);
	r->workspace_dir = or_null(o->workspace_dir);
	r->cache_dir = or_null(o->cache_dir);
	r->store_dir = or_null(o->apk_cache_dir);
	r->rootfs = or_null(o->rootfs);
	r->trace = or_null(o->trace);
	r->build_options = &o->build_options;
	r->keys = &o->keys;
	r->repos = &o->repos;
	r->packages = &o->packages;
	r->libc_flavour = o->libc;
	r->out_dir = o->out_dir;
	r->signing_key = or_null(o->signing_key);
	r->dependency_log = or_null(o->dependency_log);
	r->generate_index = o->generate_index;
	r->build_log = o->create_build_log;
	r->persist_lint = o->persist_lint;
	r->provenance = o->provenance;
	r->strip_origin_name = o->strip_origin_name;
	r->namespace_ = o->namespace_;
	r->git_commit = or_null(o->git_commit);
	r->git_repo_url = *o->git_repo_url ? o->git_repo_url : "https://unknown/unknown/unknown";
	r->license = o->license;
	r->empty_workspace = o->empty_workspace;
	r->ignore_signatures = o->ignore_signatures;
	r->debug = o->debug;
	r->interactive = o->interactive;
	r->keep = !o->rm;
	r->network = !o->no_network;
	r->lint_require = o->lint_require.v ? &o->lint_require : NULL;
	r->lint_warn = o->lint_warn.v ? &o->lint_warn : NULL;
	return true;
}

/* One architecture, unless the file excludes it. */
static bool build_arch(struct build_req *r, const struct apk_arch *arch, bool several,
	struct arena *a, size_t *built, struct err *err)
{
	if (!config_arch_wanted(r->config, arch)) {
		log_warn("skipping arch %s", arch->oci);
		return true;
	}
	(*built)++;
	r->arch = arch;
	log_attr(several ? arena_printf(a, "arch=%s", arch->apk) : NULL);
	bool ok = build_package(r, err);
	log_attr(NULL);
	return ok;
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct build_opts *o = req;
	struct build_req r = { 0 };
	struct load_opts load;
	struct config config;
	struct archs archs;
	size_t built = 0;
	build_opts_load(o, &load);
	if (!build_opts_archs(o, &archs, err) || !fill_request(o, args, a, &r, err))
		return false;
	if (!*o->git_repo_url)
		log_warn("git repository URL not provided, using %s", r.git_repo_url);
	if (o->fail_on_lint_warning)
		log_warn("--fail-on-lint-warning is deprecated and has no effect: "
			"use --lint-require and --lint-warn");
	log_info("melange %s with runner %s is building %s", PROJECT_VERSION, r.runner->name,
		r.config_path);
	if (!config_load(r.config_path, &load, a, &config, err))
		return false;
	r.config = &config;
	for (size_t i = 0; i < archs.n; i++)
		if (!build_arch(&r, archs.v[i], archs.n > 1, a, &built, err))
			return false;
	if (built == 0)
		log_warn("target-architecture and --arch do not overlap, nothing to build");
	return true;
}

const struct cmd cmd_build = {
	.name = "build",
	.args = "[CONFIG]",
	.summary = "build packages from a build file",
	.opts = opts,
	.req_size = sizeof(struct build_opts),
	.max_args = -1,
	.run = run,
};
