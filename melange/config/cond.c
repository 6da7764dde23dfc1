#include "melange/config/cond.h"

#include "shared/base/buf.h"

#define MAX_DEPTH 100

struct parser {
	struct str text;
	size_t at;
	struct pos pos;
	struct arena *arena;
	struct diags *diags;
	unsigned depth;
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

static bool problem(struct parser *p, const char *what)
{
	diags_add(p->diags, p->pos, "%s at position %zu of '%.*s'", what, p->at, STR_ARG(p->text));
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

static bool parse_value(struct parser *p, struct str *ret)
{
	if (at_end(p))
		return problem(p, "unexpected end of input");
	char quote = p->text.p[p->at];
	if (quote != '\'' && quote != '"') {
		diags_add(p->diags, p->pos, "unexpected character '%c' at position %zu of '%.*s'\n"
			"hint: texts stand in quotes, variables as ${{name}}", quote, p->at,
			STR_ARG(p->text));
		return false;
	}
	auto_buf struct buf out = BUF_INIT(1 << 20);
	for (size_t i = p->at + 1; i < p->text.n; i++) {
		char c = p->text.p[i];
		if (c == quote) {
			p->at = i + 1;
			*ret = arena_str(p->arena, buf_str(&out));
			return true;
		}
		if (c == '\\' && i + 1 < p->text.n)
			add_escaped(&out, p->text.p[++i]);
		else
			buf_addc(&out, c);
	}
	return problem(p, "unterminated string literal");
}

static bool parse_compare(struct parser *p, bool *ret)
{
	struct str left, right;
	if (!parse_value(p, &left))
		return false;
	if (at_end(p))
		return problem(p, "expected comparison operator");
	bool equal = accept(p, S("=="));
	if (!equal && !accept(p, S("!="))) {
		struct str got = str_sub(p->text, p->at, 2);
		diags_add(p->diags, p->pos,
			"expected '==' or '!=' at position %zu, got \"%.*s\", in '%.*s'", p->at,
			STR_ARG(got), STR_ARG(p->text));
		return false;
	}
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

/* Both sides are always parsed, whatever the left one says. */
static bool parse_expr(struct parser *p, bool *ret)
{
	bool value;
	if (!parse_atom(p, &value))
		return false;
	for (;;) {
		bool right, both = accept(p, S("&&"));
		if (!both && !accept(p, S("||")))
			break;
		if (!parse_atom(p, &right))
			return false;
		value = both ? value && right : value || right;
	}
	*ret = value;
	return true;
}

bool cond_eval(struct ystr text, struct arena *a, struct diags *diags, bool *ret)
{
	struct parser p = {
		.text = text.s,
		.pos = text.at ? text.at->pos : (struct pos){ 0 },
		.arena = a,
		.diags = diags,
	};
	*ret = true;
	if (text.s.n == 0)
		return true;
	if (at_end(&p))
		return problem(&p, "unexpected end of input");
	if (!parse_expr(&p, ret))
		return false;
	if (at_end(&p))
		return true;
	diags_add(diags, p.pos, "unexpected trailing input at position %zu: \"%.*s\"", p.at,
		STR_ARG(str_from(p.text, p.at)));
	return false;
}
