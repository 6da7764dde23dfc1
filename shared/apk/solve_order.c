#include "shared/apk/solve_int.h"

#include <stdlib.h>

/* A package that refuses some versions of another (`!b>1`) is installed after it, as apk-tools
 * does; everything else stays in the order of the choice. */

struct order {
	struct stab *t;
	const struct sset *set;
	uint32_t *place;	/* per package: position in the set, + 1 */
	uint8_t *done;		/* per position */
	struct u32s out;	/* positions */
};

static bool refuses_versions(struct stab *t, uint32_t pkg)
{
	const struct satoms *deps = stab_deps(t, pkg);
	for (uint32_t i = 0; i < deps->n; i++)
		if (deps->v[i].conflict && deps->v[i].op)
			return true;
	return false;
}

/* Appends to list the positions, not yet done, of what the atom names or, with `met`, meets. */
static void add_named(struct order *o, const struct satom *atom, bool met, struct u32s *list)
{
	uint32_t n;
	const struct cand *c = stab_cands(o->t, atom->name, &n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = o->place[c[i].pkg];
		if (at && !o->done[at - 1] && (!met || smatch(o->t, atom, c[i].pkg)))
			vec_push(o->t->a, list, at - 1);
	}
}

static int later(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Places all that position `from` needs, and it, unless that has to come after `not_before`. */
static void place_early(struct order *o, uint32_t from, uint32_t not_before)
{
	struct u32s closure = { 0 };
	uint8_t *seen = arena_array(o->t->a, uint8_t, o->set->n);
	seen[from] = 1;
	vec_push(o->t->a, &closure, from);
	for (size_t i = 0; i < closure.n; i++) {
		const struct satoms *deps = stab_deps(o->t, o->set->v[closure.v[i]]);
		struct u32s more = { 0 };
		for (uint32_t d = 0; d < deps->n; d++)
			if (!deps->v[d].conflict)
				add_named(o, &deps->v[d], true, &more);
		for (size_t k = 0; k < more.n; k++) {
			if (more.v[k] == not_before)
				return;
			if (!seen[more.v[k]])
				vec_push(o->t->a, &closure, more.v[k]);
			seen[more.v[k]] = 1;
		}
	}
	qsort(closure.v, closure.n, sizeof(*closure.v), later);
	for (size_t i = 0; i < closure.n; i++) {
		o->done[closure.v[i]] = 1;
		vec_push(o->t->a, &o->out, closure.v[i]);
	}
}

static void place(struct order *o, uint32_t at)
{
	const struct satoms *deps = stab_deps(o->t, o->set->v[at]);
	struct u32s first = { 0 };
	for (uint32_t i = 0; i < deps->n; i++)
		if (deps->v[i].conflict && deps->v[i].op)
			add_named(o, &deps->v[i], false, &first);
	for (size_t i = 0; i < first.n; i++)
		if (first.v[i] != at && !o->done[first.v[i]])
			place_early(o, first.v[i], at);
	o->done[at] = 1;
	vec_push(o->t->a, &o->out, at);
}

static void reorder(struct order *o, struct sset *set)
{
	struct sset out = { 0 };
	out.pins = arena_array(o->t->a, const struct satom *, set->n + 1);
	o->place = arena_array(o->t->a, uint32_t, o->t->max_pkgs + 1);
	o->done = arena_array(o->t->a, uint8_t, set->n + 1);
	for (uint32_t i = 0; i < set->n; i++)
		o->place[set->v[i]] = i + 1;
	for (uint32_t i = 0; i < set->n; i++)
		if (!o->done[i])
			place(o, i);
	for (uint32_t i = 0; i < set->n; i++) {
		out.pins[i] = set->pins[o->out.v[i]];
		vec_push(o->t->a, &out, set->v[o->out.v[i]]);
	}
	*set = out;
}

void sorder(struct stab *t, struct sset *set)
{
	struct order o = { .t = t, .set = set };
	for (uint32_t i = 0; i < set->n; i++)
		if (refuses_versions(t, set->v[i])) {
			reorder(&o, set);
			return;
		}
}
