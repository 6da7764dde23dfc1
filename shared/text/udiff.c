#include "shared/text/udiff.h"

#include <stdint.h>

#include "shared/base/map.h"
#include "shared/base/vec.h"

#define CONTEXT 3

struct lines {
	struct str *v;	/* each with its line break, where there is one */
	size_t n, cap;
};
struct place {
	size_t a, b;	/* line numbers in both texts, from 0 */
};
struct places {
	struct place *v;
	size_t n, cap;
};

static void split(struct str text, struct arena *arena, struct lines *ret)
{
	while (text.n) {
		long end = str_chr(text, '\n');
		size_t n = end < 0 ? text.n : (size_t)end + 1;
		vec_push(arena, ret, str_sub(text, 0, n));
		text = str_from(text, n);
	}
}

/* How often a line stands in each text, and where last. */
struct seen {
	size_t in_a, in_b;
	struct place at;
};

static struct seen *seen_of(struct map *m, struct str line)
{
	struct seen *s = map_get(m, line);
	if (!s) {
		s = arena_new(m->arena, struct seen);
		(void)map_put(m, line, s);
	}
	return s;
}

/* Lines that both texts have once, in the order of the first. */
static void unique_lines(const struct lines *a, const struct lines *b, struct arena *arena,
	struct places *ret)
{
	auto_map struct map m;
	map_init(&m, arena);
	for (size_t i = 0; i < a->n; i++) {
		struct seen *s = seen_of(&m, a->v[i]);
		s->in_a++;
		s->at.a = i;
	}
	for (size_t i = 0; i < b->n; i++) {
		struct seen *s = seen_of(&m, b->v[i]);
		s->in_b++;
		s->at.b = i;
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct seen *s = map_get(&m, a->v[i]);
		if (s->in_a == 1 && s->in_b == 1)
			vec_push(arena, ret, s->at);
	}
}

/* The longest run of them that keeps the order of the second text too (patience sorting). */
static void anchors(const struct places *all, struct arena *arena, struct places *ret)
{
	size_t *tops = arena_array(arena, size_t, all->n + 1);
	size_t *before = arena_array(arena, size_t, all->n + 1);
	size_t piles = 0;
	for (size_t i = 0; i < all->n; i++) {
		size_t low = 0, high = piles;
		while (low < high) {
			size_t mid = low + (high - low) / 2;
			if (all->v[tops[mid]].b < all->v[i].b)
				low = mid + 1;
			else
				high = mid;
		}
		before[i] = low ? tops[low - 1] : SIZE_MAX;
		tops[low] = i;
		piles += low == piles;
	}
	ret->v = arena_array(arena, struct place, piles + 1);
	ret->n = piles;
	for (size_t k = piles, at = piles ? tops[piles - 1] : 0; k > 0; at = before[at])
		ret->v[--k] = all->v[at];
}

struct diff {
	struct lines a, b;
	struct place done;	/* lines before are dealt with */
	struct place start;	/* of the hunk */
	struct place count;	/* of its lines */
	bool changed;		/* it holds a change */
	struct buf hunk;
	struct buf *out;
};

static void add_line(struct diff *d, char mark, struct str line)
{
	buf_addc(&d->hunk, mark);
	buf_addstr(&d->hunk, line);
	if (!str_ends(line, S("\n")))
		buf_adds(&d->hunk, "\n\\ No newline at end of file\n");
	d->count.a += mark != '+';
	d->count.b += mark != '-';
	d->changed |= mark != ' ';
}

static void add_common(struct diff *d, size_t upto)
{
	for (; d->done.a < upto; d->done.a++, d->done.b++)
		add_line(d, ' ', d->a.v[d->done.a]);
}

static void end_hunk(struct diff *d)
{
	buf_printf(d->out, "@@ -%zu,%zu +%zu,%zu @@\n", d->start.a + (d->count.a > 0), d->count.a,
		d->start.b + (d->count.b > 0), d->count.b);
	buf_addstr(d->out, buf_str(&d->hunk));
	buf_clear(&d->hunk);
	d->changed = false;
}

static void begin_hunk(struct diff *d, size_t a, size_t b)
{
	d->done = d->start = (struct place){ a, b };
	d->count = (struct place){ 0, 0 };
	buf_clear(&d->hunk);
}

/* Equal lines from `at` up to `end`: the changes before them, then context, or all of them when they
 * are too few to part two hunks. */
static void add_match(struct diff *d, struct place at, size_t end)
{
	bool last = end == d->a.n && at.b + (end - at.a) == d->b.n;
	while (d->done.a < at.a)
		add_line(d, '-', d->a.v[d->done.a++]);
	while (d->done.b < at.b)
		add_line(d, '+', d->b.v[d->done.b++]);
	size_t n = end - at.a;
	if (!last && (n < CONTEXT || (d->changed && n < 2 * CONTEXT))) {
		add_common(d, end);
		return;
	}
	if (d->changed) {
		add_common(d, at.a + (n < CONTEXT ? n : CONTEXT));
		end_hunk(d);
	}
	if (last)
		return;
	begin_hunk(d, end - CONTEXT, at.b + n - CONTEXT);
	add_common(d, end);
}

/* The anchor with the equal lines around it. */
static void match_around(struct diff *d, struct place at)
{
	size_t end_a = at.a, end_b = at.b;
	if (at.a < d->done.a || at.b < d->done.b)
		return;
	while (at.a > d->done.a && at.b > d->done.b && str_eq(d->a.v[at.a - 1], d->b.v[at.b - 1])) {
		at.a--;
		at.b--;
	}
	while (end_a < d->a.n && end_b < d->b.n && str_eq(d->a.v[end_a], d->b.v[end_b])) {
		end_a++;
		end_b++;
	}
	add_match(d, at, end_a);
}

void udiff(const char *old_name, struct str old_text, const char *new_name, struct str new_text,
	struct buf *out)
{
	auto_arena struct arena arena = ARENA_INIT;
	struct diff d = { .out = out };
	struct places all = { 0 }, fixed = { 0 };
	if (str_eq(old_text, new_text))
		return;
	buf_init(&d.hunk, out->max);
	split(old_text, &arena, &d.a);
	split(new_text, &arena, &d.b);
	unique_lines(&d.a, &d.b, &arena, &all);
	anchors(&all, &arena, &fixed);
	buf_printf(out, "diff %s %s\n--- %s\n+++ %s\n", old_name, new_name, old_name, new_name);
	match_around(&d, (struct place){ 0, 0 });
	for (size_t i = 0; i < fixed.n; i++)
		match_around(&d, fixed.v[i]);
	if (d.done.a < d.a.n || d.done.b < d.b.n || d.changed)
		match_around(&d, (struct place){ d.a.n, d.b.n });
	buf_release(&d.hunk);
}
