#include "apko/cmd/cmd.h"

#include "apko/build/context.h"
#include "apko/build/graph.h"
#include "shared/base/log.h"

struct dot {
	struct apko_req req;
	bool spanning;
};

static const struct opt opts[] = {
	APKO_OPTS,
	{"spanning-tree", 'S', OPT_BOOL, offsetof(struct dot, spanning), NULL, NULL,
		"draw one edge to each dependency", 0},
	{0},
};

static bool draw(struct context *c, const struct dot *d, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(256u << 20);
	auto_err struct err why = ERR_INIT;
	bool resolved = context_resolve(c, 0, &why);
	const struct solve_result none = {0};
	const struct graph_req g = {
		.config = d->req.config,
		.packages = &c->plain.contents.packages,
		.set = resolved ? &c->solutions[0].set : &none,
		.spanning = d->spanning,
		.failure = why.msg,
	};
	if (!resolved)
		log_warn("the packages cannot be resolved: %s", why.msg);
	graph_write(&g, c->arena, &out);
	return cmd_print(buf_str(&out), err);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct dot *d = req;
	struct context ctx;
	d->req.config = args->v[0].p;
	bool ok = context_open(&d->req, CONTEXT_LOAD, a, &ctx, err) && draw(&ctx, d, err);
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
