#include "melange/build/build.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "melange/build/collect.h"
#include "melange/build/report.h"
#include "melange/build/repository.h"
#include "melange/build/room.h"
#include "melange/build/steps.h"
#include "melange/build/workspace.h"
#include "melange/config/facts.h"
#include "melange/emit/emit.h"
#include "melange/emit/sbom.h"
#include "melange/license/liccheck.h"
#include "melange/lint/lint.h"
#include "melange/plan/compile.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"
#include "shared/net/auth.h"
#include "shared/net/http.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/os/proc.h"

/* What lives as long as one build. */
struct build {
	const struct build_req *req;
	struct arena arena;
	struct config conf;		/* compiled, then locked */
	struct workspace ws;
	struct room_req room_req;
	struct room room;
	struct staging staging;
	struct store *store;
	struct pool *pool;
	struct http *http;
	struct auth auth;
	struct sigkey *key;
	struct collected *pkgs;
	size_t n_pkgs;
	struct scan_result *deps;
	struct apk_pkg *records;
	struct str full_version;
	int64_t started;
};

/* The configuration, and whether it can be built here at all. */
static bool prepare(struct build *b, struct err *err)
{
	const struct build_req *req = b->req;
	if (req->config->package.timeout)
		proc_deadline(tstamp_mono_ns() + req->config->package.timeout);
	const struct compile_opts co = {
		.arch = req->arch,
		.pipeline_dirs = req->pipeline_dirs,
		.libc_flavour = req->libc_flavour,
		.build_options = req->build_options,
	};
	if (!config_compile(req->config, &co, &b->arena, &b->conf, err) ||
		!sbom_check(&b->conf, req->config_path, err))
		return false;
	b->full_version = package_full_version(&b->conf.package, &b->arena);
	if (req->signing_key && !(b->key = sigkey_load_private(req->signing_key, err)))
		return err_hint(err, "make one with 'melange keygen'");
	return req->runner->usable(err) &&
		staging_open(req->out_dir, req->arch->apk, &b->arena, &b->staging, err);
}

/* Sources into the workspace. */
static bool make_workspace(struct build *b, struct err *err)
{
	const struct build_req *req = b->req;
	const struct cpe *cpe = &b->conf.package.cpe;
	if (!workspace_make(req->workspace_dir, req->arch->apk, &b->arena, &b->ws, err))
		return false;
	const struct workspace_note note = {
		.ns = req->namespace_,
		.name = b->conf.package.name.s.p,
		.version = b->full_version.p,
		.arch = req->arch->apk,
		.cpe = cpe->vendor.s.n ? package_cpe(&b->conf.package, &b->arena).p : NULL,
	};
	if (!req->empty_workspace) {
		if (!workspace_compiler_files(&b->ws, &note, err) ||
			(req->source_dir && !workspace_fill(&b->ws, req->source_dir, err)))
			return err_wrap(err, "populating the workspace");
	}
	return workspace_make_out(&b->ws, b->conf.package.name.s, err);
}

/* The environment as it was locked: what .melange.yaml records and a rebuild takes. */
static void lock_environment(struct build *b, const struct strs *locked)
{
	const struct build_req *req = b->req;
	struct arena *a = &b->arena;
	struct imgconf *env = &b->conf.environment;
	struct ystrs *repos = &env->contents.build_repositories, *keys = &env->contents.keyring;
	env->contents.packages = (struct ystrs){ 0 };
	for (size_t i = 0; i < locked->n; i++)
		vec_push(a, &env->contents.packages, (struct ystr){ locked->v[i], NULL });
	for (size_t i = 0; req->repos && i < req->repos->n; i++)
		vec_push(a, repos, (struct ystr){ req->repos->v[i], NULL });
	for (size_t i = 0; req->keys && i < req->keys->n; i++)
		vec_push(a, keys, (struct ystr){ req->keys->v[i], NULL });
	ystrs_sort_unique(repos);
	ystrs_sort_unique(keys);
	env->archs = (struct ystrs){ 0 };
	vec_push(a, &env->archs, (struct ystr){ str_of(req->arch->oci), NULL });
}

/* From packages, or an existing root. */
static bool make_guest(struct build *b, struct err *err)
{
	const struct build_req *req = b->req;
	const struct http_opts ho = { .user_agent = "melange/" PROJECT_VERSION, .auth = &b->auth };
	if (!req->rootfs && !(b->http = http_new(&ho, err)))
		return false;
	b->room_req = (struct room_req){
		.runner = req->runner,
		.arch = req->arch,
		.keys = req->keys,
		.repos = req->repos,
		.packages = req->packages,
		.rootfs = req->rootfs,
		.workspace = b->ws.dir,
		.cache_dir = req->cache_dir,
		.cap_add = &b->conf.capabilities.add,
		.cap_drop = &b->conf.capabilities.drop,
		.env = { &b->conf.environment.environment },
		.epoch = arena_printf(&b->arena, "%lld", (long long)req->epoch),
		.ignore_signatures = req->ignore_signatures,
		.network = req->network,
		.debug = req->debug,
		.store = b->store,
		.pool = b->pool,
		.http = b->http,
	};
	if (!room_guest(&b->room_req, &b->conf.environment, &b->arena, &b->room, err))
		return err_wrap(err, "making the build environment");
	if (!req->rootfs)
		lock_environment(b, &b->room.locked);
	return true;
}

static bool open_sandbox(struct build *b, struct err *err)
{
	return room_open(&b->room_req, &b->conf.environment, &b->arena, &b->room, err);
}

static bool run_pipelines(struct build *b, struct err *err)
{
	const struct build_req *req = b->req;
	struct steps_run run = {
		.ops = req->runner,
		.sandbox = b->room.sandbox,
		.workspace = b->ws.dir,
		.debug = req->debug,
		.interactive = req->interactive,
	};
	size_t ran;
	if (!steps_prepare(&run, err))
		return false;
	if (!steps_run(&run, &b->conf.pipeline, &ran, err))
		return err_wrap(err, "unable to run package '%.*s' pipeline",
			STR_ARG(b->conf.package.name.s));
	const struct subpackage *subs = b->conf.subpackages.v;
	for (size_t i = 0; i < b->conf.subpackages.n; i++) {
		if (subs[i].skipped)
			continue;
		log_info("running pipeline for subpackage %.*s", STR_ARG(subs[i].name.s));
		if (!workspace_make_out(&b->ws, subs[i].name.s, err))
			return false;
		if (!steps_run(&run, &subs[i].pipeline, &ran, err))
			return err_wrap(err, "unable to run subpackage '%.*s' pipeline",
				STR_ARG(subs[i].name.s));
	}
	return true;
}

/* What came out, looked at. */
static bool examine(struct build *b, struct err *err)
{
	const struct build_req *req = b->req;
	for (size_t i = 0; i < b->n_pkgs; i++) {
		struct collected *c = &b->pkgs[i];
		const struct ystrs *disabled =
			c->sub ? &c->sub->checks.disabled : &b->conf.package.checks.disabled;
		struct strs off = ystrs_texts(&b->arena, disabled), uses = report_test_uses(&b->conf, c->sub,
			&b->arena);
		auto_buf struct buf json = BUF_INIT(64u << 20);
		const struct lint_req lr = {
			.pkg = c->name,
			.version = b->full_version.p,
			.arch = req->arch->apk,
			.tree = &c->tree,
			.require = req->lint_require,
			.warn = req->lint_warn,
			.disabled = &off,
			.test_uses = &uses,
		};
		log_info("running package linters for %s", c->name);
		bool ok = lint_package(&lr, &b->arena, req->persist_lint ? &json : NULL, err);
		/* Findings are kept of a build that they end, too. */
		auto_err struct err unwritten = ERR_INIT;
		if (json.n && !report_lint(b->staging.dir, c->name, b->full_version, buf_str(&json),
				&unwritten))
			return ok ? err_move(err, &unwritten) : false;
		if (!ok)
			return false;
	}
	return true;
}

/* Told, and no more: nothing that is found out about licences ends a build. */
static bool check_licenses(struct build *b, struct err *err)
{
	struct lic_report found;
	auto_err struct err failed = ERR_INIT;
	(void)err;
	if (!license_check(b->ws.fd, b->ws.dir, &b->conf.package, false, &b->arena, &found, &failed))
		log_warn("license check: %s", failed.msg);
	return true;
}

static bool scan_all(struct build *b, struct err *err)
{
	struct scan_pkg *pkgs = arena_array(&b->arena, struct scan_pkg, b->n_pkgs);
	b->deps = arena_array(&b->arena, struct scan_result, b->n_pkgs);
	for (size_t i = 0; i < b->n_pkgs; i++) {
		const struct subpackage *s = b->pkgs[i].sub;
		pkgs[i] = (struct scan_pkg){
			.name = b->pkgs[i].name,
			.version = b->full_version.p,
			.tree = &b->pkgs[i].tree,
			.options = s ? s->options : b->conf.package.options,
			.declared = s ? &s->dependencies : &b->conf.package.dependencies,
		};
	}
	for (size_t i = 0; i < b->n_pkgs; i++) {
		log_info("scanning for dependencies of %s", b->pkgs[i].name);
		if (!scan(pkgs, b->n_pkgs, i, &b->arena, &b->deps[i], err))
			return err_wrap(err, "scanning package '%s'", b->pkgs[i].name);
		for (size_t k = 0; k < b->deps[i].warnings.n; k++)
			log_warn("%.*s", STR_ARG(b->deps[i].warnings.v[k]));
	}
	return !b->req->dependency_log ||
		report_dependencies(b->req->dependency_log, b->req->arch->apk, pkgs, b->deps, b->n_pkgs,
			err);
}

/* Packages into the staging directory. */
static bool emit(struct build *b, struct err *err)
{
	const struct build_req *req = b->req;
	const struct emit_build eb = {
		.conf = &b->conf,
		.config_path = req->config_path,
		.arch = req->arch->apk,
		.out_dir = b->staging.tmp,
		.epoch = req->epoch,
		.namespace_ = req->namespace_,
		.git_commit = req->git_commit ? req->git_commit : b->conf.package.commit.s.p,
		.git_repo_url = req->git_repo_url,
		.license = req->license,
		.strip_origin_name = req->strip_origin_name,
		.provenance = req->provenance,
		.started = b->started,
		.finished = time(NULL),
		.key = b->key,
		.key_path = req->signing_key,
		.workspace_fd = b->ws.fd,
		.pool = b->pool,
	};
	struct emit_pkg *pkgs = arena_array(&b->arena, struct emit_pkg, b->n_pkgs);
	b->records = arena_array(&b->arena, struct apk_pkg, b->n_pkgs);
	for (size_t i = 0; i < b->n_pkgs; i++)
		pkgs[i] = (struct emit_pkg){ b->pkgs[i].sub, b->pkgs[i].name, &b->pkgs[i].tree,
			{ b->room.ids.passwd, b->room.ids.group } };
	if (!emit_sboms(&eb, pkgs, b->n_pkgs, &b->arena, err))
		return false;
	for (size_t i = 0; i < b->n_pkgs; i++)
		if (!emit_package(&eb, &pkgs[i], &b->deps[i], &b->arena, &b->records[i], err))
			return false;
	return true;
}

/* Subpackages are their own origin when the origin's name is stripped. */
static struct str log_origin(const struct build *b, size_t pkg)
{
	return b->req->strip_origin_name ? str_of(b->pkgs[pkg].name) : b->conf.package.name.s;
}

static bool publish(struct build *b, struct err *err)
{
	const struct build_req *req = b->req;
	if (!proc_check(err) || !staging_publish(&b->staging, req->generate_index, b->records,
			b->n_pkgs, b->key, req->signing_key, err))
		return false;
	for (size_t i = 0; req->build_log && i < b->n_pkgs; i++)
		if (!report_build_log(req->arch->apk, log_origin(b, i), b->pkgs[i].name,
				b->full_version, err))
			return false;
	return true;
}

/* What the steps left; nothing of the build runs any more when it is looked at. */
static bool gather(struct build *b, struct err *err)
{
	room_close(&b->room_req, &b->room);
	return collect(&b->conf, &b->ws, &b->arena, &b->pkgs, &b->n_pkgs, err);
}

static bool run_phases(struct build *b, struct err *err)
{
	static const struct {
		const char *name;
		bool (*run)(struct build *b, struct err *err);
	} phases[] = {
		{ "prepare", prepare },
		{ "workspace", make_workspace },
		{ "guest", make_guest },
		{ "sandbox", open_sandbox },
		{ "pipelines", run_pipelines },
		{ "collect", gather },
		{ "lint", examine },
		{ "license", check_licenses },
		{ "scan", scan_all },
		{ "emit", emit },
		{ "publish", publish },
	};
	for (size_t i = 0; i < countof(phases); i++) {
		int64_t start = tstamp_mono_ns();
		if (!phases[i].run(b, err))
			return false;
		int64_t took = tstamp_mono_ns() - start;
		log_debug("phase %s: %.1f ms", phases[i].name, (double)took / 1e6);
		if (b->req->trace && !report_span(b->req->trace, b->req->arch->apk, phases[i].name,
				took, err))
			return false;
	}
	return true;
}

static void release(struct build *b, bool ok)
{
	room_close(&b->room_req, &b->room);
	collect_release(b->pkgs, b->n_pkgs);
	if (b->ws.dir && b->req->keep && !ok)
		log_info("the workspace is kept in %s", b->ws.dir);
	workspace_release(&b->ws, b->req->keep);
	staging_release(&b->staging);
	http_free(b->http);
	pool_free(b->pool);
	store_close(b->store);
	sigkey_free(b->key);
	arena_release(&b->arena);
}

bool build_package(const struct build_req *req, struct err *err)
{
	struct build b = { .req = req, .arena = ARENA_INIT, .ws = WORKSPACE_INIT,
		.staging = STAGING_INIT,
		.started = time(NULL) };
	bool ok = (b.store = store_open(req->store_dir, err)) != NULL &&
		auth_load(&b.auth, &b.arena, err);
	if (ok) {
		b.pool = pool_new(0);
		ok = run_phases(&b, err);
	}
	release(&b, ok);
	return ok;
}
