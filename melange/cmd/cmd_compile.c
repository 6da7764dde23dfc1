#include "melange/cmd/cmd.h"

#include "melange/cmd/batch.h"
#include "melange/cmd/build_opts.h"
#include "melange/config/load.h"
#include "melange/plan/compile.h"
#include "shared/base/tstamp.h"

static const struct opt opts[] = { BUILD_OPTS, { 0 } };

/* What compiling needs besides the file. */
struct compile_cmd {
	const struct build_opts *opts;
	const struct apk_arch *arch;
	struct load_opts load;
};

static bool compile_file(const struct compile_cmd *cmd, const char *path, struct arena *a,
	struct buf *out, struct err *err)
{
	struct config c, compiled;
	struct compile_opts co;
	if (!config_load(path, &cmd->load, a, &c, err))
		return false;
	if (!config_arch_wanted(&c, cmd->arch))
		return err_set(err, EK_OTHER, "error: skip this arch");
	build_opts_compile(cmd->opts, cmd->arch, a, &co);
	return config_compile(&c, &co, a, &compiled, err) && config_json(&compiled, out, err);
}

static bool compile_nth(const char *path, struct arena *a, struct buf *out, void *user,
	struct err *err)
{
	return compile_file(user, path, a, out, err);
}

static bool run_compile(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct build_opts *o = req;
	const char *path;
	bool set;
	int64_t ignored;
	if (o->archs.n != 1)
		return err_set(err, EK_USAGE, "compile needs one architecture\n"
			"hint: name it with --arch, for example --arch x86_64");
	struct compile_cmd cmd = { .opts = o, .arch = build_opts_arch(o->archs.v[0], err) };
	if (!cmd.arch || !tstamp_env(&set, &ignored, err))
		return false;
	build_opts_load(o, &cmd.load);
	if (batch_wanted(args))
		return batch_run(args, "do not compile", compile_nth, &cmd, a, err);
	auto_buf struct buf out = BUF_INIT(1u << 30);
	return build_opts_config(args, &path, err) && compile_file(&cmd, path, a, &out, err) &&
		cmd_print(buf_str(&out), err);
}

const struct cmd cmd_compile = {
	.name = "compile",
	.args = "[CONFIG|DIR...]",
	.summary = "print the compiled configuration of one architecture as JSON, a line a file",
	.opts = opts,
	.req_size = sizeof(struct build_opts),
	.max_args = -1,
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
