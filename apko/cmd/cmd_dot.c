#include "apko/cmd/cmd.h"

#include "apko/build/context.h"
#include "apko/build/graph.h"
#include "apko/cmd/dotweb.h"
#include "shared/base/log.h"

struct dot {
	struct apko_req req;
	bool spanning, web;
	const char *explorer;
};

static const struct opt opts[] = {
	APKO_OPTS,
	{ "spanning-tree", 'S', OPT_BOOL, offsetof(struct dot, spanning), NULL, NULL,
		"draw one edge to each dependency", 0 },
	{ "web", 0, OPT_BOOL, offsetof(struct dot, web), NULL, NULL,
		"show the graph in a browser; ?node=NAME begins at a package", 0 },
	{ "registry-explorer", 'e', OPT_STR, offsetof(struct dot, explorer), "apk.dag.dev", "HOST",
		"where packages lead to in the browser", 0 },
	{ 0 },
};

struct drawing {
	struct context *ctx;
	const struct dot *dot;
	struct solve_result set;
	const char *failure;
};

static bool has(const struct solve_result *s, struct str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->pkgs[i]->name, name))
			return true;
	return false;
}

static bool draw(const struct strs *first, void *user, struct buf *out)
{
	const struct drawing *d = user;
	auto_arena struct arena a = ARENA_INIT;
	const struct graph_req g = {
		.config = d->dot->req.config,
		.packages = &d->ctx->plain.contents.packages,
		.set = &d->set,
		.first = first,
		.spanning = d->dot->spanning,
		.explorer = d->dot->web ? d->dot->explorer : NULL,
		.failure = d->failure,
	};
	for (size_t i = 0; first && i < first->n; i++)
		if (!has(&d->set, first->v[i]))
			return false;
	graph_write(&g, &a, out);
	return true;
}

static bool show(struct context *c, const struct dot *dot, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(256u << 20);
	auto_err struct err why = ERR_INIT;
	struct drawing d = { .ctx = c, .dot = dot };
	const struct dotweb web = { .draw = draw, .user = &d };
	if (context_resolve(c, 0, &why)) {
		d.set = c->solutions[0].set;
	} else {
		log_warn("the packages cannot be resolved: %s", why.msg);
		d.failure = why.msg;
	}
	if (dot->web)
		return dotweb_serve(&web, err);
	return draw(NULL, &d, &out) && cmd_print(buf_str(&out), err);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct dot *d = req;
	struct context ctx;
	d->req.config = args->v[0].p;
	bool ok = context_open(&d->req, CONTEXT_LOAD, a, &ctx, err) && show(&ctx, d, err);
	context_release(&ctx);
	return ok;
}

const struct cmd cmd_dot = {
	.name = "dot",
	.args = "CONFIG",
	.summary = "print the packages of the first architecture and what they depend on as a "
		   "graph for Graphviz",
	.opts = opts,
	.req_size = sizeof(struct dot),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
