#include "melange/cmd/cmd.h"

#include "melange/cmd/build_opts.h"
#include "melange/config/load.h"
#include "melange/plan/compile.h"
#include "shared/base/tstamp.h"

static const struct opt opts[] = { BUILD_OPTS, { 0 } };

static bool run_compile(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct build_opts *o = req;
	const char *path;
	const struct apk_arch *arch;
	if (o->archs.n != 1)
		return err_set(err, EK_USAGE, "compile needs one architecture\n"
			"hint: name it with --arch, for example --arch x86_64");
	arch = build_opts_arch(o->archs.v[0], err);
	bool set;
	int64_t ignored;
	if (!arch || !build_opts_config(args, &path, err) || !tstamp_env(&set, &ignored, err))
		return false;
	struct load_opts lo;
	build_opts_load(o, &lo);
	struct config c, compiled;
	if (!config_load(path, &lo, a, &c, err))
		return false;
	if (!config_arch_wanted(&c, arch))
		return err_set(err, EK_OTHER, "error: skip this arch");
	struct compile_opts co;
	build_opts_compile(o, arch, a, &co);
	auto_buf struct buf out = BUF_INIT(1u << 30);
	return config_compile(&c, &co, a, &compiled, err) && config_json(&compiled, &out, err) &&
		cmd_print(buf_str(&out), err);
}

const struct cmd cmd_compile = {
	.name = "compile",
	.args = "[CONFIG]",
	.summary = "print the compiled configuration of one architecture as JSON",
	.opts = opts,
	.req_size = sizeof(struct build_opts),
	.max_args = 1,
	.run = run_compile,
};

static bool run_package_version(void *req, const struct strs *args, struct arena *a,
	struct err *err)
{
	(void)req;
	const struct load_opts lo = { .any_version = true };
	struct config c;
	return config_load(args->v[0].p, &lo, a, &c, err) &&
		cmd_print(config_full_name(&c, a), err);
}

const struct cmd cmd_package_version = {
	.name = "package-version",
	.args = "CONFIG",
	.summary = "print the name and version of a build file's package",
	.min_args = 1,
	.max_args = -1,
	.run = run_package_version,
};
