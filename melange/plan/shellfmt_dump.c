#include "melange/plan/shellfmt_dump.h"

#define OPEN 1
#define CLOSE 2
#define FIELD 3

static void dump_word(struct buf *out, const struct sf_word *w);
static void dump_expr(struct buf *out, const struct sf_expr *e);

static void mark(struct buf *out, char what, int kind)
{
	buf_addc(out, what);
	buf_addc(out, (char)('A' + kind));
}

static void dump_part(struct buf *out, const struct sf_part *part)
{
	/* neighbouring texts are one */
	if (part->kind == SF_TEXT) {
		buf_addstr(out, part->text);
		return;
	}
	mark(out, OPEN, part->kind);
	buf_addstr(out, part->text);
	buf_addc(out, FIELD);
	dump_expr(out, part->index);
	buf_addstr(out, part->op);
	dump_expr(out, part->x);
	dump_expr(out, part->y);
	dump_word(out, part->inner);
	dump_word(out, part->second);
	sf_dump(out, &part->body);
	buf_addc(out, CLOSE);
}

static void dump_word(struct buf *out, const struct sf_word *w)
{
	for (size_t k = 0; w && k < w->n; k++)
		dump_part(out, w->v[k]);
	buf_addc(out, FIELD);
}

static void dump_expr(struct buf *out, const struct sf_expr *e)
{
	if (e) {
		mark(out, OPEN, e->kind);
		buf_addstr(out, e->op);
		dump_word(out, e->word);
		dump_expr(out, e->x);
		dump_expr(out, e->y);
		dump_expr(out, e->z);
		buf_addc(out, CLOSE);
	}
	buf_addc(out, FIELD);
}

static void dump_assigns(struct buf *out, const struct sf_assigns *list)
{
	for (size_t k = 0; k < list->n; k++) {
		const struct sf_assign *as = list->v[k];
		mark(out, OPEN, as->is_array);
		buf_addstr(out, as->name);
		dump_expr(out, as->index);
		buf_addstr(out, as->op);
		dump_word(out, as->value);
		for (size_t i = 0; i < as->elements.n; i++) {
			dump_expr(out, as->elements.v[i].index);
			dump_word(out, as->elements.v[i].value);
		}
		buf_addc(out, CLOSE);
	}
}

static void dump_words(struct buf *out, const struct sf_words *list)
{
	for (size_t k = 0; k < list->n; k++)
		dump_word(out, list->v[k]);
	buf_addc(out, FIELD);
}

/* A <<- document counts without the tabs its lines begin with. */
static void dump_body(struct buf *out, const struct sf_redir *r)
{
	auto_buf struct buf plain = BUF_INIT(out->max);
	dump_word(&plain, r->body);
	struct str rest = buf_str(&plain), line;
	while (rest.n) {
		(void)str_cut(rest, '\n', &line, &rest);
		while (r->strip_tabs && str_skip(&line, S("\t")))
			;
		buf_addstr(out, line);
		buf_addc(out, '\n');
	}
	out->over |= plain.over;
}

static void dump_redirs(struct buf *out, const struct sf_redirs *list)
{
	for (size_t k = 0; k < list->n; k++) {
		const struct sf_redir *r = list->v[k];
		mark(out, OPEN, r->quoted);
		buf_addstr(out, r->fd);
		buf_addstr(out, r->op);
		dump_word(out, r->word);
		dump_body(out, r);
		buf_addc(out, CLOSE);
	}
}

static void dump_stmt(struct buf *out, const struct sf_stmt *s);

static void dump_cmd(struct buf *out, const struct sf_cmd *c)
{
	mark(out, OPEN, c->kind);
	mark(out, FIELD, c->has_in + 2 * c->has_parens);
	buf_addstr(out, c->text);
	buf_addc(out, FIELD);
	buf_addstr(out, c->name);
	dump_assigns(out, &c->assigns);
	dump_words(out, &c->words);
	sf_dump(out, &c->cond);
	sf_dump(out, &c->body);
	if (c->other)
		dump_cmd(out, c->other);
	if (c->x)
		dump_stmt(out, c->x);
	if (c->y)
		dump_stmt(out, c->y);
	for (size_t k = 0; k < countof(c->e); k++)
		dump_expr(out, c->e[k]);
	for (size_t k = 0; k < c->cases.n; k++) {
		dump_words(out, &c->cases.v[k]->patterns);
		sf_dump(out, &c->cases.v[k]->body);
		buf_addstr(out, c->cases.v[k]->op);
	}
	buf_addc(out, CLOSE);
}

static void dump_stmt(struct buf *out, const struct sf_stmt *s)
{
	mark(out, OPEN, s->negated + 2 * s->background);
	if (s->cmd)
		dump_cmd(out, s->cmd);
	dump_redirs(out, &s->redirs);
	buf_addc(out, CLOSE);
}

void sf_dump(struct buf *out, const struct sf_stmts *list)
{
	for (size_t k = 0; k < list->n; k++)
		dump_stmt(out, list->v[k]);
	buf_addc(out, FIELD);
}
