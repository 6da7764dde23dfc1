#include "melange/cmd/cmd.h"

#include "melange/plan/uses.h"
#include "shared/text/ynode.h"

static struct str text_of(const struct ynode *n)
{
	return n && n->kind == YN_SCALAR ? n->text : STR_NONE;
}

static void list_inputs(const struct ynode *inputs, struct arena *a, struct buf *out)
{
	for (size_t i = 0; inputs && inputs->kind == YN_MAP && i < inputs->n; i++) {
		const struct ynode *input = inputs->pairs[i].val;
		struct str name = inputs->pairs[i].key->text;
		struct str dflt = text_of(ynode_get(input, "default"));
		bool required = str_is(text_of(ynode_get(input, "required")), "true");
		char *shown = required ? arena_printf(a, "%.*s (required)", STR_ARG(name))
				       : arena_printf(a, "%.*s=%.*s", STR_ARG(name), STR_ARG(dflt));
		buf_printf(out, "    %-31s %.*s\n", shown,
			STR_ARG(text_of(ynode_get(input, "description"))));
	}
}

static bool list_pipeline(
	const struct builtin_pipeline *p, struct arena *a, struct buf *out, struct err *err)
{
	struct str text = str_n(p->text, p->n), line, rest;
	struct ydoc doc;
	if (!ydoc_parse(text, p->name, a, &doc, err))
		return false;
	(void)str_cut(text, '\n', &line, &rest);
	(void)str_skip(&line, S("# "));
	buf_printf(out, "%-24s %.*s\n", p->name, STR_ARG(line));
	list_inputs(ynode_get(doc.root, "inputs"), a, out);
	return true;
}

static bool run_pipelines(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)req;
	auto_buf struct buf out = BUF_INIT(1 << 20);
	for (size_t i = 0; i < builtin_pipelines_n; i++) {
		const struct builtin_pipeline *p = &builtin_pipelines[i];
		if (args->n && str_is(args->v[0], p->name))
			return cmd_print(str_n(p->text, p->n), err);
		if (!args->n && !list_pipeline(p, a, &out, err))
			return false;
	}
	if (args->n == 0)
		return cmd_print(buf_str(&out), err);
	return err_set(err, EK_NOTFOUND,
		"no built-in pipeline '%.*s'\n"
		"hint: 'melange pipelines' lists them",
		STR_ARG(args->v[0]));
}

const struct cmd cmd_pipelines = {
	.name = "pipelines",
	.args = "[NAME]",
	.summary = "list the built-in pipelines with their inputs, or show one",
	.max_args = 1,
	.run = run_pipelines,
};
