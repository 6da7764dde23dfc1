#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "shared/base/buf.h"
#include "shared/text/utf8.h"
#include "shared/text/ynode.h"

#define MAX_SHOWN 50
#define MAX_KEPT 5000
#define MAX_LINE 200	/* bytes of a source line that are shown */
#define MAX_MESSAGE 16384
#define LEAD 80		/* bytes kept before the column when a line is cut at its front */

void diags_init(struct diags *d, struct arena *a, const struct ydoc *doc)
{
	*d = (struct diags){ .arena = a, .doc = doc };
}

void diags_doc(struct diags *d, const struct ydoc *doc)
{
	for (size_t i = 0; i < d->others.n; i++)
		if (d->others.v[i] == doc)
			return;
	vec_push(d->arena, &d->others, doc);
}

bool diags_many(const struct diags *d)
{
	return d->list.n >= MAX_SHOWN;
}

static bool is_file(const struct ydoc *doc, struct pos pos)
{
	return doc && pos.file && (doc->file == pos.file || str_is(str_of(doc->file), pos.file));
}

const struct ydoc *diags_doc_of(const struct diags *d, struct pos pos)
{
	if (is_file(d->doc, pos))
		return d->doc;
	for (size_t i = 0; i < d->others.n; i++)
		if (is_file(d->others.v[i], pos))
			return d->others.v[i];
	return NULL;
}

static void add_notes(const struct diags *d, struct pos pos, struct buf *out)
{
	for (const struct diag_note *n = d->note; n; n = n->up) {
		bool itself = n->of.line && n->of.line == pos.line && n->of.col == pos.col &&
			str_eq(str_of(n->of.file), str_of(pos.file));

		if (!itself && !(n->elsewhere && is_file(d->doc, pos)))
			buf_printf(out, "\nnote: %s", n->text);
	}
}

/* Only a hint or a note begins a line of its own; whatever else breaks the line came with a name
 * out of the input. */
static void one_line_each(char *text)
{
	for (char *p = text; *p; p++) {
		bool line = *p == '\n' && (str_starts(str_of(p + 1), S("hint: ")) ||
			str_starts(str_of(p + 1), S("note: ")));

		if ((unsigned char)*p < 0x20 && !line)
			*p = *p == '\n' || *p == '\t' ? ' ' : '?';
	}
}

void diags_add(struct diags *d, struct pos pos, const char *fmt, ...)
{
	auto_buf struct buf msg = BUF_INIT(MAX_MESSAGE);
	struct diag diag = { pos, NULL };
	struct str first, hints;
	char *text;
	va_list ap;
	int n;

	if (d->list.n >= MAX_KEPT) {
		d->dropped++;
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		BUG("a message cannot be formatted");
	one_line_each(text);
	bool more = str_cut(str_n(text, (size_t)n), '\n', &first, &hints);
	buf_addstr(&msg, str_sub(first, 0, MAX_MESSAGE / 4));
	add_notes(d, pos, &msg);
	if (more)
		buf_printf(&msg, "\n%.*s", STR_ARG(str_sub(hints, 0, MAX_MESSAGE / 4)));
	free(text);
	diag.msg = arena_strndup(d->arena, msg.p, msg.n);
	vec_push(d->arena, &d->list, diag);
}

static int diag_cmp(const void *a, const void *b)
{
	const struct diag *x = *(const struct diag *const *)a, *y = *(const struct diag *const *)b;
	int by_file = str_cmp(str_of(x->pos.file), str_of(y->pos.file));

	if (by_file != 0)
		return by_file;
	if (x->pos.line != y->pos.line)
		return x->pos.line < y->pos.line ? -1 : 1;
	if (x->pos.col != y->pos.col)
		return x->pos.col < y->pos.col ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The same problem at the same place; reached another way, when only the notes differ. */
static bool same(const struct diag *x, const struct diag *y)
{
	struct str first_x, first_y, rest;

	(void)str_cut(str_of(x->msg), '\n', &first_x, &rest);
	(void)str_cut(str_of(y->msg), '\n', &first_y, &rest);
	return x->pos.line == y->pos.line && x->pos.col == y->pos.col &&
		str_eq(str_of(x->pos.file), str_of(y->pos.file)) &&
		str_eq(first_x, first_y);
}

static struct str source_line(struct str src, int line)
{
	struct str part = STR_NONE;

	for (int i = 0; i < line; i++)
		if (!str_next(&src, '\n', &part))
			return STR_NONE;
	(void)str_chop(&part, S("\r"));
	return part;
}

/* Bytes before a column, which counts characters (a broken byte counts as one). */
static size_t col_bytes(struct str line, int col)
{
	size_t at = 0, len;
	uint32_t cp;

	for (int i = 1; i < col && at < line.n; i++) {
		len = utf8_decode(str_from(line, at), &cp);
		at += len ? len : 1;
	}
	return at;
}

/* Adds the text with what a terminal would act on made harmless; blank: only the space it takes. */
static void add_shown(struct buf *out, struct str s, bool blank)
{
	size_t len;
	uint32_t cp = 0;

	for (; s.n > 0; s = str_from(s, len ? len : 1)) {
		len = utf8_decode(s, &cp);
		if (len == 0 || (cp < 0x20 && cp != '\t') || (cp >= 0x7f && cp < 0xa0))
			buf_addc(out, blank ? ' ' : '?');
		else if (blank)
			buf_addc(out, cp == '\t' ? '\t' : ' ');
		else
			buf_add(out, s.p, len);
	}
}

static size_t char_start(struct str s, size_t at)
{
	while (at > 0 && at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static void add_source(struct buf *out, const struct ydoc *doc, struct pos pos)
{
	struct str line = source_line(doc->src, pos.line);
	size_t at = col_bytes(line, pos.col);
	size_t from = at > MAX_LINE - LEAD / 2 ? char_start(line, at - LEAD) : 0;
	size_t to = line.n - from > MAX_LINE ? char_start(line, from + MAX_LINE) : line.n;

	if (str_trim(line).n == 0)
		return;
	buf_addc(out, '\n');
	add_shown(out, str_sub(line, from, to - from), false);
	if (pos.col < 1)
		return;
	buf_addc(out, '\n');
	add_shown(out, str_sub(line, from, at - from), true);
	buf_addc(out, '^');
}

static void add_diag(struct buf *out, const struct ydoc *doc, const struct diag *diag)
{
	struct str first, hints;
	bool more = str_cut(str_of(diag->msg), '\n', &first, &hints);

	if (diag->pos.file)
		buf_printf(out, "%s:", diag->pos.file);
	if (diag->pos.line > 0)
		buf_printf(out, "%d:", diag->pos.line);
	if (diag->pos.line > 0 && diag->pos.col > 0)
		buf_printf(out, "%d:", diag->pos.col);
	if (out->n > 0 && out->p[out->n - 1] == ':')
		buf_addc(out, ' ');
	buf_addstr(out, first);
	if (doc && diag->pos.line > 0)
		add_source(out, doc, diag->pos);
	if (more) {
		buf_addc(out, '\n');
		buf_addstr(out, hints);
	}
}

bool diags_ok(const struct diags *d, struct err *err)
{
	auto_buf struct buf out = BUF_INIT((size_t)1 << 20);
	const struct diag **order, *last = NULL;
	size_t shown = 0, more = d->dropped;

	if (d->list.n == 0)
		return true;
	order = arena_array(d->arena, const struct diag *, d->list.n);
	for (size_t i = 0; i < d->list.n; i++)
		order[i] = &d->list.v[i];
	qsort(order, d->list.n, sizeof(*order), diag_cmp);
	for (size_t i = 0; i < d->list.n; last = order[i++]) {
		if (last && same(last, order[i]))
			continue;
		if (shown == MAX_SHOWN) {
			more++;
			continue;
		}
		if (shown++ > 0)
			buf_addc(&out, '\n');
		add_diag(&out, diags_doc_of(d, order[i]->pos), order[i]);
	}
	if (more > 0)
		buf_printf(&out, "\n... %zu more", more);
	return err_set(err, EK_SOURCE, "%.*s", STR_ARG(buf_str(&out)));
}
