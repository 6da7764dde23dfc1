#include "shared/apk/solve_search.h"

#include <stdlib.h>
#include <string.h>

/* Stage 2: a complete search. One variable per package; a package's clauses are added when it is
 * first taken. The decisions follow stage 1's order and preference, each for the first need that
 * is still open, so that the answer is the first in that order of all there are. */

#define MAX_EFFORT 200000000u
#define MAX_TRY 5000000u	/* of a change that may be proposed */

static uint32_t pin_bit(struct search *s, struct str pin)
{
	uint32_t i = 0;
	while (i < s->pins.n && !str_eq(s->pins.v[i], pin))
		i++;
	if (i == s->pins.n)
		strs_push(s->a, &s->pins, pin);
	return i;
}

bool search_permitted(const struct search *s, uint32_t who, const struct satom *atom,
	uint32_t pkg)
{
	struct str tag = stab_tag(s->t, pkg);
	if (stab_open_to_all(s->t, pkg))
		return true;
	if (who == NO_ID)
		return str_eq(tag, satom_pin(atom));
	for (size_t i = 0; i < s->pins.n && i < 64; i++)
		if (str_eq(s->pins.v[i], tag) && s->reach[who] >> i & 1)
			return true;
	/* what the request asks for by its tag may serve others, too */
	for (uint32_t i = 0; i < s->world->n; i++)
		if (str_eq(satom_pin(&s->world->v[i]), tag) && smatch(s->t, &s->world->v[i], pkg))
			return true;
	return false;
}

/* Marks what the atom may bring in; those it is news for are to be looked at. */
static void reach_from(struct search *s, const struct satom *atom, uint64_t bits,
	struct u32s *todo)
{
	uint32_t n;
	const struct cand *c = stab_cands(s->t, atom->name, &n);
	for (uint32_t i = 0; i < n && !atom->conflict; i++) {
		uint32_t pkg = c[i].pkg;
		if (!(bits & ~s->reach[pkg]) || !smatch(s->t, atom, pkg))
			continue;
		s->reach[pkg] |= bits;
		vec_push(s->a, todo, pkg);
	}
}

static void find_reach(struct search *s)
{
	struct u32s todo = { 0 };
	s->reach = arena_array(s->a, uint64_t, s->t->max_pkgs + 1);
	for (uint32_t i = 0; i < s->world->n; i++) {
		const struct satom *atom = &s->world->v[i];
		if (!satom_pin(atom).n)
			continue;
		uint32_t bit = pin_bit(s, satom_pin(atom));
		if (bit < 64)
			reach_from(s, atom, (uint64_t)1 << bit, &todo);
	}
	while (todo.n) {
		uint32_t pkg = todo.v[--todo.n];
		const struct satoms *deps = stab_deps(s->t, pkg);
		for (uint32_t i = 0; i < deps->n; i++)
			reach_from(s, &deps->v[i], s->reach[pkg], &todo);
	}
}

static void add_clause(struct search *s, struct fact f)
{
	uint32_t id = sat_add(&s->sat, s->lits.v, (uint32_t)s->lits.n, (uint32_t)s->facts.n);
	const struct clause *c = &s->sat.clauses.v[id];
	f.lits = c->lits;
	f.n = c->n;
	vec_push(s->a, &s->facts, f);
}

static void start_clause(struct search *s, uint32_t who)
{
	s->lits.n = 0;
	if (who != NO_ID)
		vec_push(s->a, &s->lits, NOT(LIT(who)));
}

/* A package may stand twice among the candidates: for its name and for what it provides. */
static bool again(const struct search *s, const struct cand *c, uint32_t i, uint32_t name)
{
	return (i && c[i - 1].pkg == c[i].pkg) ||
	       (!c[i].own && stab_own(s->t, c[i].pkg) == name);
}

static void add_need(struct search *s, uint32_t who, const struct satom *atom, struct needs *to)
{
	uint32_t n, k = 0;
	const struct cand *c = stab_cands(s->t, atom->name, &n);
	uint32_t *options = arena_array(s->a, uint32_t, n + 1);
	start_clause(s, who);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t pkg = c[i].pkg;
		if (again(s, c, i, atom->name) || !smatch(s->t, atom, pkg) || stab_pkg(s->t, pkg)->out ||
			!search_permitted(s, who, atom, pkg))
			continue;
		if (pkg == who)
			return;
		options[k++] = pkg;
		vec_push(s->a, &s->lits, LIT(pkg));
	}
	struct need need = { atom, options, k };
	vec_push(s->a, to, need);
	add_clause(s, (struct fact){ .kind = FACT_NEED, .who = who, .atom = atom });
}

static void add_conflict(struct search *s, uint32_t who, const struct satom *atom)
{
	uint32_t n;
	const struct cand *c = stab_cands(s->t, atom->name, &n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t pkg = c[i].pkg;
		if (pkg == who || again(s, c, i, atom->name) || !smatch(s->t, atom, pkg))
			continue;
		start_clause(s, who);
		vec_push(s->a, &s->lits, NOT(LIT(pkg)));
		add_clause(s, (struct fact){ .kind = FACT_CONFLICT, .who = who, .other = pkg,
				      .atom = atom });
	}
}

struct exclusions {
	struct search *s;
	uint32_t who;
};

static bool add_exclusion(void *ctx, uint32_t other, uint32_t name)
{
	struct exclusions *x = ctx;
	struct search *s = x->s;
	if (s->stamp[other] == s->now)
		return true;
	s->stamp[other] = s->now;
	start_clause(s, x->who);
	vec_push(s->a, &s->lits, NOT(LIT(other)));
	add_clause(s, (struct fact){ .kind = FACT_EXCLUSION, .who = x->who, .other = other,
			      .name = name });
	return true;
}

static int few_options_first(const void *a, const void *b)
{
	const struct need *x = a, *y = b;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return str_cmp(x->atom->text, y->atom->text);
}

static void add_package(struct sat *sat, uint32_t pkg)
{
	struct search *s = sat->ctx;
	const struct satoms *deps = stab_deps(s->t, pkg);
	for (uint32_t i = 0; i < deps->n; i++) {
		if (deps->v[i].conflict)
			add_conflict(s, pkg, &deps->v[i]);
		else
			add_need(s, pkg, &deps->v[i], &s->needs[pkg]);
	}
	if (s->needs[pkg].n)
		qsort(s->needs[pkg].v, s->needs[pkg].n, sizeof(struct need), few_options_first);
	struct exclusions x = { s, pkg };
	s->now++;
	(void)sexcl_each(s->t, pkg, add_exclusion, &x);
}

static void add_world(struct search *s)
{
	for (uint32_t i = 0; i < s->world->n; i++) {
		const struct satom *atom = &s->world->v[i];
		if (atom->conflict)
			add_conflict(s, NO_ID, atom);
		else
			add_need(s, NO_ID, atom, &s->asked);
	}
	for (size_t i = 0; i < s->asked.n; i++)
		vec_push(s->a, &s->by_options, s->asked.v[i]);
	if (s->by_options.n)
		qsort(s->by_options.v, s->by_options.n, sizeof(struct need), few_options_first);
}

/* The package that meets the need; NO_ID while none is taken. */
static uint32_t taken_for(const struct search *s, const struct need *need)
{
	for (uint32_t i = 0; i < need->n; i++)
		if (s->sat.value[need->options[i]] > 0)
			return need->options[i];
	return NO_ID;
}

struct frame {
	uint32_t pkg, next;	/* next of its needs */
};
struct walk {
	VEC(struct frame) stack;
	uint32_t *stamp, now;	/* per package: seen in this walk */
};

static bool enter(struct search *s, struct walk *w, uint32_t pkg)
{
	if (w->stamp[pkg] == w->now)
		return false;
	w->stamp[pkg] = w->now;
	struct frame f = { pkg, 0 };
	vec_push(s->a, &w->stack, f);
	return true;
}

/* Depth first below the package on the stack: the first open need, or NULL when there is none.
 * What is left behind goes to `out`, children first. */
static const struct need *walk_down(struct search *s, struct walk *w, struct u32s *out)
{
	while (w->stack.n) {
		struct frame *f = &w->stack.v[w->stack.n - 1];
		const struct needs *needs = &s->needs[f->pkg];
		if (f->next == needs->n) {
			if (out)
				vec_push(s->a, out, f->pkg);
			w->stack.n--;
			continue;
		}
		const struct need *need = &needs->v[f->next++];
		uint32_t pkg = taken_for(s, need);
		if (pkg == NO_ID)
			return need;
		(void)enter(s, w, pkg);
	}
	return NULL;
}

static const struct need *open_need(struct search *s, bool *ret_asked)
{
	struct walk w = { .stamp = s->stamp };
	const struct need *need = NULL;
	*ret_asked = true;
	for (size_t i = 0; i < s->by_options.n; i++)
		if (taken_for(s, &s->by_options.v[i]) == NO_ID)
			return &s->by_options.v[i];
	*ret_asked = false;
	w.now = ++s->now;
	for (size_t i = 0; i < s->asked.n && !need; i++)
		if (enter(s, &w, taken_for(s, &s->asked.v[i])))
			need = walk_down(s, &w, NULL);
	return need;
}

static unsigned known(const struct spref *p, uint32_t pkg)
{
	const struct search *s = p->ctx;
	const struct spkg *me = stab_pkg(s->t, pkg);
	for (size_t i = 0; me->origin.n && i < s->sat.trail.n; i++) {
		uint32_t lit = s->sat.trail.v[i];
		const struct spkg *o = stab_pkg(s->t, VAR(lit));
		if (!(lit & 1) && str_eq(o->origin, me->origin) &&
			str_eq(o->version.text, me->version.text))
			return PREF_ORIGIN;
	}
	return 0;
}

static uint32_t decide(struct sat *sat)
{
	struct search *s = sat->ctx;
	bool asked;
	const struct need *need = open_need(s, &asked);
	if (!need)
		return NO_LIT;
	uint32_t *list = arena_array(s->a, uint32_t, need->n), n = 0;
	for (uint32_t i = 0; i < need->n; i++)
		if (!sat->value[need->options[i]])
			list[n++] = need->options[i];
	if (!n)
		BUG("a need without options was not seen to fail");
	struct spref pref = { .t = s->t, .name = need->atom->name };
	if (asked) {
		pref.pin = satom_pin(need->atom);
	} else {
		pref.known = known;
		pref.ctx = s;
	}
	return LIT(spref_best(&pref, list, n));
}

struct result {
	struct search *s;
	uint32_t *added;	/* per own name: brought by the atom at hand, + 1 */
	uint32_t *listed;	/* per package */
};

/* Lists a package and what it needs, unless that is done already. */
static void list_below(struct result *r, uint32_t pkg, struct u32s *out)
{
	struct walk w = { .stamp = r->listed, .now = 1 };
	size_t from = out->n;
	if (enter(r->s, &w, pkg))
		(void)walk_down(r->s, &w, out);
	for (size_t i = from; i < out->n; i++)
		r->added[stab_own(r->s->t, out->v[i])] = out->v[i] + 1;
}

/* Takes a package beside all that is taken, if that can be. */
static bool take_too(struct search *s, uint32_t pkg)
{
	uint32_t base = (uint32_t)s->sat.levels.n;
	if (stab_pkg(s->t, pkg)->out || s->sat.value[pkg] < 0)
		return false;
	if (s->sat.value[pkg] > 0)
		return true;
	sat_assume(&s->sat, LIT(pkg));
	if (sat_run(&s->sat, base) == SAT_YES && s->sat.value[pkg] > 0)
		return true;
	sat_back(&s->sat, base);
	return false;
}

static void list_atom(struct result *r, const struct need *need, struct u32s *out)
{
	struct search *s = r->s;
	struct u32s tried = { 0 };
	struct striggers tr = { r->added, out, &tried };
	uint32_t root = taken_for(s, need), pkg;
	list_below(r, root, out);
	/* the requested package itself brings nothing */
	bool fresh = out->n && out->v[out->n - 1] == root;
	if (fresh) {
		out->n--;
		r->added[stab_own(s->t, root)] = 0;
	}
	while ((pkg = striggered(s->t, &tr)) != NO_ID) {
		vec_push(s->a, &tried, pkg);
		if (take_too(s, pkg))
			list_below(r, pkg, out);
	}
	for (size_t i = 0; i < out->n; i++)
		r->added[stab_own(s->t, out->v[i])] = 0;
	if (fresh)
		vec_push(s->a, out, root);
}

static void list_all(struct search *s, struct sset *ret)
{
	struct result r = { .s = s };
	r.added = arena_array(s->a, uint32_t, s->t->max_names + 1);
	*ret = (struct sset){ 0 };
	ret->pins = arena_array(s->a, const struct satom *, s->t->max_pkgs + 1);
	r.listed = arena_array(s->a, uint32_t, s->t->max_pkgs + 1);
	for (size_t i = 0; i < s->asked.n; i++) {
		const struct satom *atom = s->asked.v[i].atom;
		struct u32s out = { 0 };
		list_atom(&r, &s->asked.v[i], &out);
		for (size_t k = 0; k < out.n; k++) {
			struct str tag = stab_tag(s->t, out.v[k]);
			vec_push(s->a, ret, out.v[k]);
			if (tag.n && str_eq(tag, satom_pin(atom)))
				ret->pins[ret->n - 1] = atom;
		}
	}
}

static void search_init(struct search *s, struct stab *t, const struct satoms *world,
	struct arena *a)
{
	*s = (struct search){ .t = t, .a = a, .world = world };
	s->needs = arena_array(a, struct needs, t->max_pkgs + 1);
	s->stamp = arena_array(a, uint32_t, t->max_pkgs + 1);
	sat_init(&s->sat, t->max_pkgs, a);
	s->sat.ctx = s;
	s->sat.expand = add_package;
	s->sat.decide = decide;
	s->sat.max_effort = MAX_EFFORT;
	for (uint32_t i = 0; i < world->n; i++)
		if (satom_pin(&world->v[i]).n && !s->reach)
			find_reach(s);
	add_world(s);
}

bool search_possible(struct stab *t, const struct satoms *world, struct arena *a)
{
	struct search s;
	search_init(&s, t, world, a);
	s.sat.max_effort = MAX_TRY;
	return sat_run(&s.sat, 0) == SAT_YES;
}

static bool search_once(struct stab *t, const struct satoms *world, bool strict, struct arena *a,
	struct sset *ret, struct err *err)
{
	struct search s;
	t->strict = strict;
	search_init(&s, t, world, a);
	switch (sat_run(&s.sat, 0)) {
	case SAT_YES:
		list_all(&s, ret);
		return true;
	case SAT_LIMIT:
		(void)err_set(err, EK_CONFLICT,
			"unable to select packages: no answer found within the limit of effort");
		return err_hint(err, "request exact versions of the packages in question");
	default:
		search_explain(&s, &s.sat.core, err);
		return false;
	}
}

/* apk-tools' matching of versions first; what only apko's lenient one allows comes after. */
bool ssearch(struct stab *t, const struct satoms *world, struct arena *a, struct sset *ret,
	struct err *err)
{
	auto_err struct err lenient = ERR_INIT;
	stab_with_texts(t);
	if (search_once(t, world, true, a, ret, err))
		return true;
	if (!search_once(t, world, false, a, ret, &lenient))
		return false;
	err_release(err);
	return true;
}
