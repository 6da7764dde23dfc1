#include "melange/plan/shellfmt_parse.h"

#include <string.h>

#include "shared/base/buf.h"

static struct sf_part *add_part(struct sf_parser *p, struct sf_word *w, enum sf_part_kind kind)
{
	struct sf_part *part = arena_new(p->a, struct sf_part);
	part->kind = kind;
	part->line = part->end_line = p->line;
	vec_push(p->a, w, part);
	return part;
}

/* Text from `start` up to here, as one part. */
static void text_part(struct sf_parser *p, struct sf_word *w, size_t start, unsigned line)
{
	if (p->i == start || p->failed)
		return;
	struct sf_part *part = add_part(p, w, SF_TEXT);
	part->text = str_sub(p->text, start, p->i - start);
	part->line = line;
}

/* Behind the opening quote, past the closing one. */
static void skip_single(struct sf_parser *p, bool escapes)
{
	while (p->i < p->text.n && p->text.p[p->i] != '\'') {
		if (escapes && p->text.p[p->i] == '\\')
			p->i++;
		p->line += sf_peek(p, 0) == '\n';
		p->i += p->i < p->text.n;
	}
	sf_expect(p, "'");
}

/* A single quote where shells disagree whether it quotes: taken when that makes no difference. */
static void skip_doubtful_single(struct sf_parser *p)
{
	p->i++;
	while (p->i < p->text.n && !strchr("'\"$`\\}{\n/", p->text.p[p->i]))
		p->i++;
	sf_expect(p, "'");
}

/* The commands between `...`, with one level of backslashes taken off. */
static void backticks(struct sf_parser *p, struct sf_word *w, bool quoted)
{
	struct sf_part *part = add_part(p, w, SF_COMMAND);
	auto_buf struct buf inner = BUF_INIT(p->text.n + 1);
	unsigned line = p->line;
	for (p->i++; p->i < p->text.n && sf_peek(p, 0) != '`'; p->i++) {
		char c = sf_peek(p, 0), next = sf_peek(p, 1);
		if (c == '\\' && (next == '`' || next == '\\' || next == '$' ||
				(quoted && next == '"'))) {
			p->i++;
			c = next;
		}
		p->line += c == '\n';
		buf_addc(&inner, c);
	}
	sf_expect(p, "`");
	part->end_line = p->line;
	struct str text = arena_str(p->a, buf_str(&inner));
	if (p->failed || !sf_parse(text, p->a, p->depth, line, &part->body))
		sf_fail(p);
}

static void commands_in_parens(struct sf_parser *p, struct sf_part *part)
{
	/* the bodies of documents announced outside do not begin in here */
	struct sf_redirs outer = p->heredocs;
	unsigned line = p->line;
	p->heredocs = (struct sf_redirs){ 0 };
	sf_statements(p, &part->body);
	if (p->heredocs.n || (outer.n && p->line != line))
		sf_fail(p);
	p->heredocs = outer;
	part->end_line = p->line;
	sf_expect(p, ")");
}

static void arithmetic_part(struct sf_parser *p, struct sf_word *w, const char *open,
	const char *close)
{
	struct sf_part *part = add_part(p, w, SF_ARITH);
	sf_expect(p, open);
	part->x = sf_arithmetic(p);
	sf_expect(p, close);
	if (!part->x || part->line != p->line)
		sf_fail(p);
}

static bool braced_name(struct sf_parser *p)
{
	size_t n = sf_name_length(p, 0);
	while (n == 0 && sf_peek(p, 0) >= '0' && sf_peek(p, 0) <= '9')
		p->i++;
	if (sf_peek(p, 0) == 0)
		return false;
	if (n == 0 && !sf_is_name(p->text.p[p->i - 1]) && strchr("@*#?$!-", sf_peek(p, 0)))
		n = 1;
	p->i += n;
	return n || sf_is_name(p->text.p[p->i - 1]);
}

static void braced_index(struct sf_parser *p, struct sf_part *part)
{
	sf_expect(p, "[");
	struct str all = str_sub(p->text, p->i, 2);
	if (str_is(all, "@]") || str_is(all, "*]")) {
		part->index = arena_new(p->a, struct sf_expr);
		part->index->op = str_sub(all, 0, 1);
		p->i++;
	} else {
		part->index = sf_arithmetic(p);
		if (!part->index)
			sf_fail(p);
	}
	sf_expect(p, "]");
}

static void slice(struct sf_parser *p, struct sf_part *part)
{
	sf_expect(p, ":");
	part->op = S(":");
	part->x = sf_arithmetic(p);
	if (!part->x)
		sf_fail(p);
	if (sf_take(p, ":")) {
		part->y = sf_arithmetic(p);
		if (!part->y)
			sf_fail(p);
	}
}

static void braced_operator(struct sf_parser *p, struct sf_part *part, bool quoted)
{
	static const char *const operators[] = { ":-", ":=", ":?", ":+", "-", "=", "?", "+", "##",
		"#", "%%", "%", "^^", "^", ",,", ",", "@" };
	if (sf_peek(p, 0) == '}')
		return;
	if (sf_peek(p, 0) == '/') {
		part->op = sf_take(p, "//") ? S("//") : S("/");
		if (part->op.n == 1)
			p->i++;
		part->inner = sf_word(p, quoted ? SF_PATTERN_QUOTED : SF_PATTERN);
		if (!part->inner)
			sf_fail(p);
		if (sf_take(p, "/"))
			part->second = sf_word(p, quoted ? SF_BRACED_QUOTED : SF_BRACED);
		return;
	}
	for (size_t k = 0; k < countof(operators); k++) {
		if (sf_take(p, operators[k])) {
			part->op = str_of(operators[k]);
			part->inner = sf_word(p, quoted ? SF_BRACED_QUOTED : SF_BRACED);
			return;
		}
	}
	if (sf_peek(p, 0) == ':')
		slice(p, part);
	else
		sf_fail(p);
}

/* ${...} */
static void braced(struct sf_parser *p, struct sf_word *w, bool quoted)
{
	struct sf_part *part = add_part(p, w, SF_PARAM);
	size_t start = p->i;
	p->i += 2;
	bool length = sf_peek(p, 0) == '#' && !strchr("}#%:-=?+/", sf_peek(p, 1));
	bool indirect = sf_peek(p, 0) == '!' && sf_is_name(sf_peek(p, 1));
	p->i += length || indirect;
	if (!braced_name(p)) {
		sf_fail(p);
		return;
	}
	if (indirect && (sf_looks(p, "*}") || sf_looks(p, "@}")))
		p->i++;
	part->text = str_sub(p->text, start, p->i - start);
	if (sf_peek(p, 0) == '[')
		braced_index(p, part);
	if (!length)
		braced_operator(p, part, quoted);
	part->end_line = p->line;
	sf_expect(p, "}");
}

/* From '$'; false when it stands for itself. */
static bool dollar(struct sf_parser *p, struct sf_word *w, bool quoted)
{
	size_t start = p->i;
	unsigned line = p->line;
	char next = sf_peek(p, 1);
	if (next == '(' && sf_peek(p, 2) == '(') {
		arithmetic_part(p, w, "$((", "))");
	} else if (next == '(') {
		struct sf_part *part = add_part(p, w, SF_COMMAND);
		p->i += 2;
		commands_in_parens(p, part);
	} else if (next == '[') {
		arithmetic_part(p, w, "$[", "]");
	} else if (next == '{') {
		braced(p, w, quoted);
	} else if (next == '\'' && !quoted) {
		p->i += 2;
		skip_single(p, true);
		text_part(p, w, start, line);
	} else if (sf_name_length(p, 1)) {
		p->i += 1 + sf_name_length(p, 1);
		text_part(p, w, start, line);
	} else if (next && strchr("@*#?$!-0123456789", next)) {
		p->i += 2;
		text_part(p, w, start, line);
	} else {
		return false;
	}
	return true;
}

static void double_quotes(struct sf_parser *p, struct sf_word *w, const char *open)
{
	struct sf_part *part = add_part(p, w, SF_DOUBLE);
	part->text = str_of(open);
	sf_expect(p, open);
	part->inner = sf_word(p, SF_QUOTED);
	part->end_line = p->line;
	sf_expect(p, "\"");
}

/* @(a|b) and its like, from the '(': simple ones only. */
static void extended_glob(struct sf_parser *p)
{
	unsigned open = 0;
	do {
		char c = sf_peek(p, 0);
		open += c == '(';
		open -= c == ')';
		if (!c || !(sf_is_name(c) || strchr("().*?|/+-!@[]", c))) {
			sf_fail(p);
			return;
		}
		p->i++;
	} while (open);
}

/* What is right of =~ may hold parentheses, blanks and bars within them. */
static bool regex_goes_on(char c, unsigned *parens)
{
	if (c == '(')
		(*parens)++;
	else if (c == ')' && *parens == 0)
		return false;
	else if (c == ')')
		(*parens)--;
	else if (c == ' ' || c == '\t')
		return *parens > 0;
	else if (c == '|')
		return true;
	else
		return !sf_ends_word(c);
	return true;
}

static bool word_ends(const struct sf_parser *p, enum sf_where where, unsigned *parens)
{
	char c = sf_peek(p, 0);
	switch (where) {
	case SF_PLAIN:
		return sf_ends_word(c);
	case SF_QUOTED:
		return c == '"';
	case SF_BRACED:
	case SF_BRACED_QUOTED:
		return c == '}';
	case SF_PATTERN:
	case SF_PATTERN_QUOTED:
		return c == '}' || c == '/';
	case SF_HEREDOC:
		return false;
	case SF_OPERATORS:
		return !sf_is_name(c) && !strchr("$\"'`#", c);
	case SF_REGEX:
		return !regex_goes_on(c, parens);
	}
	return true;
}

static bool is_quoted(enum sf_where where)
{
	return where == SF_QUOTED || where == SF_BRACED_QUOTED || where == SF_PATTERN_QUOTED ||
		where == SF_HEREDOC;
}

/* A part that is not literal text, if one begins here. */
static bool special_part(struct sf_parser *p, struct sf_word *w, enum sf_where where)
{
	bool quoted = is_quoted(where);
	size_t start = p->i;
	unsigned line = p->line;
	switch (sf_peek(p, 0)) {
	case '$':
		if (sf_peek(p, 1) == '"' && !quoted) {
			double_quotes(p, w, "$\"");
			return true;
		}
		return dollar(p, w, quoted);
	case '`':
		backticks(p, w, quoted);
		return true;
	case '"':
		if (where == SF_HEREDOC)
			return false;
		double_quotes(p, w, "\"");
		return true;
	case '\'':
		if (where == SF_QUOTED || where == SF_HEREDOC)
			return false;
		if (quoted) {
			skip_doubtful_single(p);
		} else {
			p->i++;
			skip_single(p, false);
		}
		text_part(p, w, start, line);
		return true;
	default:
		return false;
	}
}

static void literal_char(struct sf_parser *p, enum sf_where where)
{
	char c = sf_peek(p, 0);
	if (c == '\\') {
		if (p->i + 1 == p->text.n) {
			sf_fail(p);
			return;
		}
		p->i++;
	}
	p->line += sf_peek(p, 0) == '\n';
	p->i++;
	if (where == SF_PLAIN && strchr("@?*+!", c) && sf_peek(p, 0) == '(')
		extended_glob(p);
}

/* <(...) at the start of a word. */
static bool process_part(struct sf_parser *p, struct sf_word *w)
{
	if (!sf_looks(p, "<(") && !sf_looks(p, ">("))
		return false;
	struct sf_part *part = add_part(p, w, SF_PROCESS);
	part->text = str_sub(p->text, p->i, 2);
	p->i += 2;
	commands_in_parens(p, part);
	if (!sf_ends_word(sf_peek(p, 0)))
		sf_fail(p);
	return true;
}

/* Plain text and $x reach over the end of a line continued right behind them, quotes do not. */
static void reach_over(struct sf_parser *p, struct sf_word *w)
{
	struct sf_part *last = w->n ? w->v[w->n - 1] : NULL;
	if (last && last->kind == SF_TEXT && !str_starts(last->text, S("'")) &&
			!str_starts(last->text, S("$'")))
		last->end_line = p->line;
}

static void parts(struct sf_parser *p, struct sf_word *w, enum sf_where where)
{
	unsigned parens = 0;
	size_t start = p->i;
	unsigned line = p->line;
	while (!p->failed && p->i < p->text.n && !word_ends(p, where, &parens)) {
		bool continued = where != SF_QUOTED && where != SF_HEREDOC && sf_looks(p, "\\\n");
		if (!continued && !strchr("$`\"'", p->text.p[p->i])) {
			literal_char(p, where);
			continue;
		}
		text_part(p, w, start, line);
		start = p->i;
		line = p->line;
		if (continued) {
			/* a line continued within a word is joined */
			p->i += 2;
			p->line++;
			if (where != SF_PLAIN)
				sf_fail(p);
			else
				reach_over(p, w);
		} else if (!special_part(p, w, where)) {
			literal_char(p, where);
			continue;
		}
		start = p->i;
		line = p->line;
		/* to some a comment, to others a part of the word */
		if (where == SF_PLAIN && sf_peek(p, 0) == '#')
			sf_fail(p);
	}
	text_part(p, w, start, line);
}

struct sf_word *sf_word(struct sf_parser *p, enum sf_where where)
{
	struct sf_word *w = arena_new(p->a, struct sf_word);
	w->line = p->line;
	if (!sf_enter(p))
		return NULL;
	if (where != SF_PLAIN || !process_part(p, w))
		parts(p, w, where);
	p->depth--;
	if (w->n)
		w->line = w->v[0]->line;
	return p->failed || w->n == 0 ? NULL : w;
}

/* The body between here and the line that is the delimiter. */
static void heredoc_body(struct sf_parser *p, struct sf_redir *r)
{
	size_t start = p->i, end = start;
	unsigned line = p->line;
	for (;; line++) {
		if (end >= p->text.n) {
			sf_fail(p);
			return;
		}
		struct str l, rest;
		(void)str_cut(str_from(p->text, end), '\n', &l, &rest);
		struct str plain = l;
		while (r->strip_tabs && str_skip(&plain, S("\t")))
			;
		if (str_eq(plain, r->delimiter)) {
			struct str whole = p->text;
			p->text.n = end;
			if (r->quoted && end > start) {
				r->body = arena_new(p->a, struct sf_word);
				p->i = end;
				text_part(p, r->body, start, p->line);
				r->body->line = p->line;
			} else {
				r->body = sf_word(p, SF_HEREDOC);
			}
			p->text = whole;
			r->body_end = line;
			p->line = line;
			if (!p->failed)
				p->i = end + l.n;
			else
				p->i = p->text.n;
			return;
		}
		end += l.n + 1;
	}
}

/* At the start of a line. Leaves off before the line end of the last delimiter's line. */
void sf_heredoc_bodies(struct sf_parser *p)
{
	struct sf_redirs due = p->heredocs;
	p->heredocs = (struct sf_redirs){ 0 };
	for (size_t k = 0; k < due.n && !p->failed; k++) {
		if (k) {
			if (sf_peek(p, 0) != '\n')
				sf_fail(p);
			else
				p->i++, p->line++;
		}
		heredoc_body(p, due.v[k]);
	}
}
