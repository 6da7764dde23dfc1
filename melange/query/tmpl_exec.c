#include <inttypes.h>

#include "melange/query/gofmt.h"
#include "melange/query/tmpl_int.h"
#include "shared/base/match.h"

struct var {
	struct str name;
	struct gval val;
};
struct exec {
	const struct tmpl *t;
	VEC(struct var) vars;
	const struct tnode *at;	/* what messages name */
	size_t steps;
	struct arena *a;
	struct buf *out;
	struct err *err;
};

/* How a list of nodes was left. */
enum flow { FLOW_FAILED, FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

/* Puts Go's words for the place in front of the message that is set. */
static bool placed(const struct exec *x)
{
	size_t line = 1, col = 0;
	for (size_t i = 0; i < x->at->pos; i++) {
		bool newline = x->t->text.p[i] == '\n';
		line += newline;
		col = newline ? 0 : col + 1;
	}
	return err_wrap(x->err, "error executing template: template: query:%zu:%zu: "
		"executing \"query\" at <%.*s>", line, col, STR_ARG(x->at->text));
}

static bool step(struct exec *x)
{
	if (++x->steps <= TMPL_STEPS && x->a->used <= TMPL_MEMORY && !x->out->over)
		return true;
	err_set(x->err, EK_USAGE, "the template asks for too much: no more than %d steps, %zu bytes "
		"of work and %zu bytes of output are allowed", TMPL_STEPS, TMPL_MEMORY, x->out->max);
	return placed(x);
}

/* Fields */

static bool no_field(const struct exec *x, struct gval v, struct str name)
{
	struct strs names = gval_names(v, x->a);
	err_set(x->err, EK_USAGE, "can't evaluate field %.*s in type %s", STR_ARG(name),
		gval_type(v, x->a));
	placed(x);
	if (names.n == 0)
		return false;
	const char **list = arena_array(x->a, const char *, names.n);
	for (size_t i = 0; i < names.n; i++)
		list[i] = names.v[i].p;
	const char *near = match_nearest(name, list, names.n);
	if (near)
		return err_hint(x->err, "did you mean %s?", near);
	auto_buf struct buf b = BUF_INIT(1 << 16);
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", list[i]);
	return err_hint(x->err, "it has %s", b.p);
}

static bool pipe_value(struct exec *x, struct gval dot, const struct tnode *pipe, struct gval *ret);
static bool operand(struct exec *x, struct gval dot, const struct tnode *n, struct gval *ret);

/* The arguments of a method: texts. */
static bool call_method(struct exec *x, const struct gmethod *m, struct gval receiver,
	const struct gval *args, size_t n, struct gval *ret)
{
	struct str texts[2];
	if (n != m->nargs) {
		err_set(x->err, EK_USAGE, "wrong number of args for %s: want %u got %zu", m->name,
			m->nargs, n);
		return placed(x);
	}
	for (size_t i = 0; i < n; i++) {
		if (args[i].kind != GV_STR) {
			err_set(x->err, EK_USAGE, "wrong type for value; expected string; got %s",
				gval_type(args[i], x->a));
			return placed(x);
		}
		texts[i] = args[i].s;
	}
	if (m->call(receiver.p, texts, x->a, ret, x->err))
		return true;
	err_wrap(x->err, "error calling %s", m->name);
	return placed(x);
}

static bool field(struct exec *x, struct gval v, struct str name, const struct gval *args, size_t n,
	struct gval *ret)
{
	const struct gmethod *m = gval_method(v, name);
	if (m)
		return call_method(x, m, v, args, n, ret);
	if (n) {
		err_set(x->err, EK_USAGE, "%.*s is not a method but has arguments", STR_ARG(name));
		return placed(x);
	}
	if (v.kind == GV_KVS || v.kind == GV_MAP) {
		*ret = gval_get(v, name);
		return true;
	}
	if (v.kind == GV_NONE || v.kind == GV_NIL) {
		err_set(x->err, EK_USAGE, "nil data; no entry for key \"%.*s\"", STR_ARG(name));
		return placed(x);
	}
	if (v.kind == GV_STRUCT && !v.p && v.pointer) {
		err_set(x->err, EK_USAGE, "nil pointer evaluating %s.%.*s", gval_type(v, x->a),
			STR_ARG(name));
		placed(x);
		return err_hint(x->err, "ask for it inside {{with}} or {{if}}");
	}
	return (v.kind == GV_STRUCT && gval_field(v, name, x->a, ret)) || no_field(x, v, name);
}

/* A chain of names; the arguments go to the last one. */
static bool fields(struct exec *x, struct gval v, const struct tnode *n, const struct gval *args,
	size_t nargs, struct gval *ret)
{
	x->at = n;
	for (size_t i = 0; i < n->names.n; i++) {
		bool last = i + 1 == n->names.n;
		if (!field(x, v, n->names.v[i], last ? args : NULL, last ? nargs : 0, &v))
			return false;
	}
	*ret = v;
	return true;
}

static struct var *find_var(struct exec *x, struct str name)
{
	for (size_t i = x->vars.n; i-- > 0;)
		if (str_eq(x->vars.v[i].name, name))
			return &x->vars.v[i];
	return &x->vars.v[0];	/* the parser has seen to it that it is declared */
}

/* Commands */

/* and, or: the first value that decides; what follows is not evaluated. */
static bool decide(struct exec *x, struct gval dot, const struct tnodes *in,
	const struct gval *piped, bool until, struct gval *ret)
{
	for (size_t i = 0; i < in->n; i++) {
		if (!operand(x, dot, in->v[i], ret))
			return false;
		if (gval_true(*ret) == until)
			return true;
	}
	if (piped)
		*ret = *piped;
	return true;
}

/* The arguments of a command, and what was piped into it behind them. */
static bool arguments(struct exec *x, struct gval dot, const struct tnodes *in,
	const struct gval *piped, struct gval **ret, size_t *ret_n)
{
	struct gval *args = arena_array(x->a, struct gval, in->n + 1);
	size_t n = in->n;
	for (size_t i = 0; i < n; i++)
		if (!operand(x, dot, in->v[i], &args[i]))
			return false;
	if (piped)
		args[n++] = *piped;
	*ret = args;
	*ret_n = n;
	return true;
}

static bool wrong_count(const struct exec *x, const struct tfunc *f, size_t n)
{
	err_set(x->err, EK_USAGE, "wrong number of args for %s: want %s%u got %zu", f->name,
		f->most ? "" : "at least ", f->least, n);
	return placed(x);
}

/* The function called `name`; `at` is what messages show. */
static bool call(struct exec *x, struct gval dot, const struct tnode *at, struct str name,
	const struct tnodes *in, const struct gval *piped, struct gval *ret)
{
	const struct tfunc *f = tmpl_func(name);
	struct gval *args;
	size_t n = in->n + (piped != NULL);
	x->at = at;
	if (n < f->least || (f->most && n > f->most))
		return wrong_count(x, f, n);
	if (!f->call)
		return decide(x, dot, in, piped, str_is(name, "or"), ret);
	if (!arguments(x, dot, in, piped, &args, &n))
		return false;
	x->at = at;
	if (f->call(args, n, x->a, ret, x->err))
		return true;
	err_wrap(x->err, "error calling %s", f->name);
	return placed(x);
}

static bool operand(struct exec *x, struct gval dot, const struct tnode *n, struct gval *ret)
{
	if (!step(x))
		return false;
	switch (n->kind) {
	case TN_DOT:
		*ret = dot;
		return true;
	case TN_CONST:
		*ret = n->val;
		return true;
	case TN_FIELD:
		return fields(x, dot, n, NULL, 0, ret);
	case TN_VAR:
		return fields(x, find_var(x, n->str)->val, n, NULL, 0, ret);
	case TN_CHAIN:
		return pipe_value(x, dot, n->pipe, ret) && fields(x, *ret, n, NULL, 0, ret);
	default:
		return call(x, dot, n, n->str, &(const struct tnodes){ 0 }, NULL, ret);
	}
}

static bool command(struct exec *x, struct gval dot, const struct tnode *cmd,
	const struct gval *piped, struct gval *ret)
{
	const struct tnode *first = cmd->list.v[0];
	struct gval *args, base;
	size_t n;
	if (!step(x))
		return false;
	x->at = first;
	const struct tnodes in = { cmd->list.v + 1, cmd->list.n - 1, 0 };
	if (first->kind == TN_FUNC)
		return call(x, dot, cmd, first->str, &in, piped, ret);
	if (first->names.n) {
		if (first->kind == TN_CHAIN && !pipe_value(x, dot, first->pipe, &base))
			return false;
		if (first->kind != TN_CHAIN)
			base = first->kind == TN_VAR ? find_var(x, first->str)->val : dot;
		return arguments(x, dot, &in, piped, &args, &n) &&
			fields(x, base, first, args, n, ret);
	}
	if (cmd->list.n > 1 || piped) {
		err_set(x->err, EK_USAGE, "can't give argument to non-function %.*s",
			STR_ARG(first->text));
		return placed(x);
	}
	if (first->kind == TN_CONST && first->val.kind == GV_NIL) {
		err_set(x->err, EK_USAGE, "nil is not a command");
		return placed(x);
	}
	return operand(x, dot, first, ret);
}

static bool commands(struct exec *x, struct gval dot, const struct tnode *pipe, struct gval *ret)
{
	struct gval val = { .kind = GV_NONE };
	for (size_t i = 0; i < pipe->list.n; i++) {
		struct gval piped = val;
		if (!command(x, dot, pipe->list.v[i], i ? &piped : NULL, &val))
			return false;
	}
	*ret = val;
	return true;
}

static bool pipe_value(struct exec *x, struct gval dot, const struct tnode *pipe, struct gval *ret)
{
	if (!commands(x, dot, pipe, ret))
		return false;
	for (size_t i = 0; i < pipe->vars.n; i++) {
		if (pipe->assign)
			find_var(x, pipe->vars.v[i])->val = *ret;
		else
			vec_push(x->a, &x->vars, (struct var){ pipe->vars.v[i], *ret });
	}
	return true;
}

/* Lists */

static enum flow list(struct exec *x, struct gval dot, const struct tnodes *nodes);

static enum flow branch(struct exec *x, struct gval dot, const struct tnode *n)
{
	struct gval v;
	if (!pipe_value(x, dot, n->pipe, &v))
		return FLOW_FAILED;
	if (gval_true(v) || (v.kind == GV_STRUCT && !v.pointer))
		return list(x, n->kind == TN_WITH ? v : dot, &n->list);
	return list(x, dot, &n->else_list);
}

static void set_range_vars(struct exec *x, const struct tnode *pipe, struct gval key, struct gval item)
{
	bool two = pipe->vars.n == 2;
	for (size_t i = 0; i < pipe->vars.n; i++) {
		struct gval val = two && i == 0 ? key : item;
		if (pipe->assign)
			find_var(x, pipe->vars.v[i])->val = val;
		else
			vec_push(x->a, &x->vars, (struct var){ pipe->vars.v[i], val });
	}
}

/* How often a range goes round: lists, maps, and numbers from 0. */
static bool range_count(const struct exec *x, struct gval v, size_t *ret)
{
	if (v.kind == GV_INT || v.kind == GV_UINT) {
		*ret = v.kind == GV_INT && v.i < 0 ? 0 : (size_t)v.u;
		return true;
	}
	if (v.kind == GV_NONE || v.kind == GV_NIL) {
		*ret = 0;
		return true;
	}
	if (v.kind != GV_STR && gval_len(v, ret))
		return true;
	auto_buf struct buf b = BUF_INIT(256);
	gofmt_value(v, &b, x->a);
	err_set(x->err, EK_USAGE, "range can't iterate over %s", b.p ? b.p : "");
	return placed(x);
}

static enum flow range(struct exec *x, struct gval dot, const struct tnode *n)
{
	struct gval v;
	size_t count, vars = x->vars.n;
	if (!commands(x, dot, n->pipe, &v) || !range_count(x, v, &count))
		return FLOW_FAILED;
	if (count == 0)
		return list(x, dot, &n->else_list);
	struct strs keys = gval_keys(v, x->a);
	for (size_t i = 0; i < count; i++) {
		struct gval key = gval_int((int64_t)i);
		if (keys.n)
			key = gval_str(keys.v[i]);
		struct gval item = keys.n ? gval_get(v, keys.v[i]) :
			v.kind == GV_STRS || v.kind == GV_LIST ? gval_item(v, i) : key;
		set_range_vars(x, n->pipe, key, item);
		if (!step(x))
			return FLOW_FAILED;
		enum flow f = list(x, item, &n->list);
		x->vars.n = vars;
		if (f == FLOW_FAILED)
			return f;
		if (f == FLOW_BREAK)
			break;
	}
	return FLOW_ON;
}

static enum flow run(struct exec *x, struct gval dot, const struct tnode *n)
{
	struct gval v;
	size_t vars = x->vars.n;
	enum flow f;
	switch (n->kind) {
	case TN_TEXT:
		buf_addstr(x->out, n->str);
		return FLOW_ON;
	case TN_BREAK:
		return FLOW_BREAK;
	case TN_CONTINUE:
		return FLOW_CONTINUE;
	case TN_IF:
	case TN_WITH:
		f = branch(x, dot, n);
		x->vars.n = vars;
		return f;
	case TN_RANGE:
		f = range(x, dot, n);
		x->vars.n = vars;
		return f;
	default:
		if (!pipe_value(x, dot, n->pipe, &v))
			return FLOW_FAILED;
		if (n->pipe->vars.n == 0)
			gofmt_value(v, x->out, x->a);
		return FLOW_ON;
	}
}

static enum flow list(struct exec *x, struct gval dot, const struct tnodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		x->at = nodes->v[i];
		if (!step(x))
			return FLOW_FAILED;
		enum flow f = run(x, dot, nodes->v[i]);
		if (f != FLOW_ON)
			return f;
	}
	return FLOW_ON;
}

bool tmpl_run(const struct tmpl *t, struct gval root, struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct exec x = { .t = t, .a = &a, .out = out, .err = err };
	vec_push(&a, &x.vars, (struct var){ S("$"), root });
	return list(&x, root, &t->list) != FLOW_FAILED && (!out->over ||
		err_set(err, EK_USAGE, "the output grows beyond %zu bytes", out->max));
}
