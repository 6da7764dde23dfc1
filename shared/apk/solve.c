#include "shared/apk/solve.h"

#include <stdlib.h>
#include <string.h>

#include "shared/apk/solve_table.h"
#include "shared/base/buf.h"
#include "shared/base/map.h"
#include "shared/base/match.h"

/* Stage 1 of apk-format 4.3: apko's greedy search with the repairs listed there, then the
 * independent check. */

#define NONE UINT32_MAX

struct list {
	uint32_t *v;
	size_t n, cap;
};

struct solver {
	const struct solve_req *req;
	struct arena *a;
	struct solve_table t;
	const char **dq;		/* per package: why it is out; NULL = in */
	uint32_t *selected;		/* per name: package registered for it */
	uint32_t *existing;		/* per name: package chosen of that name */
	struct map origins;		/* origin to struct origin */
	struct list result;		/* children first */
	bool *in_result;
	bool *reached;			/* of the atom being expanded */
	struct list fresh;		/* newly reached below it, in order */
	struct list stack;		/* ancestors */
	struct str pin;			/* inherited from the world atom */
	const struct apk_dep **pins;	/* per package */
};

struct origin {
	struct str version, name;	/* of the package that counts */
};

static void push(struct solver *s, struct list *l, uint32_t v)
{
	vec_push(s->a, l, v);
}

static const struct apk_pkg *pkg(const struct solver *s, uint32_t i)
{
	return s->t.pkgs[i].pkg;
}

static void disqualify(struct solver *s, uint32_t i, const char *why)
{
	if (!s->dq[i])
		s->dq[i] = why;
}

/* An atom that holds of none of a package's versions of the name puts it out. */
static void constrain(struct solver *s, const struct apk_dep *d)
{
	uint32_t n = solve_name_find(&s->t, d->name);
	if (n == NO_NAME || (!d->conflict && d->op == 0))
		return;
	for (uint32_t i = 0; i < s->t.names[n].n; i++) {
		const struct cand *c = &s->t.names[n].v[i];
		bool holds = c->version.n ? solve_version_ok(c->version, d) : d->op == 0;
		if (d->conflict) {
			if (holds)
				disqualify(s, c->pkg,
					arena_printf(s->a, "excluded by %.*s", STR_ARG(d->text)));
		} else if (c->version.n && !holds) {
			disqualify(s, c->pkg, arena_printf(s->a, "\"%.*s\" does not satisfy \"%.*s\"",
				STR_ARG(c->version), STR_ARG(d->text)));
		}
	}
}

static void constrain_all(struct solver *s, const struct apk_deps *deps)
{
	for (size_t i = 0; i < deps->n; i++)
		constrain(s, &deps->v[i]);
}

/* Choosing a package puts out those that provide the same name in a way that excludes it. */
static void disqualify_conflicts(struct solver *s, uint32_t p)
{
	struct str rest = pkg(s, p)->provides, name, version;
	while (solve_next_provide(&rest, &name, &version, s->a)) {
		uint32_t n = solve_name_find(&s->t, name);
		for (uint32_t i = 0; n != NO_NAME && i < s->t.names[n].n; i++) {
			const struct cand *c = &s->t.names[n].v[i];
			if (c->pkg == p || str_eq(pkg(s, c->pkg)->name, pkg(s, p)->name))
				continue;
			if (version.n || (c->own && !str_eq(c->version, pkg(s, p)->version)) ||
				(!c->own && c->version.n))
				disqualify(s, c->pkg, arena_printf(s->a, "%.*s-%.*s already provides %.*s",
					STR_ARG(pkg(s, p)->name), STR_ARG(pkg(s, p)->version),
					STR_ARG(name)));
		}
	}
}

static bool tag_ok(const struct solver *s, uint32_t p, struct str pin)
{
	struct str tag = pkg(s, p)->index ? pkg(s, p)->index->tag : STR_NONE;
	return tag.n == 0 || str_eq(tag, pin) || str_eq(tag, s->pin);
}

/* apko's generous reading of "satisfies" (3.4). */
static bool satisfies(struct solver *s, const struct cand *c, const struct apk_dep *d)
{
	if (d->op == 0)
		return true;
	if (c->version.n)
		return solve_version_ok(c->version, d);
	if (solve_version_ok(pkg(s, c->pkg)->version, d))
		return true;
	struct str rest = pkg(s, c->pkg)->provides, name, version;
	while (solve_next_provide(&rest, &name, &version, s->a))
		if (version.n && solve_version_ok(version, d))
			return true;
	return false;
}

static bool is_option(struct solver *s, const struct cand *c, const struct apk_dep *d)
{
	return !s->dq[c->pkg] && tag_ok(s, c->pkg, d->pin) && satisfies(s, c, d);
}

static uint32_t count_options(struct solver *s, const struct apk_dep *d)
{
	uint32_t n = solve_name_find(&s->t, d->name), count = 0;
	for (uint32_t i = 0; n != NO_NAME && i < s->t.names[n].n; i++)
		count += is_option(s, &s->t.names[n].v[i], d);
	return count;
}

static int prefer(bool a, bool b)
{
	return (int)b - (int)a;
}

static int newer(struct str a, struct str b)
{
	struct apko_version x, y;
	apko_version_parse(a, &x);
	apko_version_parse(b, &y);
	if (!x.valid || !y.valid)
		return prefer(x.valid, y.valid);
	return -apko_version_cmp(&x, &y);
}

static bool origin_present(const struct solver *s, uint32_t p)
{
	const struct origin *o = map_get(&s->origins, pkg(s, p)->origin);
	return pkg(s, p)->origin.n && o && str_eq(o->version, pkg(s, p)->version);
}

static bool chosen_before(const struct solver *s, uint32_t p)
{
	uint32_t old = s->existing[s->t.pkgs[p].name];
	return old != NONE && str_eq(pkg(s, old)->version, pkg(s, p)->version);
}

/* Negative: x is better. first: of a world atom's first choice, where rows 2 and 3 do not apply.
 * strict: unversioned providers rank below versioned ones, which makes the order total. */
static int compare(const struct solver *s, const struct cand *x, const struct cand *y,
	const struct apk_dep *d, bool first, bool strict)
{
	const struct apk_pkg *a = pkg(s, x->pkg), *b = pkg(s, y->pkg);
	int c = 0;
	if (!first)
		c = prefer(chosen_before(s, x->pkg), chosen_before(s, y->pkg));
	if (!c && !first)
		c = prefer(origin_present(s, x->pkg), origin_present(s, y->pkg));
	if (!c)
		c = prefer(str_eq(a->index ? a->index->tag : STR_NONE, d->pin),
			str_eq(b->index ? b->index->tag : STR_NONE, d->pin));
	if (!c && x->version.n && y->version.n)
		c = newer(x->version, y->version);
	if (!c && strict)
		c = prefer(x->version.n, y->version.n);
	if (!c && str_eq(a->name, b->name))
		c = newer(a->version, b->version);
	if (!c && a->provider_priority != b->provider_priority)
		c = a->provider_priority > b->provider_priority ? -1 : 1;
	if (!c)
		c = newer(a->version, b->version);
	return c ? c : str_cmp(a->name, b->name);
}

static uint32_t best_option(struct solver *s, const struct apk_dep *d, bool first)
{
	uint32_t n = solve_name_find(&s->t, d->name);
	const struct cand *best = NULL;
	for (int strict = 0; strict < 2; strict++) {
		bool circle = false;
		best = NULL;
		for (uint32_t i = 0; n != NO_NAME && i < s->t.names[n].n; i++) {
			const struct cand *c = &s->t.names[n].v[i];
			if (is_option(s, c, d) && (!best || compare(s, c, best, d, first, strict) < 0))
				best = c;
		}
		for (uint32_t i = 0; best && i < s->t.names[n].n; i++) {
			const struct cand *c = &s->t.names[n].v[i];
			circle |= c != best && is_option(s, c, d) &&
				compare(s, c, best, d, first, strict) < 0;
		}
		if (!circle)
			break;
	}
	return best ? best->pkg : NONE;
}

static void note_existing(struct solver *s, uint32_t p)
{
	s->existing[s->t.pkgs[p].name] = p;
	struct str origin = pkg(s, p)->origin;
	if (origin.n == 0)
		return;
	struct origin *o = map_get(&s->origins, origin);
	if (!o) {
		o = arena_new(s->a, struct origin);
		(void)map_put(&s->origins, origin, o);
	} else if (str_cmp(pkg(s, p)->name, o->name) < 0) {
		return;
	}
	o->version = pkg(s, p)->version;
	o->name = pkg(s, p)->name;
}

/* Why an atom has no option: each candidate and its reason. */
static bool nothing_for(struct solver *s, const struct apk_dep *d, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	uint32_t n = solve_name_find(&s->t, d->name);
	if (n == NO_NAME || s->t.names[n].n == 0) {
		buf_printf(&b, "nothing provides \"%.*s\"", STR_ARG(d->text));
	} else {
		buf_printf(&b, "nothing provides \"%.*s\":", STR_ARG(d->text));
		for (uint32_t i = 0; i < s->t.names[n].n; i++) {
			const struct cand *c = &s->t.names[n].v[i];
			const char *why = s->dq[c->pkg];
			if (!why && !tag_ok(s, c->pkg, d->pin))
				why = arena_printf(s->a, "it is in the repository tagged @%.*s",
					STR_ARG(pkg(s, c->pkg)->index->tag));
			if (!why)
				why = arena_printf(s->a, "\"%.*s\" does not satisfy \"%.*s\"",
					STR_ARG(c->version), STR_ARG(d->text));
			buf_printf(&b, "\n  %.*s-%.*s.apk disqualified because %s",
				STR_ARG(pkg(s, c->pkg)->name), STR_ARG(pkg(s, c->pkg)->version), why);
		}
	}
	return err_set(err, EK_CONFLICT, "%s", b.p);
}

/* Registers a package that has dependencies: its name and versioned provides. */
static bool pick(struct solver *s, uint32_t p, struct err *err)
{
	uint32_t own = s->t.pkgs[p].name;
	if (s->selected[own] != NONE && s->selected[own] != p)
		return err_set(err, EK_CONFLICT, "selecting package %.*s conflicts with %.*s on \"%.*s\"",
			STR_ARG(pkg(s, p)->name), STR_ARG(pkg(s, s->selected[own])->name),
			STR_ARG(pkg(s, p)->name));
	s->selected[own] = p;
	struct str rest = pkg(s, p)->provides, name, version;
	while (solve_next_provide(&rest, &name, &version, s->a)) {
		uint32_t n = solve_name_find(&s->t, name);
		if (n == NO_NAME)
			continue;
		if (s->selected[n] != NONE && s->selected[n] != p)
			return err_set(err, EK_CONFLICT,
				"selecting package %.*s conflicts with %.*s on \"%.*s\"",
				STR_ARG(pkg(s, p)->name), STR_ARG(pkg(s, s->selected[n])->name),
				STR_ARG(name));
		if (version.n)
			s->selected[n] = p;
	}
	return true;
}

static bool provides_name(struct solver *s, uint32_t p, struct str want)
{
	struct str rest = pkg(s, p)->provides, name, version;
	if (str_eq(pkg(s, p)->name, want))
		return true;
	while (solve_next_provide(&rest, &name, &version, s->a))
		if (str_eq(name, want))
			return true;
	return false;
}

/* What is selected for the name already: 1 it will do, 0 nothing is, -1 it contradicts. */
static int selected_does(struct solver *s, const struct apk_dep *d, struct err *err)
{
	uint32_t n = solve_name_find(&s->t, d->name);
	uint32_t p = n == NO_NAME ? NONE : s->selected[n];
	if (p == NONE)
		return 0;
	if (d->op == 0 || solve_version_ok(pkg(s, p)->version, d))
		return 1;
	struct str rest = pkg(s, p)->provides, name, version;
	while (solve_next_provide(&rest, &name, &version, s->a))
		if (str_eq(name, d->name) && version.n && solve_version_ok(version, d))
			return 1;
	(void)err_set(err, EK_CONFLICT, "we already selected \"%.*s=%.*s\" which conflicts with \"%.*s\"",
		STR_ARG(pkg(s, p)->name), STR_ARG(pkg(s, p)->version), STR_ARG(d->text));
	return -1;
}

static bool is_ancestor(const struct solver *s, uint32_t p)
{
	for (size_t i = 0; i < s->stack.n; i++)
		if (s->stack.v[i] == p)
			return true;
	return false;
}

/* The dependency to go for next: fewest options, then bytewise. Drops what needs nothing. */
static bool next_dep(struct solver *s, uint32_t p, const struct apk_deps *deps, bool *done,
	const struct apk_dep **ret, struct err *err)
{
	uint32_t fewest = 0;
	*ret = NULL;
	for (size_t i = 0; i < deps->n; i++) {
		const struct apk_dep *d = &deps->v[i];
		if (done[i])
			continue;
		int have = d->conflict || provides_name(s, p, d->name) ? 1 : selected_does(s, d, err);
		if (have < 0)
			return false;
		if (have > 0) {
			done[i] = true;
			continue;
		}
		uint32_t n = count_options(s, d);
		if (n == 0)
			return nothing_for(s, d, err);
		if (!*ret || n < fewest || (n == fewest && str_cmp(d->text, (*ret)->text) < 0)) {
			*ret = d;
			fewest = n;
		}
	}
	return true;
}

static void reach(struct solver *s, uint32_t p)
{
	if (s->reached[p])
		return;
	s->reached[p] = true;
	push(s, &s->fresh, p);
}

static bool expand(struct solver *s, uint32_t p, struct err *err)
{
	if (is_ancestor(s, p))
		return true;
	const struct apk_deps *deps = solve_deps(&s->t, p);
	if (!deps)
		return err_set(err, EK_PARSE, "package %.*s-%.*s has a malformed dependency in '%.*s'",
			STR_ARG(pkg(s, p)->name), STR_ARG(pkg(s, p)->version),
			STR_ARG(pkg(s, p)->depends));
	constrain_all(s, deps);
	push(s, &s->stack, p);
	bool *done = arena_array(s->a, bool, deps->n + 1);
	for (;;) {
		const struct apk_dep *d;
		if (!next_dep(s, p, deps, done, &d, err))
			goto failed;
		if (!d)
			break;
		done[d - deps->v] = true;
		uint32_t best = best_option(s, d, false);
		disqualify_conflicts(s, best);
		size_t before = s->fresh.n;
		if (!pick(s, p, err) || !expand(s, best, err))
			goto failed;
		for (size_t i = before; i < s->fresh.n; i++)
			note_existing(s, s->fresh.v[i]);
		reach(s, best);
	}
	s->stack.n--;
	return true;
failed:
	s->stack.n--;
	return err_wrap(err, "resolving \"%.*s-%.*s.apk\" deps", STR_ARG(pkg(s, p)->name),
		STR_ARG(pkg(s, p)->version));
}

/* Whether all tokens of a package's install_if are among what was reached. */
static bool install_if_met(struct solver *s, uint32_t p)
{
	struct str rest = pkg(s, p)->install_if, word;
	while (str_word(&rest, &word)) {
		struct str name, version;
		(void)str_cut(word, '=', &name, &version);
		bool met = false;
		for (size_t i = 0; i < s->fresh.n && !met; i++) {
			const struct apk_pkg *have = pkg(s, s->fresh.v[i]);
			met = str_eq(have->name, name) && (!version.n || str_eq(have->version, version));
		}
		if (!met)
			return false;
	}
	return true;
}

static bool install_if(struct solver *s)
{
	bool more = true;
	while (more) {
		more = false;
		for (uint32_t i = 0; i < s->t.n_pkgs; i++) {
			auto_err struct err ignored = ERR_INIT;
			uint32_t own = s->t.pkgs[i].name;
			if (pkg(s, i)->install_if.n == 0 || s->reached[i] || s->in_result[i] || s->dq[i] ||
				!tag_ok(s, i, STR_NONE) || !install_if_met(s, i) ||
				(s->selected[own] != NONE && s->selected[own] != i))
				continue;
			disqualify_conflicts(s, i);
			if (!expand(s, i, &ignored)) {
				disqualify(s, i, "its dependencies cannot be met");
				continue;
			}
			reach(s, i);
			more = true;
		}
	}
	return true;
}

static void take_result(struct solver *s, uint32_t p, const struct apk_dep *atom)
{
	if (s->in_result[p])
		return;
	s->in_result[p] = true;
	push(s, &s->result, p);
	if (atom && atom->pin.n)
		s->pins[p] = atom;
}

static bool solve_atom(struct solver *s, const struct apk_dep *d, struct err *err)
{
	s->pin = d->pin;
	uint32_t p = best_option(s, d, false);
	if (p == NONE)
		return nothing_for(s, d, err) || err_wrap(err, "solving \"%.*s\" constraint",
			STR_ARG(d->text));
	s->fresh.n = 0;
	memset(s->reached, 0, s->t.n_pkgs * sizeof(bool));
	if (!expand(s, p, err))
		return err_wrap(err, "solving \"%.*s\" constraint", STR_ARG(d->text));
	(void)install_if(s);
	for (size_t i = 0; i < s->fresh.n; i++) {
		note_existing(s, s->fresh.v[i]);
		take_result(s, s->fresh.v[i], NULL);
	}
	note_existing(s, p);
	take_result(s, p, d);
	s->pin = STR_NONE;
	return true;
}

/* All world atoms get a first choice, the tightest first, before any is expanded. */
static bool first_choices(struct solver *s, const struct apk_deps *world, struct err *err)
{
	bool *done = arena_array(s->a, bool, world->n + 1);
	for (;;) {
		const struct apk_dep *tight = NULL;
		uint32_t fewest = 0;
		for (size_t i = 0; i < world->n; i++) {
			if (done[i] || world->v[i].conflict)
				continue;
			uint32_t n = count_options(s, &world->v[i]);
			if (!tight || n < fewest) {
				tight = &world->v[i];
				fewest = n;
			}
		}
		if (!tight)
			return true;
		if (fewest == 0)
			return nothing_for(s, tight, err) || err_wrap(err, "solving \"%.*s\" constraint",
				STR_ARG(tight->text));
		done[tight - world->v] = true;
		uint32_t p = best_option(s, tight, true);
		note_existing(s, p);
		disqualify_conflicts(s, p);
	}
}


/* What one of the other architectures lacks is not taken. */
static void cross_arch(struct solver *s)
{
	for (size_t k = 0; k < s->req->n_others; k++) {
		struct map have;
		auto_arena struct arena a = ARENA_INIT;
		map_init(&have, &a);
		const struct apk_indexes *idx = s->req->others[k];
		for (size_t i = 0; i < idx->n; i++)
			for (size_t j = 0; j < idx->v[i]->n; j++)
				(void)map_put(&have, apk_pkg_nv(&idx->v[i]->pkgs[j], &a), (void *)idx);
		for (uint32_t i = 0; i < s->t.n_pkgs; i++)
			if (!map_has(&have, apk_pkg_nv(pkg(s, i), &a)))
				disqualify(s, i, arena_printf(s->a,
					"package \"%.*s-%.*s.apk\" not available for arch \"%.*s\"",
					STR_ARG(pkg(s, i)->name), STR_ARG(pkg(s, i)->version),
					STR_ARG(s->req->other_archs[k])));
		map_release(&have);
	}
}

static bool check_tags(const struct solver *s, const struct apk_deps *world, struct err *err)
{
	for (size_t i = 0; i < world->n; i++) {
		bool known = world->v[i].pin.n == 0;
		for (size_t k = 0; k < s->req->indexes->n; k++)
			known |= str_eq(s->req->indexes->v[k]->tag, world->v[i].pin);
		if (!known) {
			(void)err_set(err, EK_PARSE, "\"%.*s\": no repository has the tag @%.*s",
				STR_ARG(world->v[i].text), STR_ARG(world->v[i].pin));
			return err_hint(err, "give a repository that tag: '@%.*s URL'",
				STR_ARG(world->v[i].pin));
		}
	}
	return true;
}

static bool parse_world(struct solver *s, struct apk_deps *ret, struct err *err)
{
	struct strs sorted = { 0 };
	for (size_t i = 0; i < s->req->world->n; i++)
		strs_push(s->a, &sorted, s->req->world->v[i]);
	strs_sort(&sorted);
	strs_uniq(&sorted);
	for (size_t i = 0; i < sorted.n; i++) {
		struct apk_dep d;
		if (!apk_dep_parse(sorted.v[i], s->a, &d, err))
			return false;
		vec_push(s->a, ret, d);
	}
	return true;
}

static bool greedy(struct solver *s, const struct apk_deps *world, struct err *err)
{
	cross_arch(s);
	constrain_all(s, world);
	if (!first_choices(s, world, err))
		return false;
	for (size_t i = 0; i < world->n; i++)
		if (!world->v[i].conflict && !solve_atom(s, &world->v[i], err))
			return false;
	return true;
}

bool solve(const struct solve_req *req, struct arena *a, struct solve_result *ret,
	struct err *err)
{
	struct solver s = { .req = req, .a = a };
	struct apk_deps world = { 0 };
	if (!parse_world(&s, &world, err) || !check_tags(&s, &world, err))
		return false;
	solve_table_build(&s.t, req->indexes, a);
	s.dq = arena_array(a, const char *, s.t.n_pkgs + 1);
	s.selected = arena_array(a, uint32_t, s.t.n_names + 1);
	s.existing = arena_array(a, uint32_t, s.t.n_names + 1);
	memset(s.selected, 0xff, s.t.n_names * sizeof(uint32_t));
	memset(s.existing, 0xff, s.t.n_names * sizeof(uint32_t));
	s.in_result = arena_array(a, bool, s.t.n_pkgs + 1);
	s.reached = arena_array(a, bool, s.t.n_pkgs + 1);
	s.pins = arena_array(a, const struct apk_dep *, s.t.n_pkgs + 1);
	map_init(&s.origins, a);
	bool ok = greedy(&s, &world, err);
	map_release(&s.origins);
	if (!ok)
		return false;
	struct solve_result r = { .n = s.result.n };
	r.pkgs = arena_array(a, const struct apk_pkg *, r.n + 1);
	r.pins = arena_array(a, const struct apk_dep *, r.n + 1);
	for (size_t i = 0; i < r.n; i++) {
		r.pkgs[i] = pkg(&s, s.result.v[i]);
		r.pins[i] = s.pins[s.result.v[i]];
	}
	*ret = r;
	return true;
}
