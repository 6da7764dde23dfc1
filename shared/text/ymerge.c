#include "shared/text/ymerge.h"

#include "shared/base/map.h"

#define MAX_SHOWN 60	/* bytes of a key in a message */

struct ymerge {
	struct arena *arena;
	struct diags *diags;
	struct map seen;	/* key text to its node */
	struct ypairs out;
};

static struct str key_text(const struct ynode *key)
{
	return key->kind == YN_NULL ? S("null") : key->text;
}

static bool is_merge(const struct ynode *key)
{
	return key->kind == YN_SCALAR && key->style == YS_PLAIN && str_is(key->text, "<<");
}

/* Notes the map's own keys; what is wrong with a key is reported and its pair dropped. */
static bool note_key(struct ymerge *m, struct ynode *key)
{
	struct ynode *first;

	if (key->kind != YN_SCALAR && key->kind != YN_NULL) {
		diags_add(m->diags, key->pos, "%s cannot be a key", ynode_kind_name(key));
		return false;
	}
	first = map_get(&m->seen, key_text(key));
	if (first) {
		diags_add(m->diags, key->pos, "duplicate key \"%.*s\", first at %d:%d",
			STR_ARG(str_sub(key_text(key), 0, MAX_SHOWN)), first->pos.line, first->pos.col);
		return false;
	}
	(void)map_put(&m->seen, key_text(key), key);
	return true;
}

static void merge_map(struct ymerge *m, const struct ynode *from)
{
	for (size_t i = 0; i < from->n; i++) {
		if (map_has(&m->seen, key_text(from->pairs[i].key)))
			continue;
		(void)map_put(&m->seen, key_text(from->pairs[i].key), from->pairs[i].key);
		vec_push(m->arena, &m->out, from->pairs[i]);
	}
}

static void merge(struct ymerge *m, const struct ynode *from)
{
	bool list = from->kind == YN_SEQ;

	for (size_t i = 0; i < (list ? from->n : 1); i++) {
		const struct ynode *one = list ? from->items[i] : from;

		if (one->kind == YN_MAP)
			merge_map(m, one);
		else if (one->kind != YN_NULL)
			diags_add(m->diags, one->pos, "merge value must be a map or a list of maps, found %s",
				ynode_kind_name(one));
	}
}

void ymerge_pairs(const struct ypairs *pairs, struct ynode *map, struct arena *a,
	struct diags *d)
{
	struct ymerge m = { .arena = a, .diags = d };
	struct ypairs own = { 0 };

	map_init(&m.seen, a);
	for (size_t i = 0; i < pairs->n; i++)
		if (note_key(&m, pairs->v[i].key))
			vec_push(a, &own, pairs->v[i]);
	for (size_t i = 0; i < own.n; i++) {
		if (is_merge(own.v[i].key))
			merge(&m, own.v[i].val);
		else
			vec_push(a, &m.out, own.v[i]);
	}
	map_release(&m.seen);
	map->pairs = m.out.v;
	map->n = m.out.n;
}
