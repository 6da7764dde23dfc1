#include "melange/plan/shellfmt_parse.h"

#include <string.h>

#include "shared/base/buf.h"

/* Length of the "name=", "name+=" or "name[...]=" that stands here, 0 if none. */
static size_t assignment_here(struct sf_parser *p)
{
	size_t n = sf_name_length(p, 0);
	if (n == 0)
		return 0;
	if (sf_peek(p, n) == '[') {
		bool blanks = false;
		do {
			n++;
			blanks |= sf_peek(p, n) == ' ';
		} while (sf_peek(p, n) && !strchr("\t\n;&|<>()\"'`\\]", sf_peek(p, n)));
		bool closed = sf_peek(p, n) == ']';
		n++;
		if (!closed || (blanks && sf_peek(p, n) != '=' && sf_peek(p, n) != '+')) {
			sf_fail(p);
			return 0;
		}
	}
	n += sf_peek(p, n) == '+';
	return sf_peek(p, n) == '=' ? n + 1 : 0;
}

static void array_elements(struct sf_parser *p, struct sf_assign *as)
{
	as->is_array = true;
	sf_expect(p, "(");
	for (;;) {
		sf_newlines(p);
		struct sf_element el = { .line = p->line };
		if (sf_take(p, ")") || p->failed)
			break;
		if (sf_take(p, "[")) {
			el.index = sf_arithmetic(p);
			sf_expect(p, "]=");
		}
		el.value = sf_word(p, SF_PLAIN);
		if (!el.value) {
			sf_fail(p);
			break;
		}
		vec_push(p->a, &as->elements, el);
	}
}

static void assignment(struct sf_parser *p, struct sf_assign *as)
{
	as->line = p->line;
	as->name = str_sub(p->text, p->i, sf_name_length(p, 0));
	p->i += as->name.n;
	if (sf_take(p, "[")) {
		as->index = sf_arithmetic(p);
		sf_expect(p, "]");
	}
	as->op = sf_take(p, "+=") ? S("+=") : S("=");
	if (as->op.n == 1)
		sf_expect(p, "=");
	if (sf_peek(p, 0) == '(')
		array_elements(p, as);
	else if (sf_looks(p, "<(") || sf_looks(p, ">("))
		sf_fail(p);
	else
		as->value = sf_word(p, SF_PLAIN);
	if (!sf_ends_word(sf_peek(p, 0)) || sf_peek(p, 0) == '(')
		sf_fail(p);
	as->end_line = p->line;
}

static const char *redirection_operator(struct sf_parser *p)
{
	static const char *const operators[] = { "&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", ">>",
		">|", ">&", "<", ">" };
	if (sf_looks(p, "<(") || sf_looks(p, ">("))
		return NULL;
	for (size_t k = 0; k < countof(operators); k++) {
		if (sf_take(p, operators[k]))
			return operators[k];
	}
	return NULL;
}

/* The delimiter without its quotes. */
static void delimiter(struct sf_parser *p, struct sf_redir *r, size_t start)
{
	auto_buf struct buf plain = BUF_INIT(p->i - start + 1);
	for (size_t k = start; k < p->i; k++) {
		char c = p->text.p[k];
		if (c == '\'' || c == '"' || c == '\\') {
			r->quoted = true;
			if (c == '\\' && k + 1 < p->i)
				buf_addc(&plain, p->text.p[++k]);
		} else if (!sf_is_name(c) && !strchr("-+.!@%_,:/=~^", c)) {
			sf_fail(p);
		} else {
			buf_addc(&plain, c);
		}
	}
	r->delimiter = arena_str(p->a, buf_str(&plain));
	if (plain.n == 0)
		sf_fail(p);
}

bool sf_redirection(struct sf_parser *p, struct sf_redirs *list)
{
	size_t start = p->i, digits = 0;
	while (sf_peek(p, digits) >= '0' && sf_peek(p, digits) <= '9')
		digits++;
	char c = sf_peek(p, digits);
	if (c != '<' && c != '>' && !(digits == 0 && c == '&' && sf_peek(p, 1) == '>'))
		return false;
	p->i += digits;
	const char *op = redirection_operator(p);
	if (!op) {
		p->i = start;
		return false;
	}
	struct sf_redir *r = arena_new(p->a, struct sf_redir);
	r->fd = str_sub(p->text, start, digits);
	r->op = str_of(op);
	r->offset = start;
	r->line = p->line;
	r->is_heredoc = str_is(r->op, "<<") || str_is(r->op, "<<-");
	r->strip_tabs = str_is(r->op, "<<-");
	sf_blanks(p);
	size_t word_start = p->i;
	r->word = sf_word(p, SF_PLAIN);
	if (!r->word || r->word->line != r->line) {
		sf_fail(p);
		return true;
	}
	r->spans = p->line != r->line;
	if (r->is_heredoc) {
		delimiter(p, r, word_start);
		vec_push(p->a, &p->heredocs, r);
	}
	vec_push(p->a, list, r);
	sf_blanks(p);
	return true;
}

static bool is_declaration(const struct sf_parser *p)
{
	static const char *const names[] = { "declare", "local", "export", "readonly", "typeset",
		"nameref" };
	for (size_t k = 0; k < countof(names); k++) {
		if (sf_looks_word(p, names[k]))
			return true;
	}
	return false;
}

static bool next_assignment(struct sf_parser *p, struct sf_cmd *c)
{
	if (assignment_here(p) == 0)
		return false;
	struct sf_assign *as = arena_new(p->a, struct sf_assign);
	assignment(p, as);
	vec_push(p->a, &c->assigns, as);
	sf_blanks(p);
	return true;
}

/* {fd}>file and `let` are other things than they seem. */
static void check_word(struct sf_parser *p, size_t start, bool first)
{
	struct str text = str_sub(p->text, start, p->i - start);
	char next = sf_peek(p, 0);
	if ((str_starts(text, S("{")) && (next == '<' || next == '>')) || next == '(')
		sf_fail(p);
	if (first && (str_is(text, "let") || str_is(text, "coproc") || str_is(text, "function") ||
			str_is(text, "time") || str_is(text, "!") || str_is(text, "in") ||
			str_is(text, "[[") || str_is(text, "]]")))
		sf_fail(p);
}

static void declaration_arguments(struct sf_parser *p, struct sf_stmt *s)
{
	struct sf_cmd *c = s->cmd;
	while (!p->failed) {
		if (sf_redirection(p, &s->redirs) || next_assignment(p, c))
			continue;
		struct sf_assign *as = arena_new(p->a, struct sf_assign);
		size_t start = p->i;
		as->line = p->line;
		as->value = sf_word(p, SF_PLAIN);
		if (!as->value)
			break;
		check_word(p, start, false);
		as->end_line = p->line;
		vec_push(p->a, &c->assigns, as);
		sf_blanks(p);
	}
}

static void arguments(struct sf_parser *p, struct sf_stmt *s)
{
	struct sf_cmd *c = s->cmd;
	while (!p->failed) {
		if (sf_redirection(p, &s->redirs) || (c->words.n == 0 && next_assignment(p, c)))
			continue;
		size_t start = p->i;
		struct sf_word *w = sf_word(p, SF_PLAIN);
		if (!w)
			break;
		check_word(p, start, c->words.n == 0);
		if (s->redirs.n && s->redirs.v[s->redirs.n - 1]->spans)
			sf_fail(p);
		if (c->words.n < 2)
			c->offsets[c->words.n] = start;
		vec_push(p->a, &c->words, w);
		sf_blanks(p);
	}
}

struct sf_stmt *sf_simple_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_SIMPLE);
	struct sf_stmt *s = sf_stmt_new(p, c);
	if (is_declaration(p)) {
		c->kind = SF_DECLARE;
		size_t n = 0;
		while (sf_is_name(sf_peek(p, n)))
			n++;
		c->text = str_sub(p->text, p->i, n);
		p->i += n;
		sf_blanks(p);
		declaration_arguments(p, s);
		return s;
	}
	arguments(p, s);
	for (size_t k = 0; k < c->assigns.n; k++) {
		/* no array can be set for a single command */
		if (c->words.n && c->assigns.v[k]->is_array)
			sf_fail(p);
	}
	if (c->words.n == 0 && c->assigns.n == 0) {
		s->cmd = NULL;
		if (s->redirs.n == 0)
			sf_fail(p);
	}
	return s;
}
