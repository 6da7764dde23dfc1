#include "shared/base/map.h"

#define uthash_fatal(msg) BUG("out of memory")
#include <uthash.h>

struct map_entry {
	struct str key;
	void *val;
	UT_hash_handle hh;
};

void map_init(struct map *m, struct arena *arena)
{
	*m = (struct map){.arena = arena};
}

void map_release(struct map *m)
{
	HASH_CLEAR(hh, m->head);
	m->n = 0;
}

static struct map_entry *find(const struct map *m, struct str key)
{
	struct map_entry *e;
	const char *p = key.p ? key.p : "";
	HASH_FIND(hh, m->head, p, key.n, e);
	return e;
}

void *map_get(const struct map *m, struct str key)
{
	struct map_entry *e = find(m, key);
	return e ? e->val : NULL;
}

bool map_has(const struct map *m, struct str key)
{
	return find(m, key);
}

void *map_put(struct map *m, struct str key, void *val)
{
	struct map_entry *e = find(m, key);
	if (e) {
		void *old = e->val;
		e->val = val;
		return old;
	}
	e = arena_new(m->arena, struct map_entry);
	e->key = str_n(key.p ? key.p : "", key.n);
	e->val = val;
	HASH_ADD_KEYPTR(hh, m->head, e->key.p, e->key.n, e);
	m->n++;
	return NULL;
}

void *map_del(struct map *m, struct str key)
{
	struct map_entry *e = find(m, key);
	if (!e)
		return NULL;
	HASH_DEL(m->head, e);
	m->n--;
	return e->val;
}

struct map_entry *map_first(const struct map *m)
{
	return m->head;
}

struct map_entry *map_next(const struct map_entry *e)
{
	return e->hh.next;
}

struct str map_key(const struct map_entry *e)
{
	return e->key;
}

void *map_val(const struct map_entry *e)
{
	return e->val;
}
