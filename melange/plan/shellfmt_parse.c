#include "melange/plan/shellfmt_parse.h"

static struct sf_stmt *command(struct sf_parser *p);
static struct sf_stmt *and_or(struct sf_parser *p);

struct sf_cmd *sf_cmd_new(struct sf_parser *p, enum sf_cmd_kind kind)
{
	struct sf_cmd *c = arena_new(p->a, struct sf_cmd);
	c->kind = kind;
	c->line = c->end_line = p->line;
	return c;
}

struct sf_stmt *sf_stmt_new(struct sf_parser *p, struct sf_cmd *cmd)
{
	struct sf_stmt *s = arena_new(p->a, struct sf_stmt);
	s->cmd = cmd;
	s->line = s->end_line = cmd ? cmd->line : p->line;
	return s;
}

/* Words that end a list of statements when they stand where a command would. */
static bool closes_list(const struct sf_parser *p)
{
	static const char *const closers[] = { "then", "do", "done", "fi", "elif", "else", "esac",
		"}" };
	char c = sf_peek(p, 0);
	if (c == 0 || c == ')' || sf_looks(p, ";;") || sf_looks(p, ";&"))
		return true;
	for (size_t k = 0; k < countof(closers); k++) {
		if (sf_looks_word(p, closers[k]))
			return true;
	}
	return false;
}

/* Takes what ends a statement; false when the list must end here. */
static bool statement_end(struct sf_parser *p, struct sf_stmt *s)
{
	sf_blanks(p);
	s->end_line = p->last_line;
	char c = sf_peek(p, 0);
	bool due = p->heredocs.n;
	if (sf_looks(p, ";;") || sf_looks(p, ";&"))
		return false;
	if (c == ';' || (c == '&' && sf_peek(p, 1) != '&')) {
		if (p->line != s->end_line)
			sf_fail(p);
		s->background = c == '&';
		p->i++;
		sf_blanks(p);
		/* a further command between a here-document's word and its body */
		if (due && sf_peek(p, 0) != '\n')
			sf_fail(p);
		return true;
	}
	return c == '\n' || closes_list(p);
}

void sf_statements(struct sf_parser *p, struct sf_stmts *list)
{
	if (!sf_enter(p))
		return;
	sf_newlines(p);
	while (!p->failed && !closes_list(p)) {
		struct sf_stmt *s = and_or(p);
		if (p->failed)
			return;
		vec_push(p->a, list, s);
		if (!statement_end(p, s))
			break;
		sf_newlines(p);
	}
	p->depth--;
}

static void block(struct sf_parser *p, struct sf_stmts *list)
{
	sf_statements(p, list);
	if (list->n == 0)
		sf_fail(p);
}

static void closing_word(struct sf_parser *p, const char *word, unsigned *line)
{
	*line = p->line;
	if (!sf_take_word(p, word))
		sf_fail(p);
}

static void if_parts(struct sf_parser *p, struct sf_cmd *c);

static struct sf_cmd *else_part(struct sf_parser *p, unsigned *end_line)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_BLOCK);
	if (sf_take_word(p, "elif")) {
		c->kind = SF_IF;
		if (sf_enter(p))
			if_parts(p, c);
		p->depth--;
		*end_line = c->end_line;
		return c;
	}
	if (sf_take_word(p, "else")) {
		block(p, &c->body);
		closing_word(p, "fi", end_line);
		return c;
	}
	closing_word(p, "fi", end_line);
	return NULL;
}

static void if_parts(struct sf_parser *p, struct sf_cmd *c)
{
	block(p, &c->cond);
	closing_word(p, "then", &c->mid_line);
	block(p, &c->body);
	c->other = else_part(p, &c->end_line);
}

static struct sf_cmd *if_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_IF);
	p->i += 2;
	if_parts(p, c);
	return c;
}

static void do_done(struct sf_parser *p, struct sf_cmd *c)
{
	closing_word(p, "do", &c->mid_line);
	block(p, &c->body);
	closing_word(p, "done", &c->end_line);
}

static struct sf_cmd *while_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_WHILE);
	c->text = str_sub(p->text, p->i, 5);
	p->i += 5;
	block(p, &c->cond);
	do_done(p, c);
	return c;
}

static void skip_separator(struct sf_parser *p)
{
	sf_blanks(p);
	if (sf_peek(p, 0) == ';' && sf_peek(p, 1) != ';')
		p->i++;
	sf_newlines(p);
}

static void arithmetic_loop(struct sf_parser *p, struct sf_cmd *c)
{
	c->kind = SF_FOR_ARITH;
	p->i += 2;
	for (size_t k = 0; k < 3; k++) {
		while (sf_peek(p, 0) == ' ')
			p->i++;
		if (!sf_looks(p, k < 2 ? ";" : "))"))
			c->e[k] = sf_arithmetic(p);
		sf_expect(p, k < 2 ? ";" : "))");
	}
}

static struct sf_cmd *for_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_FOR);
	c->text = sf_looks(p, "for") ? S("for") : S("select");
	p->i += c->text.n;
	sf_blanks(p);
	if (sf_looks(p, "((") && c->text.n == 3) {
		arithmetic_loop(p, c);
		skip_separator(p);
		do_done(p, c);
		return c;
	}
	c->name = str_sub(p->text, p->i, sf_name_length(p, 0));
	p->i += c->name.n;
	if (c->name.n == 0 || !sf_ends_word(sf_peek(p, 0)))
		sf_fail(p);
	sf_blanks(p);
	if (p->line != c->line)
		sf_fail(p);
	c->has_in = sf_take_word(p, "in");
	sf_blanks(p);
	struct sf_word *w;
	while (c->has_in && (w = sf_word(p, SF_PLAIN))) {
		vec_push(p->a, &c->words, w);
		sf_blanks(p);
	}
	skip_separator(p);
	do_done(p, c);
	return c;
}

static void case_item(struct sf_parser *p, struct sf_cmd *c)
{
	struct sf_case *item = arena_new(p->a, struct sf_case);
	item->line = p->line;
	(void)sf_take(p, "(");
	do {
		sf_blanks(p);
		struct sf_word *w = sf_word(p, SF_PLAIN);
		if (!w) {
			sf_fail(p);
			return;
		}
		vec_push(p->a, &item->patterns, w);
		sf_blanks(p);
	} while (sf_take(p, "|"));
	if (p->line != item->line)
		sf_fail(p);
	sf_expect(p, ")");
	sf_statements(p, &item->body);
	item->op_line = p->line;
	item->op = sf_take(p, ";;&") ? S(";;&") : sf_take(p, ";&") ? S(";&") : S(";;");
	if (str_is(item->op, ";;") && !sf_take(p, ";;")) {
		/* the last item may do without */
		item->op_line = item->body.n ? item->body.v[item->body.n - 1]->end_line
				: item->line;
		if (!sf_looks_word(p, "esac"))
			sf_fail(p);
	}
	vec_push(p->a, &c->cases, item);
	sf_newlines(p);
}

static struct sf_cmd *case_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_CASE);
	p->i += 4;
	sf_blanks(p);
	struct sf_word *w = sf_word(p, SF_PLAIN);
	vec_push(p->a, &c->words, w);
	sf_newlines(p);
	if (!w)
		sf_fail(p);
	closing_word(p, "in", &c->mid_line);
	sf_newlines(p);
	while (!p->failed && !sf_looks_word(p, "esac"))
		case_item(p, c);
	closing_word(p, "esac", &c->end_line);
	return c;
}

static struct sf_cmd *braces(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_BLOCK);
	p->i++;
	block(p, &c->body);
	closing_word(p, "}", &c->end_line);
	return c;
}

static struct sf_cmd *subshell(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_SUBSHELL);
	p->i++;
	block(p, &c->body);
	c->end_line = p->line;
	sf_expect(p, ")");
	return c;
}

static struct sf_cmd *arithmetic_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_ARITHMETIC);
	p->i += 2;
	c->e[0] = sf_arithmetic(p);
	sf_expect(p, "))");
	return c;
}

static struct sf_cmd *test_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_TEST);
	p->i += 2;
	c->e[0] = sf_condition(p);
	if (!sf_take_word(p, "]]"))
		sf_fail(p);
	return c;
}

static struct sf_cmd *function_body(struct sf_parser *p, struct sf_cmd *c)
{
	sf_newlines(p);
	char first = sf_peek(p, 0);
	if (first != '{' && first != '(')
		sf_fail(p);
	c->x = command(p);
	c->end_line = p->last_line;
	return c;
}

static size_t function_name_length(const struct sf_parser *p)
{
	size_t n = 0;
	while (sf_is_name(sf_peek(p, n)) || (sf_peek(p, n) && strchr("-.:+", sf_peek(p, n))))
		n++;
	return n;
}

static struct sf_cmd *function_command(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_FUNCTION);
	c->text = S("function");
	p->i += c->text.n;
	sf_blanks(p);
	c->name = str_sub(p->text, p->i, function_name_length(p));
	p->i += c->name.n;
	if (c->name.n == 0 || !sf_ends_word(sf_peek(p, 0)))
		sf_fail(p);
	sf_blanks(p);
	if (sf_take(p, "(")) {
		c->has_parens = true;
		sf_blanks(p);
		sf_expect(p, ")");
	}
	return function_body(p, c);
}

/* name() */
static bool function_here(struct sf_parser *p)
{
	size_t n = function_name_length(p);
	if (n == 0)
		return false;
	while (sf_peek(p, n) == ' ' || sf_peek(p, n) == '\t')
		n++;
	return sf_peek(p, n) == '(';
}

static struct sf_cmd *named_function(struct sf_parser *p)
{
	struct sf_cmd *c = sf_cmd_new(p, SF_FUNCTION);
	c->name = str_sub(p->text, p->i, function_name_length(p));
	p->i += c->name.n;
	sf_blanks(p);
	sf_expect(p, "(");
	sf_blanks(p);
	sf_expect(p, ")");
	c->has_parens = true;
	return function_body(p, c);
}

static struct sf_cmd *compound(struct sf_parser *p)
{
	static const struct {
		const char *word;
		struct sf_cmd *(*parse)(struct sf_parser *p);
	} table[] = {
		{ "if", if_command }, { "while", while_command }, { "until", while_command },
		{ "for", for_command }, { "select", for_command }, { "case", case_command },
		{ "{", braces }, { "[[", test_command }, { "function", function_command },
	};
	for (size_t k = 0; k < countof(table); k++) {
		if (sf_looks_word(p, table[k].word))
			return table[k].parse(p);
	}
	if (sf_looks(p, "(("))
		return arithmetic_command(p);
	if (sf_peek(p, 0) == '(')
		return subshell(p);
	return function_here(p) ? named_function(p) : NULL;
}

static struct sf_stmt *command(struct sf_parser *p)
{
	if (!sf_enter(p))
		return NULL;
	if (closes_list(p))
		sf_fail(p);
	unsigned line = p->line;
	struct sf_cmd *c = compound(p);
	struct sf_stmt *s = NULL;
	if (c) {
		s = sf_stmt_new(p, c);
		s->line = line;
		if (c->kind != SF_FUNCTION) {
			sf_blanks(p);
			while (!p->failed && sf_redirection(p, &s->redirs))
				;
		}
	} else if (!p->failed) {
		s = sf_simple_command(p);
	}
	sf_blanks(p);
	if (s)
		s->end_line = p->last_line;
	p->depth--;
	return p->failed ? NULL : s;
}

static struct sf_stmt *joined(struct sf_parser *p, struct sf_stmt *x, const char *op,
	struct sf_stmt *(*next)(struct sf_parser *p))
{
	/* no layout is certain where a chain goes on behind a function */
	const struct sf_cmd *before = x->cmd;
	if (before && before->kind == SF_BINARY)
		before = before->y->cmd;
	if (before && before->kind == SF_FUNCTION)
		sf_fail(p);
	struct sf_cmd *c = sf_cmd_new(p, SF_BINARY);
	c->text = str_of(op);
	c->mid_line = p->line;
	c->line = x->line;
	p->i += c->text.n;
	sf_newlines(p);
	c->x = x;
	c->y = next(p);
	struct sf_stmt *s = sf_stmt_new(p, c);
	s->end_line = p->last_line;
	return s;
}

static struct sf_stmt *pipeline(struct sf_parser *p)
{
	struct sf_stmt *s = command(p);
	for (unsigned k = 0; !p->failed && sf_peek(p, 0) == '|' && sf_peek(p, 1) != '|'; k++) {
		s = joined(p, s, sf_peek(p, 1) == '&' ? "|&" : "|", command);
		if (k == SF_MAX_CHAIN)
			sf_fail(p);
	}
	return s;
}

static struct sf_stmt *negated(struct sf_parser *p)
{
	unsigned line = p->line;
	if (sf_looks_word(p, "time")) {
		struct sf_cmd *c = sf_cmd_new(p, SF_TIME);
		p->i += 4;
		sf_blanks(p);
		c->text = sf_take_word(p, "-p") ? S("time -p") : S("time");
		sf_blanks(p);
		if (closes_list(p) || sf_peek(p, 0) == '\n' || p->line != line)
			sf_fail(p);
		c->x = pipeline(p);
		return sf_stmt_new(p, c);
	}
	bool bang = sf_take_word(p, "!");
	if (bang)
		sf_blanks(p);
	if (bang && p->line != line)
		sf_fail(p);
	struct sf_stmt *s = pipeline(p);
	if (s && bang) {
		s->negated = true;
		s->line = line;
	}
	return s;
}

static struct sf_stmt *and_or(struct sf_parser *p)
{
	struct sf_stmt *s = negated(p);
	for (unsigned k = 0; !p->failed && (sf_looks(p, "&&") || sf_looks(p, "||")); k++) {
		s = joined(p, s, sf_peek(p, 0) == '&' ? "&&" : "||", negated);
		if (k == SF_MAX_CHAIN)
			sf_fail(p);
	}
	return s;
}

bool sf_parse(struct str text, struct arena *a, unsigned depth, unsigned line,
	struct sf_stmts *ret)
{
	struct sf_parser p = { .text = text, .a = a, .depth = depth, .line = line,
		.last_line = line };
	struct sf_stmts list = { 0 };
	sf_statements(&p, &list);
	if (p.failed || p.i != text.n || p.heredocs.n)
		return false;
	*ret = list;
	return true;
}
