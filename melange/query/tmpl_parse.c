#include "melange/query/tmpl_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/num.h"
#include "shared/text/utf8.h"

#define MAX_TEMPLATE ((size_t)1 << 20)

struct parser {
	struct str text;
	size_t i;
	unsigned depth;
	bool trim;		/* the last action ended in " -}}" */
	unsigned ranges;	/* around this place */
	struct strs vars;
	struct arena *a;
	struct err *err;
};

static struct tnode *fail(const struct parser *p, const char *fmt, ...) printf_like(2, 3);
static struct tnode *fail(const struct parser *p, const char *fmt, ...)
{
	va_list ap;
	size_t line = 1;
	char what[512];
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	for (size_t k = 0; k < p->i && k < p->text.n; k++)
		line += p->text.p[k] == '\n';
	err_set(p->err, EK_USAGE, "invalid template: template: query:%zu: %s", line, what);
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || (unsigned char)c >= 0x80;
}

static char peek(const struct parser *p)
{
	return p->i < p->text.n ? p->text.p[p->i] : '\0';
}

static bool at(const struct parser *p, struct str s)
{
	return str_starts(str_from(p->text, p->i), s);
}

static void blanks(struct parser *p)
{
	while (p->i < p->text.n && is_blank(p->text.p[p->i]))
		p->i++;
}

static bool at_close(const struct parser *p)
{
	return at(p, S("}}")) ||
		(at(p, S("-}}")) && p->i > 0 && is_blank(p->text.p[p->i - 1]));
}

static struct str word(struct parser *p)
{
	size_t from = p->i;
	while (p->i < p->text.n && is_word(p->text.p[p->i]))
		p->i++;
	return str_sub(p->text, from, p->i - from);
}

static struct tnode *node(const struct parser *p, enum tnode_kind kind, size_t from)
{
	struct tnode *n = arena_new(p->a, struct tnode);
	n->kind = kind;
	n->pos = from;
	n->text = str_sub(p->text, from, p->i - from);
	return n;
}

/* operands */

/* One character behind a backslash, or a whole numeric escape. */
static bool escape(struct parser *p, char quote, struct buf *out)
{
	static const char letters[] = "abfnrtv\\\"'", values[] = "\a\b\f\n\r\t\v\\\"'";
	char c = peek(p), utf8[4];
	const char *known = c ? strchr(letters, c) : NULL;
	if (known && !((c == '\'' || c == '"') && c != quote)) {
		p->i++;
		buf_addc(out, values[known - letters]);
		return true;
	}
	size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : c >= '0' && c <= '7' ? 3 : 0;
	bool octal = digits == 3;
	uint64_t n;
	if (digits == 0 || !num_u64(str_sub(p->text, p->i + !octal, digits), octal ? 8 : 16, &n) ||
		p->i + !octal + digits > p->text.n)
		return false;
	p->i += digits + !octal;
	if (c == 'u' || c == 'U') {
		if (n > 0x10ffff || (n >= 0xd800 && n < 0xe000))
			return false;
		buf_add(out, utf8, utf8_encode((uint32_t)n, utf8));
	} else {
		if (n > 0xff)
			return false;
		buf_addc(out, (char)n);
	}
	return true;
}

/* The text between quotes, which have been passed. */
static bool quoted(struct parser *p, char quote, struct buf *out)
{
	for (;;) {
		char c = peek(p);
		if (p->i >= p->text.n || (c == '\n' && quote != '`'))
			return fail(p, "unterminated %s",
				quote == '`' ? "raw quoted string" : quote == '"' ?
					"quoted string" : "character constant");
		p->i++;
		if (c == quote)
			return true;
		if (c != '\\' || quote == '`')
			buf_addc(out, c);
		else if (!escape(p, quote, out))
			return fail(p, "invalid syntax in a quoted string");
	}
}

static struct tnode *constant(const struct parser *p, size_t from, struct gval val)
{
	struct tnode *n = node(p, TN_CONST, from);
	n->val = val;
	return n;
}

static struct tnode *text_constant(struct parser *p)
{
	size_t from = p->i;
	char quote = p->text.p[p->i++];
	auto_buf struct buf b = BUF_INIT(MAX_TEMPLATE);
	uint32_t cp = 0;
	if (!quoted(p, quote, &b))
		return NULL;
	if (quote != '\'')
		return constant(p, from, gval_str(arena_str(p->a, buf_str(&b))));
	if (b.n == 0 || utf8_decode(buf_str(&b), &cp) != b.n)
		return fail(p, "malformed character constant: %.*s", (int)(p->i - from),
			p->text.p + from);
	return constant(p, from, gval_int(cp));
}

static struct tnode *number(struct parser *p)
{
	size_t from = p->i;
	if (peek(p) == '-' || peek(p) == '+')
		p->i++;
	while (p->i < p->text.n && (is_word(peek(p)) || peek(p) == '.'))
		p->i++;
	struct str s = str_sub(p->text, from, p->i - from), digits = s;
	bool minus = str_skip(&digits, S("-"));
	if (!minus)
		(void)str_skip(&digits, S("+"));
	unsigned base = 10;
	if (str_skip(&digits, S("0x")) || str_skip(&digits, S("0X")))
		base = 16;
	else if (str_skip(&digits, S("0b")) || str_skip(&digits, S("0B")))
		base = 2;
	else if (str_skip(&digits, S("0o")) || (digits.n > 1 && str_skip(&digits, S("0"))))
		base = 8;
	uint64_t n;
	if (!num_u64(digits, base, &n) || n > INT64_MAX)
		return fail(p, "bad number syntax: \"%.*s\" (whole numbers only)", STR_ARG(s));
	return constant(p, from, gval_int(minus ? -(int64_t)n : (int64_t)n));
}

static struct tnode *pipeline(struct parser *p, const char *context);

static struct tnode *parenthesised(struct parser *p)
{
	size_t from = p->i++;
	if (++p->depth > TMPL_DEPTH)
		return fail(p, "more than %d levels of nesting", TMPL_DEPTH);
	struct tnode *pipe = pipeline(p, "parenthesized pipeline");
	if (!pipe)
		return NULL;
	if (peek(p) != ')')
		return fail(p, "unclosed left paren");
	p->i++;
	p->depth--;
	struct tnode *n = node(p, TN_CHAIN, from);
	n->pipe = pipe;
	return n;
}

static bool declared(const struct parser *p, struct str name)
{
	return str_is(name, "$") || strs_has(&p->vars, name);
}

static struct tnode *named(struct parser *p)
{
	size_t from = p->i;
	if (peek(p) == '$') {
		p->i++;
		(void)word(p);
		struct tnode *n = node(p, TN_VAR, from);
		n->str = n->text;
		return declared(p, n->str) ? n
			: fail(p, "undefined variable \"%.*s\"", STR_ARG(n->str));
	}
	struct str w = word(p);
	if (str_is(w, "true") || str_is(w, "false"))
		return constant(p, from, gval_bool(str_is(w, "true")));
	if (str_is(w, "nil"))
		return constant(p, from, (struct gval){ .kind = GV_NIL });
	if (!tmpl_func(w))
		return fail(p, "function \"%.*s\" not defined", STR_ARG(w));
	struct tnode *n = node(p, TN_FUNC, from);
	n->str = w;
	return n;
}

/* A value without the fields behind it; NULL without an error where none begins. */
static struct tnode *term(struct parser *p)
{
	char c = peek(p);
	size_t from = p->i;
	if (c == '(')
		return parenthesised(p);
	if (c == '"' || c == '`' || c == '\'')
		return text_constant(p);
	if ((c >= '0' && c <= '9') || c == '-' || c == '+')
		return number(p);
	if (c == '$' || is_word(c))
		return named(p);
	if (c != '.')
		return NULL;
	p->i++;
	if (!is_word(peek(p)))
		return node(p, TN_DOT, from);
	struct str name = word(p);
	struct tnode *n = node(p, TN_FIELD, from);
	strs_push(p->a, &n->names, name);
	return n;
}

/* A value with its fields: .A.B, $x.A, (pipe).A */
static struct tnode *operand(struct parser *p)
{
	size_t from = p->i;
	struct tnode *n = term(p);
	if (!n)
		return NULL;
	bool chained = false;
	while (peek(p) == '.' && p->i + 1 < p->text.n && is_word(p->text.p[p->i + 1])) {
		if (n->kind == TN_CONST || n->kind == TN_FUNC || n->kind == TN_DOT)
			return fail(p, "unexpected . after term \"%.*s\"", STR_ARG(n->text));
		if (!chained)
			n->pos = p->i;	/* messages about a chain point behind its first name */
		chained = true;
		p->i++;
		strs_push(p->a, &n->names, word(p));
	}
	n->text = str_sub(p->text, from, p->i - from);
	return n;
}

static struct tnode *command(struct parser *p, const char *context)
{
	size_t from = p->i;
	struct tnode *cmd = node(p, TN_COMMAND, from);
	for (;;) {
		if (p->i >= p->text.n)
			return fail(p, "unclosed action");
		if (at_close(p) || peek(p) == '|' || peek(p) == ')')
			break;
		struct tnode *arg = operand(p);
		if (!arg)
			return p->err->msg ? NULL : fail(p, "unexpected \"%c\" in %s", peek(p), context);
		vec_push(p->a, &cmd->list, arg);
		cmd->text = str_sub(p->text, from, p->i - from);
		if (p->i < p->text.n && !is_blank(peek(p)) && !at_close(p) && peek(p) != '|' &&
			peek(p) != ')')
			return fail(p, "unexpected \"%c\" in operand", peek(p));
		blanks(p);
	}
	if (cmd->list.n == 0)
		return fail(p, "missing value for %s", context);
	return cmd;
}

/* "$x := ", "$i, $x := " or "$x = " at the front of a pipeline. */
static bool declaration(struct parser *p, struct tnode *pipe, bool range)
{
	size_t start = p->i;
	struct strs names = { 0 };
	while (peek(p) == '$' && names.n < 2) {
		size_t from = p->i++;
		(void)word(p);
		strs_push(p->a, &names, str_sub(p->text, from, p->i - from));
		blanks(p);
		if (peek(p) != ',')
			break;
		if (!range || names.n == 2)
			return fail(p, "too many declarations in %s", range ? "range" : "command");
		p->i++;
		blanks(p);
	}
	bool assign = at(p, S("=")), declare = at(p, S(":="));
	if (names.n == 0 || !(assign || declare)) {
		p->i = start;
		return true;
	}
	p->i += declare ? 2 : 1;
	blanks(p);
	for (size_t k = 0; k < names.n; k++) {
		if (declare)
			strs_push(p->a, &p->vars, names.v[k]);
		else if (!declared(p, names.v[k]))
			return fail(p, "undefined variable \"%.*s\"", STR_ARG(names.v[k]));
	}
	pipe->vars = names;
	pipe->assign = assign;
	return true;
}

static struct tnode *pipeline(struct parser *p, const char *context)
{
	blanks(p);
	size_t from = p->i;
	struct tnode *pipe = node(p, TN_PIPE, from);
	if (!declaration(p, pipe, str_is(str_of(context), "range")))
		return NULL;
	for (;;) {
		struct tnode *cmd = command(p, context);
		if (!cmd)
			return NULL;
		if (pipe->list.n && (cmd->list.v[0]->kind == TN_CONST || cmd->list.v[0]->kind == TN_DOT))
			return fail(p, "non executable command in pipeline stage %zu", pipe->list.n + 1);
		vec_push(p->a, &pipe->list, cmd);
		pipe->text = str_sub(p->text, from, cmd->text.p + cmd->text.n - (p->text.p + from));
		if (peek(p) != '|')
			return pipe;
		p->i++;
		blanks(p);
	}
}

/* actions */

static bool close_action(struct parser *p, const char *context)
{
	blanks(p);
	if (p->i >= p->text.n)
		return fail(p, "unclosed action");
	if (!at_close(p))
		return peek(p) == ')' ? fail(p, "unexpected right paren")
			: fail(p, "unexpected \"%c\" in %s", peek(p), context);
	p->trim = peek(p) == '-';
	p->i += p->trim ? 3 : 2;
	return true;
}

/* How a list of nodes ended. */
enum stop { STOP_EOF, STOP_END, STOP_ELSE };
static bool list(struct parser *p, struct tnodes *ret, enum stop *ret_stop);

static bool control(struct parser *p, enum tnode_kind kind, const char *name, size_t from,
	struct tnode **ret);

/* Behind {{else: the rest of an else-if or else-with is a list of one node. */
static bool else_part(struct parser *p, struct tnode *n, enum stop *stop)
{
	static const struct {
		const char *word;
		enum tnode_kind kind;
	} chained[] = { { "if", TN_IF }, { "with", TN_WITH } };
	blanks(p);
	size_t from = p->i;
	if (is_word(peek(p))) {
		struct str w = word(p);
		struct tnode *inner;
		for (size_t k = 0; k < countof(chained); k++) {
			if (!str_is(w, chained[k].word) || n->kind != chained[k].kind)
				continue;
			*stop = STOP_END;
			if (!control(p, n->kind, chained[k].word, from, &inner))
				return false;
			vec_push(p->a, &n->else_list, inner);
			return true;
		}
		return fail(p, "unexpected \"%.*s\" in else", STR_ARG(w));
	}
	return close_action(p, "else") && list(p, &n->else_list, stop);
}

static bool control(struct parser *p, enum tnode_kind kind, const char *name, size_t from,
	struct tnode **ret)
{
	enum stop stop;
	size_t vars = p->vars.n;
	if (++p->depth > TMPL_DEPTH)
		return fail(p, "more than %d levels of nesting", TMPL_DEPTH);
	struct tnode *n = node(p, kind, from);
	n->pipe = pipeline(p, name);
	p->ranges += kind == TN_RANGE;
	if (!n->pipe || !close_action(p, name) || !list(p, &n->list, &stop))
		return false;
	p->ranges -= kind == TN_RANGE;
	if (stop == STOP_ELSE && !else_part(p, n, &stop))
		return false;
	if (stop == STOP_ELSE)
		return fail(p, "expected end; found {{else}}");
	if (stop == STOP_EOF)
		return fail(p, "unexpected EOF");
	p->vars.n = vars;
	p->depth--;
	*ret = n;
	return true;
}

static bool comment(struct parser *p)
{
	long end = str_find(str_from(p->text, p->i), S("*/"));
	if (end < 0)
		return fail(p, "unclosed comment");
	p->i += (size_t)end + 2;
	blanks(p);
	return at_close(p) ? close_action(p, "comment")
		: (bool)fail(p, "comment ends before closing delimiter");
}

/* One action, behind its "{{"; ret stays NULL for what leaves no node. */
static bool action(struct parser *p, size_t from, struct tnode **ret, enum stop *stop, bool *stopped)
{
	blanks(p);
	if (at(p, S("/*")))
		return comment(p);
	size_t start = p->i;
	struct str w = word(p);
	static const struct {
		const char *word;
		enum tnode_kind kind;
	} controls[] = { { "if", TN_IF }, { "with", TN_WITH }, { "range", TN_RANGE } };
	for (size_t k = 0; k < countof(controls); k++)
		if (str_is(w, controls[k].word))
			return control(p, controls[k].kind, controls[k].word, from, ret);
	*stopped = str_is(w, "end") || str_is(w, "else");
	*stop = str_is(w, "end") ? STOP_END : STOP_ELSE;
	if (*stopped)
		return *stop == STOP_ELSE || close_action(p, "end");
	if (str_is(w, "break") || str_is(w, "continue")) {
		if (!p->ranges)
			return fail(p, "{{%.*s}} outside {{range}}", STR_ARG(w));
		*ret = node(p, str_is(w, "break") ? TN_BREAK : TN_CONTINUE, from);
		return close_action(p, "command");
	}
	if (str_is(w, "define") || str_is(w, "template") || str_is(w, "block"))
		return fail(p, "{{%.*s}} is not supported in queries", STR_ARG(w));
	p->i = start;
	struct tnode *pipe = pipeline(p, "command");
	*ret = node(p, TN_ACTION, from);
	(*ret)->pipe = pipe;
	return pipe && close_action(p, "command");
}

/* Plain text up to the next action, trimmed as the actions at both ends ask. */
static void plain(struct parser *p, struct tnodes *ret)
{
	long n = str_find(str_from(p->text, p->i), S("{{"));
	size_t from = p->i, end = n < 0 ? p->text.n : p->i + (size_t)n;
	p->i = end;
	struct str s = str_sub(p->text, from, end - from);
	if (p->trim)
		while (s.n && is_blank(s.p[0]))
			s = str_from(s, 1);
	p->trim = false;
	if (n >= 0 && end + 3 < p->text.n && p->text.p[end + 2] == '-' && is_blank(p->text.p[end + 3]))
		while (s.n && is_blank(s.p[s.n - 1]))
			s.n--;
	if (s.n == 0)
		return;
	struct tnode *t = node(p, TN_TEXT, from);
	t->str = s;
	vec_push(p->a, ret, t);
}

static bool list(struct parser *p, struct tnodes *ret, enum stop *ret_stop)
{
	for (;;) {
		plain(p, ret);
		if (p->i >= p->text.n) {
			*ret_stop = STOP_EOF;
			return true;
		}
		size_t from = p->i;
		struct tnode *n = NULL;
		bool stopped = false;
		p->i += 2;
		if (peek(p) == '-' && p->i + 1 < p->text.n && is_blank(p->text.p[p->i + 1]))
			p->i++;
		if (!action(p, from, &n, ret_stop, &stopped))
			return false;
		if (stopped)
			return true;
		if (n)
			vec_push(p->a, ret, n);
	}
}

bool tmpl_parse(struct str text, struct arena *a, const struct tmpl **ret, struct err *err)
{
	struct parser p = { .text = text, .a = a, .err = err };
	struct tmpl *t = arena_new(a, struct tmpl);
	enum stop stop;
	if (text.n > MAX_TEMPLATE)
		return err_set(err, EK_USAGE, "the template is larger than %zu bytes", MAX_TEMPLATE);
	t->text = text;
	if (!list(&p, &t->list, &stop))
		return false;
	if (stop != STOP_EOF)
		return fail(&p, "unexpected {{%s}}", stop == STOP_END ? "end" : "else");
	*ret = t;
	return true;
}
