#include "melange/cmd/cmd.h"

#include "melange/cmd/batch.h"
#include "melange/config/load.h"
#include "melange/query/tmpl.h"

#define MAX_OUT ((size_t)256 << 20)

struct query {
	const struct tmpl *t;
	bool lines;	/* a line for each of several files */
};

static bool query_file(const char *path, struct arena *a, struct buf *out, void *user,
	struct err *err)
{
	const struct query *q = user;
	const struct load_opts lo = { .any_version = true };
	struct config c;
	if (!config_load(path, &lo, a, &c, err))
		return false;
	c.data = (struct bind_list){ 0 };	/* its ranges have been laid out */
	if (!tmpl_run(q->t, gval_config(&c), out, err))
		return false;
	if (q->lines && out->n && out->p[out->n - 1] != '\n')
		buf_addc(out, '\n');
	return true;
}

/* The template is the second argument; behind several files, the last one. */
static size_t template_at(const struct strs *args)
{
	return str_find(args->v[1], S("{{")) >= 0 ? 1 : args->n - 1;
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)req;
	struct query q;
	struct strs files = *args;
	files.n = template_at(args);
	q.lines = batch_wanted(&files);
	if (!tmpl_parse(args->v[files.n], a, &q.t, err))
		return false;
	if (q.lines)
		return batch_run(&files, "cannot be queried", query_file, &q, a, err);
	auto_buf struct buf out = BUF_INIT(MAX_OUT);
	return query_file(files.v[0].p, a, &out, &q, err) && cmd_print(buf_str(&out), err);
}

const struct cmd cmd_query = {
	.name = "query",
	.args = "CONFIG|DIR... TEMPLATE",
	.summary = "print what a Go template makes of a build file, such as '{{ .Package.Name }}'",
	.min_args = 2,
	.max_args = -1,
	.run = run,
};
