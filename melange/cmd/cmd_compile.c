#include "melange/cmd/cmd.h"

#include <pthread.h>
#include <sys/stat.h>

#include "melange/cmd/build_opts.h"
#include "melange/config/load.h"
#include "melange/plan/compile.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"
#include "shared/os/dir.h"
#include "shared/store/pool.h"

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

/* Several files, compiled by all workers and printed in the order they were given. */
struct batch {
	const struct compile_cmd *cmd;
	struct strs paths;
	struct result {
		struct buf out;
		struct err err;
		bool done;
	} *results;
	pthread_mutex_t lock;
	size_t next, failed;		/* under lock */
};

/* Prints what is ready at the front; called under the lock. */
static bool print_ready(struct batch *b, struct err *err)
{
	bool ok = true;
	for (; ok && b->next < b->paths.n && b->results[b->next].done; b->next++) {
		struct result *r = &b->results[b->next];
		if (r->err.msg) {
			b->failed++;
			log_error("%s: %s", b->paths.v[b->next].p, r->err.msg);
		} else {
			ok = cmd_print(buf_str(&r->out), err);
		}
		buf_release(&r->out);
		err_release(&r->err);
	}
	return ok;
}

static bool compile_one(size_t i, unsigned slot, void *user, struct err *err)
{
	(void)slot;
	struct batch *b = user;
	struct result *r = &b->results[i];
	auto_arena struct arena a = ARENA_INIT;
	buf_init(&r->out, 1u << 30);
	(void)!compile_file(b->cmd, b->paths.v[i].p, &a, &r->out, &r->err);
	pthread_mutex_lock(&b->lock);
	r->done = true;
	bool ok = print_ready(b, err);
	pthread_mutex_unlock(&b->lock);
	return ok;
}

/* A directory stands for the build files directly in it. */
static bool add_paths(const char *arg, struct strs *paths, struct arena *a, struct err *err)
{
	struct stat st;
	struct strs names = { 0 };
	if (stat(arg, &st) != 0 || !S_ISDIR(st.st_mode)) {
		strs_push(a, paths, str_of(arg));
		return true;
	}
	if (!dir_names(arg, a, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i].p[0] != '.' && str_ends(names.v[i], S(".yaml")))
			strs_push(a, paths, arena_strf(a, "%s/%.*s", arg, STR_ARG(names.v[i])));
	return true;
}

static bool run_batch(const struct compile_cmd *cmd, const struct strs *args, struct arena *a,
	struct err *err)
{
	struct batch b = { .cmd = cmd, .lock = PTHREAD_MUTEX_INITIALIZER };
	for (size_t i = 0; i < args->n; i++)
		if (!add_paths(args->v[i].p, &b.paths, a, err))
			return false;
	b.results = arena_array(a, struct result, b.paths.n + 1);
	struct pool *pool = pool_new(0);
	bool ok = pool_each(pool, b.paths.n, compile_one, &b, err);
	pool_free(pool);
	return ok && (b.failed == 0 || err_set(err, EK_OTHER, "%zu of %zu files do not compile",
		b.failed, b.paths.n));
}

static bool is_batch(const struct strs *args)
{
	struct stat st;
	return args->n > 1 ||
	       (args->n == 1 && stat(args->v[0].p, &st) == 0 && S_ISDIR(st.st_mode));
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
	if (is_batch(args))
		return run_batch(&cmd, args, a, err);
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
