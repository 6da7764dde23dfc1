#include "melange/build/test.h"

#include "melange/build/room.h"
#include "melange/build/steps.h"
#include "melange/build/workspace.h"
#include "melange/plan/compile.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"
#include "shared/net/auth.h"
#include "shared/net/http.h"
#include "shared/os/proc.h"

/* What all tests of a file share. */
struct testing {
	const struct test_req *req;
	struct arena arena;
	struct config conf;
	struct workspace ws;
	struct store *store;
	struct pool *pool;
	struct http *http;
	struct auth auth;
};

static bool prepare(struct testing *t, struct err *err)
{
	const struct test_req *req = t->req;
	struct config loaded;
	if (!config_load(req->config_path, &req->load, &t->arena, &loaded, err))
		return false;
	if (loaded.package.timeout)
		proc_deadline(tstamp_mono_ns() + loaded.package.timeout);
	const struct compile_opts co = {
		.arch = req->arch,
		.pipeline_dirs = req->pipeline_dirs,
		.test_package = req->package,
	};
	const struct http_opts ho = { .user_agent = "melange/" PROJECT_VERSION, .auth = &t->auth };
	return config_compile(&loaded, &co, &t->arena, &t->conf, err) &&
	       req->runner->usable(err) && auth_load(&t->auth, &t->arena, err) &&
	       (t->http = http_new(&ho, err)) && (t->store = store_open(req->store_dir, err));
}

static bool make_workspace(struct testing *t, struct err *err)
{
	const struct test_req *req = t->req;
	if (!workspace_make(req->workspace_dir, req->arch->apk, &t->arena, &t->ws, err))
		return false;
	return !req->source_dir || workspace_fill(&t->ws, req->source_dir, err) ||
	       err_wrap(err, "populating the workspace");
}

/* The steps of one test in an open room. */
static bool run_steps(struct testing *t, const struct test *test, struct room *room,
	struct err *err)
{
	struct steps_run run = {
		.ops = t->req->runner,
		.sandbox = room->sandbox,
		.workspace = t->ws.dir,
		.debug = t->req->debug,
		.interactive = t->req->interactive,
	};
	size_t ran;
	return steps_prepare(&run, err) && steps_run(&run, &test->pipeline, &ran, err);
}

static bool run_test(struct testing *t, struct test *test, struct err *err)
{
	const struct test_req *req = t->req;
	if (!test || !test->pipeline.n)
		return true;
	const struct room_req rr = {
		.runner = req->runner,
		.arch = req->arch,
		.keys = req->keys,
		.repos = req->repos,
		.packages = req->packages,
		.workspace = t->ws.dir,
		.cache_dir = req->cache_dir,
		.cap_add = &t->conf.capabilities.add,
		.cap_drop = &t->conf.capabilities.drop,
		.env = { &t->conf.environment.environment, &test->environment.environment },
		.ignore_signatures = req->ignore_signatures,
		.network = true,
		.debug = req->debug,
		.store = t->store,
		.pool = t->pool,
		.http = t->http,
	};
	struct room room = { 0 };
	if (!room_guest(&rr, &test->environment, &t->arena, &room, err))
		return err_wrap(err, "making the test environment");
	bool ok = room_open(&rr, &test->environment, &t->arena, &room, err) &&
		run_steps(t, test, &room, err);
	room_close(&rr, &room);
	return ok;
}

static bool run_tests(struct testing *t, struct err *err)
{
	const struct subpackage *subs = t->conf.subpackages.v;
	size_t tests = 0;
	if (t->conf.test && t->conf.test->pipeline.n) {
		tests++;
		log_info("running the main test pipeline");
		if (!run_test(t, t->conf.test, err))
			return err_wrap(err, "failed to test package '%.*s'",
				STR_ARG(t->conf.package.name.s));
	}
	for (size_t i = 0; i < t->conf.subpackages.n; i++) {
		if (subs[i].skipped || !subs[i].test || !subs[i].test->pipeline.n)
			continue;
		tests++;
		log_info("running test pipeline for subpackage %.*s", STR_ARG(subs[i].name.s));
		if (!run_test(t, subs[i].test, err))
			return err_wrap(err, "failed to test subpackage '%.*s'",
				STR_ARG(subs[i].name.s));
	}
	if (tests == 0)
		log_warn("%s has no tests for %s", t->req->config_path, t->req->arch->apk);
	return true;
}

bool test_package(const struct test_req *req, struct err *err)
{
	struct testing t = { .req = req, .arena = ARENA_INIT, .ws = WORKSPACE_INIT };
	bool ok = prepare(&t, err);
	if (ok) {
		t.pool = pool_new(0);
		ok = make_workspace(&t, err) && run_tests(&t, err);
	}
	if (t.ws.dir && req->keep && !ok)
		log_info("the workspace is kept in %s", t.ws.dir);
	workspace_release(&t.ws, req->keep);
	http_free(t.http);
	pool_free(t.pool);
	store_close(t.store);
	arena_release(&t.arena);
	return ok;
}
