#include "melange/plan/outline_int.h"

#include <stdlib.h>

struct outline *ol_node(const struct ol *w, enum outline_kind kind)
{
	struct outline *o = arena_new(w->a, struct outline);
	o->kind = kind;
	return o;
}

struct outline *ol_map(const struct ol *w)
{
	return ol_node(w, OL_MAP);
}

void ol_add(const struct ol *w, struct outline *to, const char *key, struct outline *val)
{
	if (to->n_items == to->cap) {
		size_t cap = to->cap ? to->cap * 2 : 8;
		struct outline_item *grown = arena_array(w->a, struct outline_item, cap);
		for (size_t i = 0; i < to->n_items; i++)
			grown[i] = to->items[i];
		to->items = grown;
		to->cap = cap;
	}
	to->items[to->n_items++] = (struct outline_item){ str_of(key), val };
}

struct outline *ol_text(const struct ol *w, struct str s)
{
	struct outline *o = ol_node(w, OL_TEXT);
	o->text = s;
	return o;
}

void ol_put(const struct ol *w, struct outline *to, const char *key, struct str s)
{
	ol_add(w, to, key, ol_text(w, s));
}

void ol_opt(const struct ol *w, struct outline *to, const char *key, struct ystr s)
{
	if (s.s.n)
		ol_put(w, to, key, s.s);
}

void ol_put_int(const struct ol *w, struct outline *to, const char *key, int64_t n)
{
	struct outline *o = ol_node(w, OL_INT);
	o->n = n;
	ol_add(w, to, key, o);
}

void ol_put_bool(const struct ol *w, struct outline *to, const char *key, bool b)
{
	struct outline *o = ol_node(w, OL_BOOL);
	o->n = b;
	ol_add(w, to, key, o);
}

void ol_opt_bool(const struct ol *w, struct outline *to, const char *key, bool b)
{
	if (b)
		ol_put_bool(w, to, key, b);
}

void ol_put_list(const struct ol *w, struct outline *to, const char *key,
	const struct ystrs *list)
{
	struct outline *o = ol_node(w, OL_LIST);
	for (size_t i = 0; i < list->n; i++)
		ol_add(w, o, NULL, ol_text(w, list->v[i].s));
	ol_add(w, to, key, o);
}

void ol_opt_list(const struct ol *w, struct outline *to, const char *key,
	const struct ystrs *list)
{
	if (list->n)
		ol_put_list(w, to, key, list);
}

static int kv_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct ykv *)a)->key, ((const struct ykv *)b)->key);
}

struct outline *ol_kvs(const struct ol *w, const struct ykvs *kv)
{
	struct outline *o = ol_map(w);
	struct ykv *sorted = arena_dup(w->a, kv->v, kv->n * sizeof(*sorted));
	if (kv->n)
		qsort(sorted, kv->n, sizeof(*sorted), kv_cmp);
	for (size_t i = 0; i < kv->n; i++)
		ol_put(w, o, arena_strndup(w->a, sorted[i].key.p, sorted[i].key.n), sorted[i].val.s);
	return o;
}

void ol_opt_kvs(const struct ol *w, struct outline *to, const char *key, const struct ykvs *kv)
{
	if (kv->n)
		ol_add(w, to, key, ol_kvs(w, kv));
}

void ol_nested(const struct ol *w, struct outline *to, const char *key, struct outline *val)
{
	if (val->n_items || w->json)
		ol_add(w, to, key, val);
}

void ol_opt_nested(const struct ol *w, struct outline *to, const char *key,
	struct outline *val)
{
	if (val->n_items)
		ol_add(w, to, key, val);
}
