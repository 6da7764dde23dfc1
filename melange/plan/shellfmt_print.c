#include "melange/plan/shellfmt_print.h"

static void print_stmt(struct sf_printer *p, const struct sf_stmt *s);

static void print_list(struct sf_printer *p, const struct sf_stmts *list)
{
	bool apart = p->break_due || (list->n && list->v[0]->line > p->line);
	for (size_t k = 0; k < list->n; k++) {
		sf_breaks(p, list->v[k]->line);
		p->line = list->v[k]->line;
		print_stmt(p, list->v[k]);
		p->break_due = true;
	}
	if (list->n == 1 && !apart)
		p->break_due = false;
}

void sf_print_nested(struct sf_printer *p, const struct sf_stmts *list, unsigned closing)
{
	sf_deeper(p);
	if (list->n > 1 || (list->n == 1 && closing > p->line && list->v[0]->end_line < closing))
		p->break_due = true;
	print_list(p, list);
	sf_shallower(p);
}

static void print_redir(struct sf_printer *p, const struct sf_redir *r)
{
	sf_space_if_due(p);
	sf_put(p, r->fd);
	sf_put(p, r->op);
	p->gap = SF_GAP_DUE;
	sf_print_word(p, r->word);
	if (r->is_heredoc)
		vec_push(p->a, &p->heredocs, (struct sf_redir *)r);
}

/* Prints the command's words; returns how many redirections were printed among them: those that
 * stand before the first two words. */
static size_t print_simple(struct sf_printer *p, const struct sf_cmd *c,
	const struct sf_redirs *redirs)
{
	size_t done = 0;
	sf_print_assigns(p, &c->assigns);
	for (size_t k = 0; k < 2 && k < c->words.n; k++) {
		for (; done < redirs->n; done++) {
			const struct sf_redir *r = redirs->v[done];
			if (r->offset > c->offsets[k] || r->is_heredoc)
				break;
			if (r->line > p->line || c->words.v[k]->line > p->line)
				p->refused = true;
			print_redir(p, r);
		}
		if (k == 0)
			sf_print_words(p, c->words.v, 1);
	}
	if (c->words.n > 1)
		sf_print_words(p, c->words.v + 1, c->words.n - 1);
	return done;
}

static void print_binary(struct sf_printer *p, const struct sf_cmd *c)
{
	print_stmt(p, c->x);
	if (c->y->line <= p->line) {
		sf_token(p, c->text);
		sf_reach(p, c->y->line);
		print_stmt(p, c->y);
		return;
	}
	bool indent = !p->in_chain;
	if (indent)
		sf_deeper(p);
	sf_token(p, c->text);
	p->line = c->mid_line;
	sf_break(p, c->y->line);
	sf_indent(p);
	sf_reach(p, c->y->line);
	p->in_chain = c->y->cmd && c->y->cmd->kind == SF_BINARY;
	print_stmt(p, c->y);
	if (indent)
		sf_shallower(p);
	p->in_chain = false;
}

static void print_if(struct sf_printer *p, const struct sf_cmd *c)
{
	for (;;) {
		sf_print_nested(p, &c->cond, 0);
		sf_separated(p, "then", c->mid_line);
		const struct sf_cmd *other = c->other;
		sf_print_nested(p, &c->body, other ? other->line : c->end_line);
		if (!other) {
			sf_closing(p, "fi", c->end_line);
			return;
		}
		if (other->kind == SF_BLOCK) {
			sf_closing(p, "else", other->line);
			sf_print_nested(p, &other->body, c->end_line);
			sf_closing(p, "fi", c->end_line);
			return;
		}
		sf_closing(p, "elif", other->line);
		c = other;
	}
}

static void print_do(struct sf_printer *p, const struct sf_cmd *c)
{
	sf_separated(p, "do", c->mid_line);
	sf_print_nested(p, &c->body, c->end_line);
	sf_closing(p, "done", c->end_line);
}

static void print_for(struct sf_printer *p, const struct sf_cmd *c)
{
	sf_token(p, c->text);
	sf_token(p, c->name);
	if (c->has_in) {
		sf_token(p, S("in"));
		sf_print_words(p, c->words.v, c->words.n);
	}
	print_do(p, c);
}

static void print_for_arith(struct sf_printer *p, const struct sf_cmd *c)
{
	sf_token(p, S("for (("));
	for (size_t k = 0; k < 3; k++) {
		if (c->e[k])
			sf_print_expr(p, c->e[k], false);
		else if (k == 0)
			sf_puts(p, " ");
		sf_puts(p, k < 2 ? "; " : "))");
	}
	p->gap = SF_GAP_DUE;
	print_do(p, c);
}

static void print_case_item(struct sf_printer *p, const struct sf_case *item)
{
	size_t n = item->body.n;
	sf_breaks(p, item->line);
	for (size_t k = 0; k < item->patterns.n; k++) {
		if (k)
			sf_token(p, S("|"));
		sf_space_if_due(p);
		sf_print_word(p, item->patterns.v[k]);
	}
	sf_puts(p, ")");
	p->gap = SF_GAP_DUE;
	bool apart = n > 1 || (n && item->body.v[0]->line > p->line) ||
		item->op_line > (n ? item->body.v[n - 1]->end_line : p->line);
	sf_print_nested(p, &item->body, item->op_line);
	p->level++;
	if (apart) {
		sf_breaks(p, item->op_line);
		p->break_due = true;
	}
	sf_token(p, item->op);
	sf_reach(p, item->op_line);
	p->ended = true;
	p->level--;
}

static void print_case(struct sf_printer *p, const struct sf_cmd *c)
{
	sf_token(p, S("case"));
	sf_space_if_due(p);
	sf_print_word(p, c->words.v[0]);
	sf_reach(p, c->mid_line);
	sf_token(p, S("in"));
	p->break_due = c->cases.n == 0;
	for (size_t k = 0; k < c->cases.n; k++) {
		if (!sf_wants_break(p, c->cases.v[k]->line))
			sf_space_if_due(p);
		print_case_item(p, c->cases.v[k]);
	}
	sf_closing(p, "esac", c->end_line);
}

static void print_subshell(struct sf_printer *p, const struct sf_cmd *c)
{
	sf_space_if_due(p);
	sf_puts(p, "(");
	sf_print_in_parens(p, &c->body, c->line, c->end_line);
}

static void print_function(struct sf_printer *p, const struct sf_cmd *c)
{
	if (c->text.n)
		sf_token(p, c->text);
	sf_token(p, c->name);
	if (c->has_parens)
		sf_puts(p, "()");
	sf_reach(p, c->x->line);
	print_stmt(p, c->x);
}

static void print_block(struct sf_printer *p, const struct sf_cmd *c)
{
	sf_token(p, S("{"));
	sf_print_nested(p, &c->body, c->end_line);
	sf_closing(p, "}", c->end_line);
}

static size_t print_command(struct sf_printer *p, const struct sf_cmd *c,
	const struct sf_redirs *redirs)
{
	switch (c->kind) {
	case SF_SIMPLE:
		return print_simple(p, c, redirs);
	case SF_DECLARE:
		sf_token(p, c->text);
		sf_print_assigns(p, &c->assigns);
		break;
	case SF_BINARY:
		print_binary(p, c);
		break;
	case SF_BLOCK:
		print_block(p, c);
		break;
	case SF_SUBSHELL:
		print_subshell(p, c);
		break;
	case SF_IF:
		sf_token(p, S("if"));
		print_if(p, c);
		break;
	case SF_WHILE:
		sf_token(p, c->text);
		sf_print_nested(p, &c->cond, 0);
		print_do(p, c);
		break;
	case SF_FOR:
		print_for(p, c);
		break;
	case SF_FOR_ARITH:
		print_for_arith(p, c);
		break;
	case SF_CASE:
		print_case(p, c);
		break;
	case SF_FUNCTION:
		print_function(p, c);
		break;
	case SF_TEST:
		sf_token(p, S("[["));
		sf_deeper(p);
		sf_print_test(p, c->e[0]);
		sf_shallower(p);
		sf_token(p, S("]]"));
		break;
	case SF_ARITHMETIC:
		sf_token(p, S("(("));
		sf_print_expr(p, c->e[0], false);
		sf_puts(p, "))");
		break;
	case SF_TIME:
		sf_token(p, c->text);
		print_stmt(p, c->x);
		break;
	}
	return 0;
}

static void print_stmt(struct sf_printer *p, const struct sf_stmt *s)
{
	size_t done = 0;
	p->ended = false;
	if (s->negated)
		sf_token(p, S("!"));
	if (s->cmd)
		done = print_command(p, s->cmd, &s->redirs);
	sf_deeper(p);
	for (; done < s->redirs.n; done++) {
		if (sf_wants_break(p, s->redirs.v[done]->line))
			sf_continue_line(p);
		print_redir(p, s->redirs.v[done]);
	}
	if (s->background) {
		sf_puts(p, " &");
		p->ended = true;
		p->gap = SF_GAP_DUE;
	}
	sf_shallower(p);
}

bool sf_print_statement(struct buf *out, struct arena *a, struct sf_stmt *s)
{
	struct sf_printer p = { .out = out, .a = a, .first_line = true };
	struct sf_stmts one = { .v = &s, .n = 1, .cap = 1 };
	print_list(&p, &one);
	sf_flush_heredocs(&p);
	buf_addc(out, '\n');
	return !p.refused;
}
