#include "melange/lint/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/num.h"
#include "shared/os/fd.h"

#define MAX_FILE ((size_t)16 << 20)

void conf_report(struct conf_ctx *x, const struct ynode *at, bool error, const char *rule,
	const char *fmt, ...)
{
	va_list ap;
	char text[1024];
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct conf_finding f = { .error = error, .rule = rule, .msg = arena_strdup(x->a, text) };
	f.pos = at ? at->pos : (struct pos){ .file = x->c->doc->file };
	auto_err struct err shown = ERR_INIT;
	struct diags d;
	diags_init(&d, x->a, x->c->doc);
	diags_add(&d, f.pos, "%s: %s [%s]", error ? "error" : "warning", text, rule);
	(void)!diags_ok(&d, &shown);
	f.shown = arena_printf(x->a, "%s\n", shown.msg);
	vec_push(x->a, x->found, f);
}

/* "FILE:LINE:COL: MESSAGE", taken apart. */
static bool is_place(struct str line, struct pos *ret_pos, struct str *ret_msg, struct arena *a)
{
	struct str file, rest, number;
	uint64_t n[2];
	if (!str_cut(line, ':', &file, &rest) || file.n == 0 || file.p[0] == ' ')
		return false;
	for (size_t i = 0; i < 2; i++)
		if (!str_cut(rest, ':', &number, &rest) || !num_u64(number, 10, &n[i]) ||
			n[i] > 100000000)
			return false;
	*ret_pos = (struct pos){ arena_strndup(a, file.p, file.n), (int)n[0], (int)n[1] };
	*ret_msg = str_trim(rest);
	return true;
}

static bool have(const struct conf_findings *found, struct pos pos, struct str msg)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].pos.line == pos.line && found->v[i].pos.col == pos.col &&
			str_is(msg, found->v[i].msg))
			return true;
	return false;
}

/* The problems of an error, one finding each, with the lines that belong to it. */
static void add_error(struct conf_ctx *x, const char *path, const char *rule, const char *text)
{
	struct str rest = str_of(text), line, msg;
	struct conf_finding f = { .error = true, .rule = rule };
	auto_buf struct buf shown = BUF_INIT(1 << 20);
	bool open = false;
	while (str_next(&rest, '\n', &line)) {
		struct pos pos;
		bool place = is_place(line, &pos, &msg, x->a);
		if (open && place) {
			f.shown = arena_strdup(x->a, shown.p);
			vec_push(x->a, x->found, f);
			buf_clear(&shown);
			open = false;
		}
		if (place && have(x->found, pos, msg))
			continue;	/* the same for another architecture */
		if (place || !(open || x->found->n)) {
			f.pos = place ? pos : (struct pos){ .file = path };
			f.msg = place ? arena_strndup(x->a, msg.p, msg.n)
				      : arena_strndup(x->a, line.p, line.n);
			open = true;
		}
		if (open)
			buf_printf(&shown, "%.*s\n", STR_ARG(line));
	}
	if (!open)
		return;
	f.shown = arena_strdup(x->a, shown.p);
	vec_push(x->a, x->found, f);
}

static int by_place(const void *a, const void *b)
{
	const struct conf_finding *x = a, *y = b;
	if (x->pos.line != y->pos.line)
		return x->pos.line < y->pos.line ? -1 : 1;
	if (x->pos.col != y->pos.col)
		return x->pos.col < y->pos.col ? -1 : 1;
	return str_cmp(str_of(x->rule), str_of(y->rule));
}

static void compile_all(struct conf_ctx *x, const char *path, const struct conf_lint_req *req)
{
	for (size_t i = 0; i < req->n_archs; i++) {
		auto_err struct err err = ERR_INIT;
		struct config compiled;
		const struct compile_opts co = { .arch = req->archs[i],
			.pipeline_dirs = req->pipeline_dirs, .build_options = req->build_options };
		if (config_arch_wanted(x->c, co.arch) &&
			!config_compile(x->c, &co, x->a, &compiled, &err))
			add_error(x, path, "compile", err.msg);
	}
}

bool conf_lint(const char *path, const struct conf_lint_req *req, struct arena *a,
	struct conf_findings *ret, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_FILE);
	auto_err struct err problems = ERR_INIT;
	struct config c;
	struct conf_ctx x = { .c = &c, .found = ret, .a = a };
	if (!file_read(path, &text, err))
		return false;
	if (!config_parse(buf_str(&text), path, req->load, a, &c, &problems)) {
		add_error(&x, path, "load", problems.msg);
		return true;
	}
	x.src = c.doc->src;
	compile_all(&x, path, req);
	conf_package_rules(&x);
	conf_step_rules(&x);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(ret->v[0]), by_place);
	return true;
}
