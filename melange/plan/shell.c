#include "melange/plan/shell.h"

#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/vec.h"

#define MAX_NESTING 200

enum context {
	PLAIN,		/* commands: the top, $(...), `...` */
	DOUBLE,		/* "..." */
	BRACE,		/* ${...} */
	ARITH,		/* $((...)) and ((...)) */
};

struct level {
	enum context context;
	char closer;		/* of PLAIN: ')' or '`' or 0 at the top */
	size_t opened;		/* where, for messages */
	unsigned parens;	/* open '(' inside */
	bool in_test;		/* behind [[, before its ]] */
	size_t test_at;
	unsigned cases;		/* open case ... esac inside: their ')' close patterns */
	bool in_quotes;		/* BRACE: directly inside a double-quoted text */
};

struct heredoc {
	struct str delimiter;
	bool strip_tabs;
	size_t at;
};

struct stripper {
	struct str text;
	size_t i;
	struct buf out;
	size_t line_start;	/* of the current line in out */
	bool line_plain;	/* the current line began outside quotes and here-documents */
	struct level stack[MAX_NESTING];
	size_t depth;
	size_t told_at;		/* where it is known whether a word may begin: */
	bool told;
	size_t floor;		/* of out: what may not be trimmed */
	VEC(struct heredoc) heredocs;
	struct arena *a;
	struct shell_problem bad;
};

static struct level *top(struct stripper *s)
{
	return &s->stack[s->depth - 1];
}

static bool fail(struct stripper *s, const char *what, size_t at)
{
	s->bad = (struct shell_problem){ what, at };
	return false;
}

static bool push(struct stripper *s, enum context context, char closer, size_t at)
{
	if (s->depth == MAX_NESTING)
		return fail(s, "quotes and brackets are nested too deeply", at);
	bool in_quotes = s->depth && top(s)->context == DOUBLE;
	s->stack[s->depth++] = (struct level){ .context = context, .closer = closer, .opened = at,
		.in_quotes = in_quotes };
	return true;
}

static char peek(const struct stripper *s, size_t ahead)
{
	return s->i + ahead < s->text.n ? s->text.p[s->i + ahead] : 0;
}

static void copy(struct stripper *s, size_t n)
{
	buf_addstr(&s->out, str_sub(s->text, s->i, n));
	s->i += n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether a word may begin here, so that '#' starts a comment. */
static bool at_word_start(const struct stripper *s)
{
	if (s->i && s->i == s->told_at)
		return s->told;
	char c = s->i ? s->text.p[s->i - 1] : '\n';
	return is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' ||
		c == '`';
}

/* What stands here goes on as the word before it, or does not. */
static void tell(struct stripper *s, bool word_start)
{
	s->told_at = s->i;
	s->told = word_start;
}

static void trim_line(struct stripper *s)
{
	while (s->out.n > s->line_start && s->out.n > s->floor && is_blank(s->out.p[s->out.n - 1]))
		s->out.n--;
}

/* At a line's end outside quotes: a line that holds nothing is dropped. */
static void end_line(struct stripper *s)
{
	size_t keep = s->out.n;
	trim_line(s);
	if (!(s->line_plain && s->out.n == s->line_start)) {
		s->out.n = keep;
		buf_addc(&s->out, '\n');
	}
	s->i++;
	s->line_start = s->out.n;
	s->line_plain = true;
}

static void skip_comment(struct stripper *s)
{
	trim_line(s);
	while (s->i < s->text.n && s->text.p[s->i] != '\n')
		s->i++;
}

static bool single_quotes(struct stripper *s, bool escapes)
{
	size_t at = s->i, end = s->i + 1;
	while (end < s->text.n && s->text.p[end] != '\'')
		end += escapes && s->text.p[end] == '\\' ? 2 : 1;
	if (end >= s->text.n)
		return fail(s, "unterminated single quote", at);
	copy(s, end + 1 - s->i);
	return true;
}

/* The word behind << or <<-, without its quotes. */
static bool start_heredoc(struct stripper *s)
{
	struct heredoc h = { .at = s->i };
	copy(s, 2);
	if (peek(s, 0) == '-') {
		h.strip_tabs = true;
		copy(s, 1);
	}
	while (peek(s, 0) == ' ' || peek(s, 0) == '\t')
		copy(s, 1);
	auto_buf struct buf word = BUF_INIT(4096);
	char quote = 0;
	for (; s->i < s->text.n; copy(s, 1)) {
		char c = peek(s, 0);
		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (!quote && (is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' ||
				c == '<' || c == '>' || c == '(' || c == ')' || c == '`')) {
			break;
		} else if (!quote && c == '\\') {
			copy(s, 1);
			buf_addc(&word, peek(s, 0));
		} else {
			buf_addc(&word, c);
		}
	}
	if (word.n == 0)
		return fail(s, "here-document without a delimiter", h.at);
	h.delimiter = arena_str(s->a, buf_str(&word));
	vec_push(s->a, &s->heredocs, h);
	return true;
}

/* Bodies of the here-documents announced on the line that just ended. */
static bool heredoc_bodies(struct stripper *s)
{
	for (size_t k = 0; k < s->heredocs.n; k++) {
		const struct heredoc *h = &s->heredocs.v[k];
		bool closed = false;
		while (!closed && s->i < s->text.n) {
			struct str line = str_from(s->text, s->i), rest;
			(void)str_cut(line, '\n', &line, &rest);
			struct str plain = line;
			while (h->strip_tabs && str_skip(&plain, S("\t")))
				;
			closed = str_eq(plain, h->delimiter);
			copy(s, line.n);
			if (s->i < s->text.n)
				copy(s, 1);
			else
				buf_addc(&s->out, '\n');
		}
		if (!closed)
			return fail(s, "unterminated here-document", h->at);
	}
	if (s->heredocs.n)
		s->floor = s->out.n;
	s->heredocs.n = 0;
	s->line_start = s->out.n;
	s->line_plain = true;
	return true;
}

static bool dollar(struct stripper *s)
{
	size_t at = s->i;
	if (peek(s, 1) == '(' && peek(s, 2) == '(') {
		copy(s, 3);
		return push(s, ARITH, ')', at);
	}
	if (peek(s, 1) == '(') {
		copy(s, 2);
		return push(s, PLAIN, ')', at);
	}
	if (peek(s, 1) == '{') {
		copy(s, 2);
		/* ${#x}: the length, no comment */
		if (peek(s, 0) == '#')
			copy(s, 1);
		return push(s, BRACE, '}', at);
	}
	if (peek(s, 1) == '\'' && top(s)->context == PLAIN) {
		copy(s, 1);
		return single_quotes(s, true);
	}
	copy(s, 1);
	return true;
}

static bool word_here(const struct stripper *s, struct str word)
{
	struct str rest = str_from(s->text, s->i);
	if (!str_starts(rest, word))
		return false;
	char c = rest.n > word.n ? rest.p[word.n] : '\n';
	return is_blank(c) || c == '\n' || c == ';' || c == ')' || c == '&' || c == '|' || c == '`';
}

/* ((...)) as a command, told from nested subshells by its closing "))" on the same line. */
static bool arithmetic_command(const struct stripper *s)
{
	if (peek(s, 1) != '(' || !at_word_start(s))
		return false;
	struct str line, rest;
	(void)str_cut(str_from(s->text, s->i), '\n', &line, &rest);
	return str_find(line, S("))")) >= 0;
}

/* Whether a command may begin here. */
static bool at_command(const struct stripper *s)
{
	static const char *const before[] = { "if", "then", "elif", "else", "while", "until", "do",
		"time" };
	size_t end = s->i, start;
	while (end && is_blank(s->text.p[end - 1]))
		end--;
	if (end == 0 || strchr("\n;&|(){!`", s->text.p[end - 1]))
		return true;
	for (start = end; start && is_name_char(s->text.p[start - 1]); start--)
		;
	for (size_t k = 0; k < countof(before); k++)
		if (str_is(str_sub(s->text, start, end - start), before[k]))
			return true;
	return false;
}

/* [[ and ]] are words of their own: "x]]" closes nothing. */
static void follow_test(struct stripper *s)
{
	struct level *l = top(s);
	if (l->in_test) {
		l->in_test = !word_here(s, S("]]"));
	} else if (word_here(s, S("[[")) && at_command(s)) {
		l->in_test = true;
		l->test_at = s->i;
	}
}

/* Behind a substitution its word goes on. */
static void close_level(struct stripper *s)
{
	if (s->text.p[top(s)->opened] != '(')
		tell(s, false);
	s->depth--;
}

static bool close_paren(struct stripper *s)
{
	struct level *l = top(s);
	copy(s, 1);
	if (l->parens)
		l->parens--;
	else if (l->closer == ')' && !l->cases && l->in_test)
		return fail(s, "unterminated [[", l->test_at);
	else if (l->closer == ')' && !l->cases)
		close_level(s);
	return true;
}

/* A backslash joins two lines, or makes the next character part of a word. */
static void backslash(struct stripper *s)
{
	bool joins = peek(s, 1) == '\n', start = joins && at_word_start(s);
	if (joins)
		s->line_plain = s->line_plain && s->out.n > s->line_start;
	copy(s, s->i + 1 < s->text.n ? 2 : 1);
	tell(s, start);
	if (!joins)
		s->floor = s->out.n;
}

static bool plain_char(struct stripper *s)
{
	char c = peek(s, 0);
	size_t at = s->i;
	if (at_word_start(s)) {
		if (c == '#') {
			skip_comment(s);
			return true;
		}
		follow_test(s);
		if (word_here(s, S("case"))) {
			top(s)->cases++;
		} else if (word_here(s, S("esac")) && top(s)->cases) {
			top(s)->cases--;
		}
	}
	switch (c) {
	case '\n':
		end_line(s);
		return heredoc_bodies(s);
	case '\\':
		backslash(s);
		return true;
	case '\'':
		return single_quotes(s, false);
	case '"':
		copy(s, 1);
		return push(s, DOUBLE, '"', at);
	case '`':
		copy(s, 1);
		if (top(s)->closer == '`') {
			close_level(s);
			return true;
		}
		return push(s, PLAIN, '`', at);
	case '$':
		return dollar(s);
	case '<':
		if (peek(s, 1) == '<' && peek(s, 2) == '<') {
			copy(s, 3);
			return true;
		}
		if (peek(s, 1) == '<')
			return start_heredoc(s);
		break;
	case '(':
		if (arithmetic_command(s)) {
			copy(s, 2);
			return push(s, ARITH, ')', at);
		}
		top(s)->parens++;
		break;
	case ')':
		return close_paren(s);
	}
	copy(s, 1);
	return true;
}

static bool quoted_char(struct stripper *s)
{
	struct level *l = top(s);
	char c = peek(s, 0);
	size_t at = s->i;
	if (c == '\\' && s->i + 1 < s->text.n) {
		copy(s, 2);
		return true;
	}
	if (c == '$')
		return dollar(s);
	if (c == '`') {
		copy(s, 1);
		return push(s, PLAIN, '`', at);
	}
	if (l->context == DOUBLE) {
		copy(s, 1);
		s->depth -= c == '"';
		return true;
	}
	if (c == '"') {
		copy(s, 1);
		return push(s, DOUBLE, '"', at);
	}
	if (c == '\'' && !l->in_quotes)
		return single_quotes(s, false);
	if (l->context == BRACE) {
		copy(s, 1);
		s->depth -= c == '}';
		return true;
	}
	if (c == '(') {
		l->parens++;
	} else if (c == ')' && l->parens) {
		l->parens--;
	} else if (c == ')' && peek(s, 1) == ')') {
		copy(s, 2);
		close_level(s);
		return true;
	}
	copy(s, 1);
	return true;
}

static bool run(struct stripper *s)
{
	if (str_starts(s->text, S("#!"))) {
		long nl = str_chr(s->text, '\n');
		if (nl >= 0)
			copy(s, (size_t)nl + 1);
		s->line_start = s->out.n;
	}
	if (!push(s, PLAIN, 0, 0))
		return false;
	while (s->i < s->text.n) {
		bool plain = top(s)->context == PLAIN;
		bool line_end = peek(s, 0) == '\n';
		if (!(plain ? plain_char(s) : quoted_char(s)))
			return false;
		if (!plain && line_end) {
			s->line_start = s->out.n;
			s->line_plain = false;
		}
	}
	if (s->depth > 1) {
		static const char *const what[] = { "unterminated command substitution",
			"unterminated double quote", "unterminated ${", "unterminated arithmetic" };
		return fail(s, what[top(s)->context], top(s)->opened);
	}
	if (top(s)->in_test)
		return fail(s, "unterminated [[", top(s)->test_at);
	return s->heredocs.n == 0 ||
		fail(s, "unterminated here-document", s->heredocs.v[0].at);
}

static struct str finish(struct stripper *s)
{
	struct str out = buf_str(&s->out);
	while (out.n > s->floor && (is_blank(out.p[out.n - 1]) || out.p[out.n - 1] == '\n'))
		out.n--;
	if (out.n == 0)
		return STR_NONE;
	s->out.n = out.n;
	if (out.p[out.n - 1] != '\n')
		buf_addc(&s->out, '\n');
	return arena_str(s->a, buf_str(&s->out));
}

bool shell_strip(struct str text, struct arena *a, struct str *ret, struct shell_problem *ret_bad)
{
	struct stripper *s = arena_new(a, struct stripper);
	s->text = text;
	s->a = a;
	s->line_plain = true;
	buf_init(&s->out, 2 * text.n + 1024);
	bool ok = run(s);
	if (ok)
		*ret = finish(s);
	else
		*ret_bad = s->bad;
	buf_release(&s->out);
	return ok;
}

bool shell_uses_name(struct str text, struct str name)
{
	for (;;) {
		long at = str_find(text, name);
		if (at < 0)
			return false;
		struct str behind = str_from(text, (size_t)at + name.n);
		bool starts = at == 0 || !is_name_char(text.p[at - 1]);
		if (starts && (behind.n == 0 || !is_name_char(behind.p[0])))
			return true;
		text = behind;
	}
}
