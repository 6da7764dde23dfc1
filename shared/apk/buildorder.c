#include "shared/apk/buildorder.h"

#include "shared/apk/solve_int.h"
#include "shared/base/buf.h"

/* Unit `from` needs unit `to`, for the atom. */
struct edge {
	size_t to;
	struct str atom;
};
struct edges {
	struct edge *v;
	size_t n, cap;
};
struct order {
	const struct build_unit *units;
	size_t n;
	struct stab t;
	size_t *unit_of;	/* per package */
	struct edges *needs;	/* per unit */
	uint32_t *seen;		/* per package: unit + 1 it was last reached from */
	struct arena *a;
};

/* The package that the atom would bring into the environment of a unit; NO_ID = none. Those of
 * other units come first: the unit's own are not built yet. */
static uint32_t chosen(struct order *o, size_t unit, const struct satom *atom)
{
	uint32_t n, k = 0;
	const struct cand *c = stab_cands(&o->t, atom->name, &n);
	uint32_t *list = arena_array(o->t.a, uint32_t, n + 1);
	for (uint32_t i = 0; i < n && !atom->conflict; i++)
		if (o->unit_of[c[i].pkg] != unit && !stab_pkg(&o->t, c[i].pkg)->out &&
			smatch(&o->t, atom, c[i].pkg))
			list[k++] = c[i].pkg;
	struct spref pref = { .t = &o->t, .name = atom->name };
	return k ? spref_best(&pref, list, k) : NO_ID;
}

static void add_edge(struct order *o, size_t unit, size_t to, struct str atom)
{
	for (size_t i = 0; i < o->needs[unit].n; i++)
		if (o->needs[unit].v[i].to == to)
			return;
	struct edge e = { to, atom };
	vec_push(o->a, &o->needs[unit], e);
}

static void reach(struct order *o, size_t unit, const struct satom *atom, struct str why,
	struct u32s *todo)
{
	uint32_t pkg = chosen(o, unit, atom);
	if (pkg == NO_ID || o->seen[pkg] == unit + 1)
		return;
	o->seen[pkg] = (uint32_t)unit + 1;
	add_edge(o, unit, o->unit_of[pkg], why);
	vec_push(o->t.a, todo, pkg);
}

static bool find_needs(struct order *o, size_t unit, struct err *err)
{
	const struct build_unit *u = &o->units[unit];
	for (size_t i = 0; i < u->needs->n; i++) {
		struct apk_dep d;
		struct u32s todo = { 0 };
		if (!apk_dep_parse(u->needs->v[i], o->a, &d, err))
			return err_wrap(err, "what '%.*s' needs", STR_ARG(u->name));
		const struct satom atom = stab_atom(&o->t, &d);
		reach(o, unit, &atom, d.text, &todo);
		while (todo.n) {
			const struct satoms *deps = stab_deps(&o->t, todo.v[--todo.n]);
			for (uint32_t k = 0; k < deps->n; k++)
				reach(o, unit, &deps->v[k], d.text, &todo);
		}
	}
	return true;
}

/* The first need that is not done yet. */
static const struct edge *missing(const struct order *o, size_t unit, const bool *done)
{
	for (size_t i = 0; i < o->needs[unit].n; i++)
		if (!done[o->needs[unit].v[i].to])
			return &o->needs[unit].v[i];
	return NULL;
}

static bool tell_circle(const struct order *o, size_t unit, const bool *done, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(64u << 10);
	/* after n steps along what is missing one is within the circle */
	for (size_t i = 0; i < o->n; i++)
		unit = missing(o, unit, done)->to;
	size_t at = unit;
	do {
		const struct edge *e = missing(o, at, done);
		buf_printf(&out, "\n  '%.*s' needs '%.*s' of '%.*s'", STR_ARG(o->units[at].name),
			STR_ARG(e->atom), STR_ARG(o->units[e->to].name));
		at = e->to;
	} while (at != unit);
	(void)err_set(err, EK_CONFLICT, "no order of building:%s", out.p);
	return err_hint(err, "build one of them with less, or take it from a repository");
}

static bool sort(struct order *o, size_t *ret, struct err *err)
{
	bool *done = arena_array(o->t.a, bool, o->n + 1);
	for (size_t k = 0; k < o->n; k++) {
		size_t i = 0;
		while (i < o->n && (done[i] || missing(o, i, done)))
			i++;
		if (i == o->n) {
			for (i = 0; done[i]; i++)
				;
			return tell_circle(o, i, done, err);
		}
		done[i] = true;
		ret[k] = i;
	}
	return true;
}

bool build_order(const struct build_unit *units, size_t n, struct arena *a, size_t **ret_order,
	struct err *err)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct order o = { .units = units, .n = n, .a = &tmp };
	size_t n_pkgs = 0, k = 0;
	for (size_t i = 0; i < n; i++)
		n_pkgs += units[i].n_pkgs;
	const struct apk_pkg **pkgs = arena_array(&tmp, const struct apk_pkg *, n_pkgs + 1);
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < units[i].n_pkgs; p++)
			pkgs[k++] = units[i].pkgs[p];
	if (!stab_build_list(&o.t, pkgs, (uint32_t)n_pkgs, &tmp, err))
		return false;
	o.unit_of = arena_array(&tmp, size_t, n_pkgs + 1);
	o.needs = arena_array(&tmp, struct edges, n + 1);
	o.seen = arena_array(&tmp, uint32_t, n_pkgs + 1);
	k = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < units[i].n_pkgs; p++)
			o.unit_of[stab_ref(&o.t, 0, (uint32_t)k++)] = i;
	for (size_t i = 0; i < n; i++)
		if (!find_needs(&o, i, err))
			return false;
	size_t *order = arena_array(a, size_t, n + 1);
	if (!sort(&o, order, err))
		return false;
	*ret_order = order;
	return true;
}
