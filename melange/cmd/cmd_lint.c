#include "melange/cmd/cmd.h"

#include <stdatomic.h>

#include "melange/build/report.h"
#include "melange/cmd/batch.h"
#include "melange/cmd/build_opts.h"
#include "melange/inspect/pkgfile.h"
#include "melange/lint/conf.h"
#include "melange/lint/lint.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"

#define MAX_JSON ((size_t)64 << 20)

/* Build files and packages, told apart by their names' endings. */
struct lint_cmd {
	struct strs archs, pipeline_dirs, build_options, require, warn;
	const char *pipeline_dir, *vars_file, *out_dir, *cache_dir;
	bool json, strict, persist;
};

#define O(name, type, field, def, arg, help)                                                       \
	{ name, 0, OPT_##type, offsetof(struct lint_cmd, field), def, arg, help, 0 }
static const struct opt opts[] = {
	O("arch", LIST, archs, "x86_64,aarch64", "ARCH",
		"architectures that build files are compiled for"),
	O("pipeline-dir", STR, pipeline_dir, "", "DIR", "where `uses` is looked up first"),
	O("pipeline-dirs", LIST, pipeline_dirs, "", "DIR", "more such directories"),
	O("vars-file", STR, vars_file, "", "FILE", "YAML map laid over vars"),
	O("build-option", LIST, build_options, "", "NAME", "options to enable"),
	O("json", BOOL, json, NULL, NULL, "print findings in build files as JSON, an object a line"),
	O("strict", BOOL, strict, NULL, NULL, "warnings about build files count as errors"),
	O("lint-require", LIST, require, NULL, "LINTER", "linters of packages that fail"),
	O("lint-warn", LIST, warn, NULL, "LINTER", "linters of packages that only warn"),
	O("persist-lint-results", BOOL, persist, NULL, NULL,
		"write findings in packages as JSON below --out-dir"),
	O("out-dir", STR, out_dir, "./packages/", "DIR", "where those go"),
	O("apk-cache-dir", STR, cache_dir, "", "DIR", "where packages are kept"),
	{ 0 },
};

/* Build files */

struct conf_job {
	const struct lint_cmd *cmd;
	struct conf_lint_req req;
	atomic_size_t files, problems;
};

static void print_json(const struct conf_findings *found, const char *path, struct buf *out)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct conf_finding *f = &found->v[i];
		struct jwrite w;
		jw_init(&w, out, 0);
		jw_object(&w);
		jw_kstr(&w, "file", str_of(f->pos.file ? f->pos.file : path));
		jw_kint(&w, "line", f->pos.line);
		jw_kint(&w, "column", f->pos.col);
		jw_kstr(&w, "severity", f->error ? S("error") : S("warning"));
		jw_kstr(&w, "rule", str_of(f->rule));
		jw_kstr(&w, "message", str_of(f->msg));
		jw_object_end(&w);
		buf_addc(out, '\n');
	}
}

static bool lint_conf(const char *path, struct arena *a, struct buf *out, void *user,
	struct err *err)
{
	struct conf_job *job = user;
	struct conf_findings found = { 0 };
	size_t errors = 0;
	if (!conf_lint(path, &job->req, a, &found, err))
		return false;
	for (size_t i = 0; i < found.n; i++) {
		errors += found.v[i].error || job->cmd->strict;
		if (!job->cmd->json)
			buf_adds(out, found.v[i].shown);
	}
	if (job->cmd->json)
		print_json(&found, path, out);
	job->files += errors > 0;
	job->problems += errors;
	return true;
}

static bool lint_confs(const struct lint_cmd *cmd, const struct strs *paths, struct arena *a,
	struct err *err)
{
	const struct load_opts lo = { .build_options = &cmd->build_options,
		.vars_file = *cmd->vars_file ? cmd->vars_file : NULL };
	const struct build_opts bo = { .archs = cmd->archs };
	struct archs archs;
	struct conf_job job = { .cmd = cmd };
	if (!build_opts_archs(&bo, &archs, err))
		return false;
	job.req = (struct conf_lint_req){ .load = &lo, .archs = archs.v, .n_archs = archs.n,
		.build_options = &cmd->build_options };
	if (*cmd->pipeline_dir)
		strs_push(a, &job.req.pipeline_dirs, str_of(cmd->pipeline_dir));
	for (size_t i = 0; i < cmd->pipeline_dirs.n; i++)
		strs_push(a, &job.req.pipeline_dirs, cmd->pipeline_dirs.v[i]);
	if (!batch_run(paths, "cannot be read", lint_conf, &job, a, err))
		return false;
	return job.problems == 0 || err_set(err, EK_OTHER, "%zu %s in %zu %s", job.problems,
		job.problems == 1 ? "problem" : "problems", job.files,
		job.files == 1 ? "file" : "files");
}

/* Packages */

struct apk_conf {
	struct strs disabled, uses;
};

/* What the build file inside says of the package's checks; built by something else, it says none. */
static void read_conf(const struct pkgfile *f, struct arena *a, struct apk_conf *ret)
{
	auto_err struct err ignored = ERR_INIT;
	const struct load_opts lo = { .any_version = true };
	struct str text;
	struct config c;
	if (!pkgfile_control(f, ".melange.yaml", &text, &ignored) ||
		!config_parse(text, ".melange.yaml", &lo, a, &c, &ignored))
		return;
	const struct subpackage *subs = c.subpackages.v, *sub = NULL;
	for (size_t i = 0; i < c.subpackages.n; i++)
		if (str_eq(subs[i].name.s, f->file.info.name))
			sub = &subs[i];
	ret->disabled = ystrs_texts(a, sub ? &sub->checks.disabled : &c.package.checks.disabled);
	ret->uses = report_test_uses(&c, sub, a);
}

static bool lint_apk(const struct lint_cmd *cmd, struct pkgfiles *files, const char *where,
	struct arena *a, struct err *err)
{
	struct pkgfile f = { 0 };
	struct apk_conf conf = { 0 };
	auto_buf struct buf json = BUF_INIT(MAX_JSON);
	if (!pkgfile_open(files, where, &f, err))
		return false;
	const struct apk_pkg *info = &f.file.info;
	read_conf(&f, a, &conf);
	const struct lint_req req = {
		.pkg = arena_strndup(a, info->name.p, info->name.n),
		.version = arena_strndup(a, info->version.p, info->version.n),
		.arch = arena_strndup(a, info->arch.p, info->arch.n),
		.tree = &f.tree,
		.require = cmd->require.v ? &cmd->require : NULL,
		.warn = cmd->warn.v ? &cmd->warn : NULL,
		.disabled = &conf.disabled,
		.test_uses = &conf.uses,
	};
	log_info("linting %s-%s", req.pkg, req.version);
	bool ok = lint_package(&req, a, cmd->persist ? &json : NULL, err);
	const char *dir = arena_printf(a, "%s/%s", cmd->out_dir, req.arch);
	auto_err struct err aside = ERR_INIT;
	if (json.n && !(dir_make(dir, 0755, &aside) &&
		report_lint(dir, req.pkg, info->version, buf_str(&json), &aside)))
		ok = ok ? err_move(err, &aside) : ok;
	pkgfile_close(&f);
	return ok;
}

static bool lint_apks(const struct lint_cmd *cmd, const struct strs *paths, struct arena *a,
	struct err *err)
{
	auto_pkgfiles struct pkgfiles files = { 0 };
	size_t failed = 0;
	if (!pkgfiles_init(&files, *cmd->cache_dir ? cmd->cache_dir : NULL, NULL, a, err))
		return false;
	for (size_t i = 0; i < paths->n; i++) {
		auto_err struct err why = ERR_INIT;
		if (lint_apk(cmd, &files, paths->v[i].p, a, &why))
			continue;
		if (paths->n == 1)
			return err_move(err, &why);
		log_error("%s: %s", paths->v[i].p, why.msg);
		failed++;
	}
	return failed == 0 || err_set(err, EK_OTHER, "%zu of %zu packages have problems", failed,
		paths->n);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct lint_cmd *cmd = req;
	struct strs apks = { 0 }, confs = { 0 };
	auto_err struct err first = ERR_INIT;
	for (size_t i = 0; i < args->n; i++)
		strs_push(a, str_ends(args->v[i], S(".apk")) ? &apks : &confs, args->v[i]);
	bool ok = confs.n == 0 || lint_confs(cmd, &confs, a, &first);
	if (apks.n && !lint_apks(cmd, &apks, a, err)) {
		if (!ok)
			log_error("%s", first.msg);
		return false;
	}
	return ok || err_move(err, &first);
}

const struct cmd cmd_lint = {
	.name = "lint",
	.args = "CONFIG|DIR|APK|URL...",
	.summary = "check build files, without building anything, or built packages",
	.opts = opts,
	.req_size = sizeof(struct lint_cmd),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
