#include "shared/text/yedit.h"

#include <stdlib.h>

#include "shared/base/buf.h"
#include "shared/text/yscalar.h"

#define MAX_TEXT ((size_t)1 << 30)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where the value itself begins, behind an anchor and a tag. */
static size_t value_start(const struct ydoc *doc, const struct ynode *n)
{
	size_t at = n->off;
	while (at < n->end && (doc->src.p[at] == '&' || doc->src.p[at] == '!')) {
		while (at < n->end && !is_blank(doc->src.p[at]))
			at++;
		while (at < n->end && is_blank(doc->src.p[at]))
			at++;
	}
	return at;
}

static void double_quoted(struct str s, struct buf *out)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '"');
}

static void single_quoted(struct str s, struct buf *out)
{
	buf_addc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_addc(out, '\'');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '\'');
}

static void written(const struct ynode *n, struct str value, enum yedit_style style, struct buf *out)
{
	bool plain = n->style == YS_PLAIN && style == YEDIT_SAME && yscalar_look(value).plain;
	if (plain)
		buf_addstr(out, value);
	else if (n->style == YS_SINGLE)
		single_quoted(value, out);
	else
		double_quoted(value, out);
}

void yedit_value(struct yedits *e, const struct ydoc *doc, const struct ynode *n, struct str value,
	enum yedit_style style, struct arena *a)
{
	size_t off = value_start(doc, n);
	auto_buf struct buf b = BUF_INIT(MAX_TEXT);
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].node == n && str_eq(e->v[i].value, value))
			return;
	/* nothing stood there: the value needs a blank before it */
	if (off == n->end && off > 0 && !is_blank(doc->src.p[off - 1]))
		buf_addc(&b, ' ');
	written(n, value, style, &b);
	/* a block ends behind its last line break */
	if (n->end > off && doc->src.p[n->end - 1] == '\n')
		buf_addc(&b, '\n');
	vec_push(a, e, (struct yedit){ off, n->end, arena_str(a, buf_str(&b)), n, value });
}

void yedit_lines(struct yedits *e, size_t off, size_t end, struct str lines, struct arena *a)
{
	vec_push(a, e, (struct yedit){ off, end, arena_str(a, lines), NULL, STR_NONE });
}

static int by_place(const void *x, const void *y)
{
	const struct yedit *a = x, *b = y;
	return (a->off > b->off) - (a->off < b->off);
}

static const struct yedit *edit_of(const struct yedits *e, const struct ynode *n)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].node == n)
			return &e->v[i];
	return NULL;
}

static bool same(const struct yedits *e, const struct ynode *old, const struct ynode *new)
{
	const struct yedit *edit = edit_of(e, old);
	if (edit)
		return new->kind == YN_SCALAR && str_eq(new->text, edit->value);
	if (old->kind != new->kind || old->n != new->n)
		return false;
	if (old->kind == YN_SCALAR || old->kind == YN_NULL)
		return str_eq(old->text, new->text);
	for (size_t i = 0; i < old->n; i++)
		if (old->kind == YN_SEQ ? !same(e, old->items[i], new->items[i])
				: !same(e, old->pairs[i].key, new->pairs[i].key) ||
					!same(e, old->pairs[i].val, new->pairs[i].val))
			return false;
	return true;
}

static bool verify(const struct yedits *e, const struct ydoc *doc, struct str text,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ydoc again;
	bool lines = false;
	for (size_t i = 0; i < e->n; i++)
		lines = lines || !e->v[i].node;
	if (!ydoc_parse(text, doc->file, &a, &again, err))
		return err_wrap(err, "the changed file could not be read again, so it was left alone");
	if (!lines && !(doc->root && again.root && same(e, doc->root, again.root)))
		return err_set(err, EK_OTHER, "'%s' cannot be changed in place: the new values would "
			"change more than they replace\nhint: write these values as plain or quoted "
			"texts of one line", doc->file);
	return true;
}

bool yedit_apply(const struct yedits *e, const struct ydoc *doc, struct arena *a, struct str *ret,
	struct err *err)
{
	auto_buf struct buf b = BUF_INIT(MAX_TEXT);
	struct yedit *sorted = arena_dup(a, e->v, e->n * sizeof(e->v[0]));
	size_t at = 0;
	if (e->n)
		qsort(sorted, e->n, sizeof(sorted[0]), by_place);
	for (size_t i = 0; i < e->n; i++) {
		if (sorted[i].off < at)
			return err_at(err, sorted[i].node ? sorted[i].node->pos : (struct pos){ .file = doc->file },
				"one text cannot get two values at once\n"
				"hint: write the value out instead of sharing it by an anchor");
		buf_add(&b, doc->src.p + at, sorted[i].off - at);
		buf_addstr(&b, sorted[i].text);
		at = sorted[i].end;
	}
	buf_add(&b, doc->src.p + at, doc->src.n - at);
	if (!verify(e, doc, buf_str(&b), err))
		return false;
	*ret = arena_str(a, buf_str(&b));
	return true;
}
