#include "melange/plan/shellfmt_parse.h"

#include <string.h>

static struct sf_expr *expr_new(struct sf_parser *p, enum sf_expr_kind kind, struct str op,
	struct sf_expr *x, struct sf_expr *y)
{
	struct sf_expr *e = arena_new(p->a, struct sf_expr);
	e->kind = kind;
	e->op = op;
	e->x = x;
	e->y = y;
	return e;
}

static void spaces(struct sf_parser *p)
{
	while (sf_peek(p, 0) == ' ' || sf_peek(p, 0) == '\t')
		p->i++;
}

/* Infix operators of arithmetic by rank, the weakest first; longer ones before their beginnings. */
static const struct {
	const char *op;
	int rank;
	bool right;	/* a = b = c is a = (b = c) */
} infix[] = {
	{ "<<=", 2, true }, { ">>=", 2, true }, { "**", 14, true }, { "&&", 5, false },
	{ "||", 4, false }, { "==", 9, false }, { "!=", 9, false }, { "<=", 10, false },
	{ ">=", 10, false }, { "<<", 11, false }, { ">>", 11, false }, { "+=", 2, true },
	{ "-=", 2, true }, { "*=", 2, true }, { "/=", 2, true }, { "%=", 2, true },
	{ "&=", 2, true }, { "|=", 2, true }, { "^=", 2, true }, { ",", 1, false },
	{ "=", 2, true }, { "|", 6, false }, { "^", 7, false }, { "&", 8, false },
	{ "<", 10, false }, { ">", 10, false }, { "+", 12, false }, { "-", 12, false },
	{ "*", 13, false }, { "/", 13, false }, { "%", 13, false },
};
#define ASSIGN_RANK 2
#define TERNARY_RANK 3
#define UNARY_RANK 15

static struct sf_expr *ranked(struct sf_parser *p, int rank);

static struct sf_expr *operand(struct sf_parser *p)
{
	struct sf_expr *e = expr_new(p, SF_OPERAND, STR_NONE, NULL, NULL);
	bool plain = sf_is_name(sf_peek(p, 0));
	e->word = sf_word(p, SF_OPERATORS);
	if (!e->word) {
		sf_fail(p);
		return NULL;
	}
	if (plain && sf_take(p, "[")) {
		e->kind = SF_INDEXED;
		e->x = ranked(p, 1);
		spaces(p);
		sf_expect(p, "]");
	}
	spaces(p);
	if (sf_looks(p, "++") || sf_looks(p, "--")) {
		struct str op = str_sub(p->text, p->i, 2);
		p->i += 2;
		e = expr_new(p, SF_POSTFIX, op, e, NULL);
	}
	return e;
}

static struct sf_expr *prefixed(struct sf_parser *p)
{
	static const char *const operators[] = { "++", "--", "!", "~", "+", "-" };
	if (!sf_enter(p))
		return NULL;
	struct sf_expr *e = NULL;
	spaces(p);
	for (size_t k = 0; !e && k < countof(operators); k++) {
		if (sf_take(p, operators[k]))
			e = expr_new(p, SF_UNARY, str_of(operators[k]), prefixed(p), NULL);
	}
	if (!e && sf_take(p, "(")) {
		e = expr_new(p, SF_PARENS, STR_NONE, ranked(p, 1), NULL);
		spaces(p);
		sf_expect(p, ")");
	} else if (!e) {
		e = operand(p);
	}
	p->depth--;
	return e;
}

static int infix_here(const struct sf_parser *p)
{
	for (size_t k = 0; k < countof(infix); k++) {
		if (sf_looks(p, infix[k].op))
			return (int)k;
	}
	return -1;
}

static struct sf_expr *ternary(struct sf_parser *p, struct sf_expr *condition)
{
	struct sf_expr *e = expr_new(p, SF_TERNARY, STR_NONE, condition, NULL);
	e->y = ranked(p, 1);
	spaces(p);
	sf_expect(p, ":");
	e->z = ranked(p, TERNARY_RANK);
	return e;
}

/* An expression of operators that bind at least as tightly as `rank`. */
static struct sf_expr *ranked(struct sf_parser *p, int rank)
{
	if (!sf_enter(p))
		return NULL;
	struct sf_expr *e = prefixed(p);
	for (unsigned k = 0; !p->failed; k++) {
		if (k == SF_MAX_CHAIN)
			sf_fail(p);
		spaces(p);
		if (rank <= TERNARY_RANK && sf_take(p, "?")) {
			e = ternary(p, e);
			continue;
		}
		int found = infix_here(p);
		if (found < 0 || infix[found].rank < rank)
			break;
		bool assigns = infix[found].rank == ASSIGN_RANK;
		if (assigns && e->kind != SF_INDEXED && e->kind != SF_OPERAND)
			sf_fail(p);
		p->i += strlen(infix[found].op);
		struct sf_expr *right = ranked(p, infix[found].rank + !infix[found].right);
		e = expr_new(p, SF_INFIX, str_of(infix[found].op), e, right);
	}
	p->depth--;
	return p->failed ? NULL : e;
}

struct sf_expr *sf_arithmetic(struct sf_parser *p)
{
	unsigned line = p->line;
	struct sf_expr *e = ranked(p, 1);
	spaces(p);
	if (p->line != line)
		sf_fail(p);
	return p->failed ? NULL : e;
}

static struct sf_expr *either(struct sf_parser *p);

static struct sf_expr *test_word(struct sf_parser *p, enum sf_where where)
{
	struct sf_expr *e = expr_new(p, SF_OPERAND, STR_NONE, NULL, NULL);
	e->word = sf_word(p, where);
	if (!e->word)
		sf_fail(p);
	sf_blanks(p);
	return e;
}

static const char *binary_test(struct sf_parser *p)
{
	static const char *const operators[] = { "==", "=~", "=", "!=", "-eq", "-ne", "-lt", "-le",
		"-gt", "-ge", "-nt", "-ot", "-ef", "<", ">" };
	for (size_t k = 0; k < countof(operators); k++) {
		if (sf_take_word(p, operators[k]))
			return operators[k];
	}
	return NULL;
}

static struct sf_expr *simple_test(struct sf_parser *p)
{
	bool unary = sf_peek(p, 0) == '-' && strchr("abcdefghknoprstuvwxzGLNORS", sf_peek(p, 1)) &&
		(sf_peek(p, 2) == ' ' || sf_peek(p, 2) == '\t');
	if (unary) {
		struct str op = str_sub(p->text, p->i, 2);
		p->i += 2;
		sf_blanks(p);
		if (sf_looks_word(p, "]]"))
			sf_fail(p);
		struct sf_expr *e = expr_new(p, SF_UNARY, op, test_word(p, SF_PLAIN), NULL);
		return e;
	}
	struct sf_expr *e = test_word(p, SF_PLAIN);
	const char *op = binary_test(p);
	if (!op)
		return e;
	sf_blanks(p);
	if (sf_looks_word(p, "]]"))
		sf_fail(p);
	struct sf_expr *right = test_word(p, strcmp(op, "=~") == 0 ? SF_REGEX : SF_PLAIN);
	return expr_new(p, SF_INFIX, str_of(op), e, right);
}

static struct sf_expr *negated_test(struct sf_parser *p)
{
	if (!sf_enter(p))
		return NULL;
	struct sf_expr *e;
	sf_blanks(p);
	if (sf_take_word(p, "!")) {
		e = expr_new(p, SF_UNARY, S("!"), negated_test(p), NULL);
	} else if (sf_take(p, "(")) {
		e = expr_new(p, SF_PARENS, STR_NONE, either(p), NULL);
		sf_expect(p, ")");
		sf_blanks(p);
	} else {
		e = sf_looks_word(p, "]]") ? NULL : simple_test(p);
		if (!e)
			sf_fail(p);
	}
	p->depth--;
	return e;
}

static struct sf_expr *chained(struct sf_parser *p, const char *op,
	struct sf_expr *(*next)(struct sf_parser *p))
{
	struct sf_expr *e = next(p);
	for (unsigned k = 0; !p->failed && sf_take(p, op); k++) {
		if (k == SF_MAX_CHAIN)
			sf_fail(p);
		sf_newlines(p);
		unsigned line = p->line;
		e = expr_new(p, SF_INFIX, str_of(op), e, next(p));
		e->y_line = line;
	}
	return e;
}

static struct sf_expr *both(struct sf_parser *p)
{
	return chained(p, "&&", negated_test);
}

static struct sf_expr *either(struct sf_parser *p)
{
	if (!sf_enter(p))
		return NULL;
	struct sf_expr *e = chained(p, "||", both);
	p->depth--;
	return e;
}

struct sf_expr *sf_condition(struct sf_parser *p)
{
	struct sf_expr *e = either(p);
	return p->failed ? NULL : e;
}
