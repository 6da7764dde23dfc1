#include "melange/plan/shellfmt_print.h"

#include <string.h>

static bool in_parens(const struct sf_cmd *c)
{
	return c && (c->kind == SF_SUBSHELL || c->kind == SF_ARITHMETIC);
}

static bool starts_with_paren(const struct sf_stmt *s)
{
	while (s->cmd && s->cmd->kind == SF_BINARY)
		s = s->cmd->x;
	return in_parens(s->cmd);
}

static bool ends_with_paren(const struct sf_stmt *s)
{
	while (s->cmd && s->cmd->kind == SF_BINARY && !s->background)
		s = s->cmd->y;
	return in_parens(s->cmd) && s->redirs.n == 0 && !s->background;
}

void sf_print_in_parens(struct sf_printer *p, const struct sf_stmts *list, unsigned open,
	unsigned closing)
{
	bool single = list->n == 1;
	p->gap = SF_GAP_NONE;
	if (single && list->v[0]->line <= p->line && starts_with_paren(list->v[0]))
		sf_space(p);
	sf_print_nested(p, list, closing);
	p->gap = SF_GAP_NONE;
	if (single && open == closing && ends_with_paren(list->v[0]))
		sf_space(p);
	sf_close_paren(p, closing);
}

void sf_print_parts(struct sf_printer *p, const struct sf_word *w)
{
	for (size_t k = 0; w && k < w->n; k++) {
		sf_print_part(p, w->v[k]);
		sf_reach(p, w->v[k]->end_line);
	}
}

static bool begins_with_sign(const struct sf_expr *e)
{
	while (e->kind == SF_INFIX || e->kind == SF_TERNARY || e->kind == SF_POSTFIX)
		e = e->x;
	return e->kind == SF_UNARY && (e->op.p[0] == '-' || e->op.p[0] == '+');
}

static void print_param(struct sf_printer *p, const struct sf_part *part)
{
	sf_put(p, part->text);
	if (part->index) {
		sf_puts(p, "[");
		if (part->index->op.n && part->index->kind == SF_OPERAND)
			sf_put(p, part->index->op);
		else
			sf_print_expr(p, part->index, false);
		sf_puts(p, "]");
	}
	sf_put(p, part->op);
	if (part->x) {
		/* ${x: -1} must not become ${x:-1} */
		if (begins_with_sign(part->x))
			sf_puts(p, " ");
		sf_print_expr(p, part->x, true);
	}
	if (part->y) {
		sf_puts(p, ":");
		sf_print_expr(p, part->y, true);
	}
	sf_print_parts(p, part->inner);
	if (str_starts(part->op, S("/"))) {
		sf_puts(p, "/");
		sf_print_parts(p, part->second);
	}
	sf_puts(p, "}");
}

void sf_print_part(struct sf_printer *p, const struct sf_part *part)
{
	switch (part->kind) {
	case SF_TEXT:
		sf_put(p, part->text);
		break;
	case SF_DOUBLE:
		sf_put(p, part->text);
		sf_print_parts(p, part->inner);
		sf_puts(p, "\"");
		break;
	case SF_PARAM:
		print_param(p, part);
		break;
	case SF_COMMAND:
		sf_puts(p, "$(");
		sf_print_in_parens(p, &part->body, part->line, part->end_line);
		break;
	case SF_PROCESS:
		sf_space_if_due(p);
		sf_put(p, part->text);
		sf_print_in_parens(p, &part->body, part->line, part->end_line);
		break;
	case SF_ARITH:
		sf_puts(p, "$((");
		sf_print_expr(p, part->x, false);
		sf_puts(p, "))");
		break;
	}
}

void sf_print_word(struct sf_printer *p, const struct sf_word *w)
{
	if (w->line > p->line)
		sf_continue_line(p);
	sf_print_parts(p, w);
	p->gap = SF_GAP_DUE;
}

void sf_print_words(struct sf_printer *p, struct sf_word *const *v, size_t n)
{
	bool broken = false;
	for (size_t k = 0; k < n; k++) {
		if (v[k]->line > p->line) {
			if (!broken)
				sf_deeper(p);
			broken = true;
			sf_continue_line(p);
		}
		sf_space_if_due(p);
		sf_print_word(p, v[k]);
	}
	if (broken)
		sf_shallower(p);
}

static void print_infix(struct sf_printer *p, const struct sf_expr *e, bool compact)
{
	bool comma = str_is(e->op, ",");
	sf_print_expr(p, e->x, compact);
	if (!compact && !comma)
		sf_puts(p, " ");
	sf_put(p, e->op);
	if (!compact)
		sf_puts(p, " ");
	sf_print_expr(p, e->y, compact);
}

void sf_print_expr(struct sf_printer *p, const struct sf_expr *e, bool compact)
{
	switch (e->kind) {
	case SF_OPERAND:
		sf_print_parts(p, e->word);
		break;
	case SF_INDEXED:
		sf_print_parts(p, e->word);
		sf_puts(p, "[");
		sf_print_expr(p, e->x, false);
		sf_puts(p, "]");
		break;
	case SF_UNARY:
		sf_put(p, e->op);
		if ((str_is(e->op, "!") && !compact) ||
				(e->x->kind == SF_UNARY && e->x->op.p[0] == e->op.p[0]))
			sf_puts(p, " ");
		sf_print_expr(p, e->x, compact);
		break;
	case SF_POSTFIX:
		sf_print_expr(p, e->x, compact);
		sf_put(p, e->op);
		break;
	case SF_INFIX:
		print_infix(p, e, compact);
		break;
	case SF_TERNARY:
		sf_print_expr(p, e->x, compact);
		sf_puts(p, compact ? "?" : " ? ");
		sf_print_expr(p, e->y, compact);
		sf_puts(p, compact ? ":" : " : ");
		sf_print_expr(p, e->z, compact);
		break;
	case SF_PARENS:
		sf_puts(p, "(");
		sf_print_expr(p, e->x, compact);
		sf_puts(p, ")");
		break;
	}
}

void sf_print_test(struct sf_printer *p, const struct sf_expr *e)
{
	switch (e->kind) {
	case SF_UNARY:
		sf_token(p, e->op);
		sf_print_test(p, e->x);
		break;
	case SF_INFIX:
		sf_print_test(p, e->x);
		sf_token(p, e->op);
		if (e->y_line > p->line)
			sf_breaks(p, e->y_line);
		sf_print_test(p, e->y);
		break;
	case SF_PARENS:
		sf_space_if_due(p);
		sf_puts(p, "(");
		p->gap = SF_GAP_NONE;
		sf_print_test(p, e->x);
		sf_puts(p, ")");
		p->gap = SF_GAP_DUE;
		break;
	default:
		sf_space_if_due(p);
		sf_print_word(p, e->word);
	}
}

static void print_index(struct sf_printer *p, const struct sf_expr *index)
{
	if (!index)
		return;
	sf_puts(p, "[");
	sf_print_expr(p, index, false);
	sf_puts(p, "]");
}

static void print_array(struct sf_printer *p, const struct sf_assign *as)
{
	p->gap = SF_GAP_NONE;
	sf_puts(p, "(");
	sf_deeper(p);
	for (size_t k = 0; k < as->elements.n; k++) {
		const struct sf_element *el = &as->elements.v[k];
		if (el->line > p->line)
			sf_breaks(p, el->line);
		else
			sf_space_if_due(p);
		print_index(p, el->index);
		if (el->index)
			sf_puts(p, "=");
		sf_print_word(p, el->value);
	}
	sf_shallower(p);
	sf_close_paren(p, as->end_line);
}

void sf_print_assigns(struct sf_printer *p, const struct sf_assigns *list)
{
	sf_deeper(p);
	for (size_t k = 0; k < list->n; k++) {
		const struct sf_assign *as = list->v[k];
		if (sf_wants_break(p, as->line))
			sf_continue_line(p);
		else
			sf_space_if_due(p);
		sf_put(p, as->name);
		print_index(p, as->index);
		sf_put(p, as->op);
		if (as->value) {
			sf_reach(p, as->value->line);
			sf_print_word(p, as->value);
		} else if (as->is_array) {
			print_array(p, as);
		}
		p->gap = SF_GAP_DUE;
	}
	sf_shallower(p);
}
