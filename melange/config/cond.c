#include "melange/config/cond.h"

#include "shared/base/buf.h"
#include "shared/base/log.h"

#define MAX_DEPTH 100

struct parser {
	const struct subst *x;
	struct ystr in;
	struct str text;	/* of in */
	size_t at;
	unsigned depth;
	bool variables_ok;
};

static void skip_space(struct parser *p)
{
	while (p->at < p->text.n && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t' ||
			p->text.p[p->at] == '\n' || p->text.p[p->at] == '\r'))
		p->at++;
}

static bool at_end(struct parser *p)
{
	skip_space(p);
	return p->at >= p->text.n;
}

static bool accept(struct parser *p, struct str token)
{
	skip_space(p);
	if (!str_starts(str_from(p->text, p->at), token))
		return false;
	p->at += token.n;
	return true;
}

static struct pos here(const struct parser *p)
{
	return subst_pos(p->x->diags, p->in, p->at);
}

static bool problem(struct parser *p, const char *what)
{
	diags_add(p->x->diags, here(p), "%s%s", what,
		at_end(p) ? ", found the end of the condition" : "");
	return false;
}

/* \\ \' \" \n \t are escapes; any other \c stays two characters. */
static void add_escaped(struct buf *out, char c)
{
	if (c == 'n' || c == 't') {
		buf_addc(out, c == 'n' ? '\n' : '\t');
	} else {
		if (c != '\\' && c != '\'' && c != '"')
			buf_addc(out, '\\');
		buf_addc(out, c);
	}
}

/* A token at the place where the parser stands. */
static bool variable(struct parser *p, struct str *ret)
{
	size_t end, problems = p->x->diags->list.n;
	if (!subst_token(p->x, p->in, p->at, ret, &end))
		return false;
	p->variables_ok &= p->x->diags->list.n == problems;
	p->at = end;
	return true;
}

static bool quoted(struct parser *p, struct str *ret)
{
	size_t start = p->at;
	char quote = p->text.p[p->at++];
	auto_buf struct buf out = BUF_INIT(1 << 20);
	while (p->at < p->text.n) {
		char c = p->text.p[p->at];
		struct str value;
		if (c == '$' && variable(p, &value)) {
			buf_addstr(&out, value);
			continue;
		}
		p->at++;
		if (c == quote) {
			*ret = arena_str(p->x->arena, buf_str(&out));
			return true;
		}
		/* tokens come first: a backslash before one escapes nothing */
		if (c == '\\' && p->at < p->text.n && !subst_is_token(p->text, p->at))
			add_escaped(&out, p->text.p[p->at++]);
		else
			buf_addc(&out, c);
	}
	diags_add(p->x->diags, subst_pos(p->x->diags, p->in, start),
		"unterminated string literal");
	return false;
}

static bool parse_value(struct parser *p, struct str *ret)
{
	if (at_end(p))
		return problem(p, "expected a string or variable");
	char c = p->text.p[p->at];
	if (c == '\'' || c == '"')
		return quoted(p, ret);
	if (c == '$' && variable(p, ret))
		return true;
	diags_add(p->x->diags, here(p), "expected a string or variable, found '%.*s'\n"
		"hint: texts stand in quotes, variables as ${{name}}",
		STR_ARG(str_sub(p->text, p->at, 20)));
	return false;
}

static bool parse_compare(struct parser *p, bool *ret)
{
	struct str left, right;
	if (!parse_value(p, &left))
		return false;
	bool equal = accept(p, S("=="));
	if (!equal && !accept(p, S("!=")))
		return problem(p, "expected '==' or '!='");
	if (!parse_value(p, &right))
		return false;
	*ret = str_eq(left, right) == equal;
	return true;
}

static bool parse_expr(struct parser *p, bool *ret);

static bool parse_atom(struct parser *p, bool *ret)
{
	if (!accept(p, S("(")))
		return parse_compare(p, ret);
	if (++p->depth > MAX_DEPTH)
		return problem(p, "too many parentheses");
	if (!parse_expr(p, ret))
		return false;
	p->depth--;
	return accept(p, S(")")) || problem(p, "expected ')'");
}

static bool parse_expr(struct parser *p, bool *ret)
{
	bool value, ands = false, ors = false;
	struct pos start = here(p);
	if (!parse_atom(p, &value))
		return false;
	for (;;) {
		bool right, both = accept(p, S("&&"));
		if (!both && !accept(p, S("||")))
			break;
		ands |= both;
		ors |= !both;
		if (!parse_atom(p, &right))
			return false;
		value = both ? value && right : value || right;
	}
	if (ands && ors)
		log_warn("%s:%d:%d: '&&' and '||' bind equally and from the left: use parentheses",
			start.file ? start.file : "", start.line, start.col);
	*ret = value;
	return true;
}

bool cond_eval(const struct subst *x, struct ystr text, bool *ret)
{
	struct parser p = { .x = x, .in = text, .text = text.s, .variables_ok = true };
	bool value = true;
	if (text.s.n == 0) {
		*ret = true;
		return true;
	}
	if (!parse_expr(&p, &value))
		return false;
	if (!at_end(&p)) {
		diags_add(x->diags, here(&p), "unexpected text after condition: \"%.*s\"",
			STR_ARG(str_sub(p.text, p.at, 40)));
		return false;
	}
	if (p.variables_ok)
		*ret = value;
	return p.variables_ok;
}
