#include "shared/apk/solve_int.h"

#include <string.h>

/* Stage 1: apko's choice, in its order (apk-format 4.1), with the repairs of 4.3. Anything it
 * cannot settle at once is left to stage 2. */

#define MAX_DEPTH 1000

struct undo {
	uint32_t *at, old;
};
struct undo_log {
	struct undo *v;
	size_t n, cap;
};
struct greedy {
	struct stab *t;
	struct arena *a;
	const struct satoms *world;
	uint32_t *dq;		/* per package: disqualified */
	uint32_t *selected;	/* per name: package registered for it, + 1 */
	uint32_t *existing;	/* per own name: package, + 1 */
	uint32_t *done;		/* per own name: listed in the result */
	uint32_t *on_path;	/* per own name: ancestor of what is being expanded */
	uint32_t *added;	/* per own name: reached below this atom: package, + 1 */
	struct u32s chosen;	/* names in existing, for good */
	uint32_t *origin_of;	/* per package: origin, + 1; 0 = not looked up */
	uint32_t *origin_pkg;	/* per origin: the package that counts, + 1 */
	uint32_t *origin_slots;	/* origin + 1 */
	uint32_t origin_mask;
	struct strs origins;
	struct undo_log lasting;	/* of dq, selected: undone when an install_if fails */
	struct undo_log local;		/* of existing, origins: undone after each atom */
	struct u32s out;			/* what the expansion reached, children first */
	unsigned depth;
	struct str pin;			/* of the atom being expanded */
	struct sset *ret;
};

static void set(struct greedy *g, struct undo_log *log, uint32_t *at, uint32_t value)
{
	if (*at == value)
		return;
	struct undo u = { at, *at };
	vec_push(g->a, log, u);
	*at = value;
}

static void undo_to(struct undo_log *log, size_t mark)
{
	while (log->n > mark) {
		log->n--;
		*log->v[log->n].at = log->v[log->n].old;
	}
}

static uint32_t origin_slot(const struct greedy *g, struct str name)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 16777619u;
	uint32_t i = h & g->origin_mask;
	while (g->origin_slots[i] && !str_eq(g->origins.v[g->origin_slots[i] - 1], name))
		i = (i + 1) & g->origin_mask;
	return i;
}

static void origins_room(struct greedy *g, uint32_t size)
{
	g->origin_slots = arena_array(g->a, uint32_t, size);
	g->origin_mask = size - 1;
	for (size_t i = 0; i < g->origins.n; i++)
		g->origin_slots[origin_slot(g, g->origins.v[i])] = (uint32_t)i + 1;
}

/* Where the package that counts for this one's origin is noted; NULL without origin. */
static uint32_t *origin_of(struct greedy *g, uint32_t pkg)
{
	struct str name = stab_pkg(g->t, pkg)->origin;
	if (!name.n)
		return NULL;
	if (!g->origin_of[pkg]) {
		uint32_t i = origin_slot(g, name);
		if (!g->origin_slots[i]) {
			strs_push(g->a, &g->origins, name);
			g->origin_slots[i] = (uint32_t)g->origins.n;
		}
		g->origin_of[pkg] = g->origin_slots[i];
		if (g->origins.n > g->origin_mask / 2)
			origins_room(g, (g->origin_mask + 1) * 4);
	}
	return &g->origin_pkg[g->origin_of[pkg] - 1];
}

static void origin_below(struct greedy *g, uint32_t pkg)
{
	uint32_t *at = origin_of(g, pkg);
	if (at)
		set(g, &g->local, at, pkg + 1);
}

/* Of an origin at two versions the bytewise last name counts. */
static void origin_chosen(struct greedy *g, uint32_t pkg)
{
	uint32_t *at = origin_of(g, pkg);
	if (at && (!*at || str_cmp(stab_name(g->t, stab_own(g->t, pkg)),
				stab_name(g->t, stab_own(g->t, *at - 1))) > 0))
		*at = pkg + 1;
}

static bool is_out(const struct greedy *g, uint32_t pkg)
{
	return g->dq[pkg] || stab_pkg(g->t, pkg)->out;
}

static void disqualify(struct greedy *g, uint32_t pkg)
{
	set(g, &g->lasting, &g->dq[pkg], 1);
}

struct filter {
	const struct satom *want;
	struct str own_pin, allow_pin;
	uint32_t existing;	/* package chosen under that name, + 1 */
};

static bool tag_allowed(const struct greedy *g, const struct filter *f, uint32_t pkg)
{
	struct str tag = stab_tag(g->t, pkg);
	return stab_open_to_all(g->t, pkg) || str_eq(tag, f->own_pin) || str_eq(tag, f->allow_pin) ||
	       f->existing == pkg + 1;
}

/* The filter asks any version the package knows; that the right one fits is constrain's work. */
static bool any_version_fits(struct greedy *g, const struct satom *want, uint32_t pkg)
{
	if (!want->op)
		return true;
	if (want->checksum)
		return smatch(g->t, want, pkg);
	return stab_pkg(g->t, pkg)->version.valid &&
	       smatch_any_version(g->t, want, pkg);
}

static bool passes(struct greedy *g, const struct filter *f, uint32_t pkg)
{
	return !is_out(g, pkg) && tag_allowed(g, f, pkg) && any_version_fits(g, f->want, pkg);
}

static uint32_t count_options(struct greedy *g, const struct filter *f)
{
	uint32_t n, k = 0;
	const struct cand *c = stab_cands(g->t, f->want->name, &n);
	for (uint32_t i = 0; i < n; i++)
		k += passes(g, f, c[i].pkg);
	return k;
}

static uint32_t best_option(struct greedy *g, const struct filter *f, struct spref *pref)
{
	uint32_t n, k = 0, first = NO_ID;
	const struct cand *c = stab_cands(g->t, f->want->name, &n);
	uint32_t small[16], *list = n <= 16 ? small : arena_array(g->a, uint32_t, n);
	for (uint32_t i = 0; i < n; i++)
		if (passes(g, f, c[i].pkg))
			list[k++] = c[i].pkg;
	if (k)
		first = k == 1 ? list[0] : spref_best(pref, list, k);
	return first;
}

static bool failing_provide(struct greedy *g, const struct satom *want, uint32_t pkg)
{
	const struct sprovides p = stab_provided(g->t, pkg);
	for (uint32_t i = 0; i < p.n; i++)
		if (stab_is_local(g->t, p.source, p.v[i].name, want->name) &&
			sprovided_versioned(&p, i) &&
			!smatch_version(g->t, want, sprovided_version(&p, i)))
			return true;
	return false;
}

/* Every demand of the list narrows the candidates for good, whoever asks later. False when a
 * demand's version is one that apko cannot read. */
static bool constrain(struct greedy *g, const struct satoms *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		const struct satom *want = &list->v[i];
		uint32_t n;
		const struct cand *c = stab_cands(g->t, want->name, &n);
		if (!want->conflict && !want->op)
			continue;
		if (n && want->versioned && !want->version.valid)
			return false;
		for (uint32_t k = 0; k < n; k++) {
			uint32_t pkg = c[k].pkg;
			if (g->dq[pkg])
				continue;
			if (want->conflict ? any_version_fits(g, want, pkg)
			    : want->checksum ? !smatch(g->t, want, pkg)
			    : stab_own(g->t, pkg) == want->name
				    ? !smatch(g->t, want, pkg)
				    : failing_provide(g, want, pkg))
				disqualify(g, pkg);
		}
	}
	return true;
}

/* Only what it provides counts here, not its own name. */
static void disqualify_conflicts(struct greedy *g, uint32_t pkg)
{
	const struct satoms *provides = stab_provides(g->t, pkg);
	for (uint32_t i = 0; i < provides->n; i++) {
		uint32_t n;
		const struct cand *c = stab_cands(g->t, provides->v[i].name, &n);
		bool versioned = provides->v[i].version.text.n;
		for (uint32_t k = 0; k < n; k++)
			if (c[k].pkg != pkg && (versioned || c[k].versioned))
				disqualify(g, c[k].pkg);
	}
}

static bool pick(struct greedy *g, uint32_t pkg)
{
	const struct satoms *provides = stab_provides(g->t, pkg);
	uint32_t *own = &g->selected[stab_own(g->t, pkg)];
	if (*own)
		return *own == pkg + 1;
	set(g, &g->lasting, own, pkg + 1);
	for (uint32_t i = 0; i < provides->n; i++) {
		uint32_t *at = &g->selected[provides->v[i].name];
		if (*at)
			return false;
		if (provides->v[i].version.text.n)
			set(g, &g->lasting, at, pkg + 1);
	}
	return true;
}

static unsigned known(const struct spref *p, uint32_t pkg)
{
	struct greedy *g = p->ctx;
	const struct spkg *me = stab_pkg(g->t, pkg);
	uint32_t e = g->existing[stab_own(g->t, pkg)];
	struct str version = me->version.text;
	unsigned bits = e && str_eq(stab_pkg(g->t, e - 1)->version.text, version) ? PREF_CHOSEN : 0;
	const uint32_t *o = origin_of(g, pkg);
	if (o && *o && str_eq(stab_pkg(g->t, *o - 1)->version.text, version))
		bits |= PREF_ORIGIN;
	return bits;
}

static bool provides_itself(const struct satoms *provides, uint32_t name)
{
	for (uint32_t i = 0; i < provides->n; i++)
		if (provides->v[i].name == name)
			return true;
	return false;
}

enum verdict { V_DROP, V_SOLVE, V_FAIL };

/* Whether the dependency of pkg is met by itself or by what is registered under its name. */
static enum verdict judge(struct greedy *g, uint32_t pkg, const struct satom *dep)
{
	if (dep->conflict)
		return V_DROP;
	if (dep->name == NO_ID)
		return V_FAIL;
	if (provides_itself(stab_provides(g->t, pkg), dep->name))
		return V_DROP;
	if (stab_own(g->t, pkg) == dep->name && (!dep->op || smatch(g->t, dep, pkg)))
		return V_DROP;
	uint32_t sel = g->selected[dep->name];
	if (!sel)
		return V_SOLVE;
	if (!dep->op || smatch(g->t, dep, sel - 1))
		return V_DROP;
	return smatch_version(g->t, dep, stab_pkg(g->t, sel - 1)->version) ? V_DROP : V_FAIL;
}

/* Order of the texts of two deps of a package. Mostly the names tell; only where one begins with
 * the other, what follows must be looked at. */
static int text_cmp(struct greedy *g, uint32_t pkg, const struct satom *a, const struct satom *b)
{
	struct str x = stab_name(g->t, a->name), y = stab_name(g->t, b->name);
	if (a == b)
		return 0;
	int r = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
	return r ? r : str_cmp(stab_dep_text(g->t, pkg, a), stab_dep_text(g->t, pkg, b));
}

/* Of the dependencies left (NULL = settled), the one with the fewest options; NULL when none is
 * left. *ret_fail is set when one cannot be met. */
static const struct satom *fewest(struct greedy *g, uint32_t pkg, const struct satom **left,
	uint32_t n, struct filter *ret, bool *ret_fail)
{
	const struct satom *low = NULL;
	uint32_t low_n = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!left[i])
			continue;
		enum verdict v = judge(g, pkg, left[i]);
		if (v == V_DROP) {
			left[i] = NULL;
			continue;
		}
		uint32_t name = left[i]->name;
		struct filter f = { .want = left[i], .allow_pin = g->pin,
			.existing = v == V_SOLVE ? g->existing[name] : 0 };
		uint32_t k = v == V_SOLVE ? count_options(g, &f) : 0;
		if (!k) {
			*ret_fail = true;
			return NULL;
		}
		if (!low || k < low_n ||
			(k == low_n && text_cmp(g, pkg, left[i], low) < 0)) {
			low = left[i];
			low_n = k;
			*ret = f;
		}
	}
	return low;
}

static void drop(struct greedy *g, uint32_t pkg, const struct satom **left, uint32_t n,
	const struct satom *dep)
{
	for (uint32_t i = 0; i < n; i++)
		if (left[i] && left[i]->name == dep->name && text_cmp(g, pkg, left[i], dep) == 0)
			left[i] = NULL;
}

/* Appends all that pkg needs to g->out, children before parents. */
static bool expand(struct greedy *g, uint32_t pkg)
{
	const struct satoms *deps = stab_deps(g->t, pkg);
	uint32_t me = stab_own(g->t, pkg);
	if (g->on_path[me] || !deps->n)
		return true;
	if (g->depth == MAX_DEPTH || !constrain(g, deps))
		return false;
	const struct satom **left = arena_array(g->a, const struct satom *, deps->n);
	for (uint32_t i = 0; i < deps->n; i++)
		left[i] = &deps->v[i];
	g->depth++;
	struct filter f;
	bool fail = false;
	const struct satom *dep;
	while ((dep = fewest(g, pkg, left, deps->n, &f, &fail))) {
		drop(g, pkg, left, deps->n, dep);
		struct spref pref = { .t = g->t, .name = dep->name, .known = known, .ctx = g };
		uint32_t child = best_option(g, &f, &pref);
		disqualify_conflicts(g, child);
		size_t start = g->out.n;
		g->on_path[me] = 1;
		bool ok = pick(g, pkg) && expand(g, child);
		g->on_path[me] = 0;
		if (!ok)
			return false;
		for (size_t i = start; i < g->out.n; i++) {
			uint32_t below = g->out.v[i];
			set(g, &g->local, &g->existing[stab_own(g->t, below)], below + 1);
			origin_below(g, below);
		}
		vec_push(g->a, &g->out, child);
	}
	g->depth--;
	return !fail;
}

static void choose(struct greedy *g, uint32_t pkg)
{
	uint32_t own = stab_own(g->t, pkg);
	if (!g->existing[own])
		vec_push(g->a, &g->chosen, own);
	g->existing[own] = pkg + 1;
}

/* A package is a candidate of a requested name. */
struct asked_of {
	uint32_t atom, next;	/* next of the same package, + 1 */
};
/* The requested names that are not chosen for yet, with their numbers of options. */
struct open_world {
	struct greedy *g;
	uint32_t *open, n_open;	/* atoms that are not settled, in order */
	uint32_t *options;	/* per atom */
	bool *stale;		/* per atom: an option of it was disqualified */
	struct u32s todo;	/* those that are */
	uint32_t *first;	/* per package: of its links, + 1 */
	VEC(struct asked_of) links;
};

static void link_world(struct open_world *o)
{
	const struct satoms *w = o->g->world;
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t n;
		const struct cand *c = stab_cands(o->g->t, w->v[i].name, &n);
		if (w->v[i].conflict)
			continue;
		o->open[o->n_open++] = i;
		vec_push(o->g->a, &o->todo, i);
		o->stale[i] = true;
		for (uint32_t k = 0; k < n; k++) {
			struct asked_of l = { i, o->first[c[k].pkg] };
			vec_push(o->g->a, &o->links, l);
			o->first[c[k].pkg] = (uint32_t)o->links.n;
		}
	}
}

/* False when one has none left. */
static bool count_stale(struct open_world *o)
{
	for (size_t i = 0; i < o->todo.n; i++) {
		uint32_t atom = o->todo.v[i];
		const struct satom *want = &o->g->world->v[atom];
		struct filter f = { .want = want, .own_pin = satom_pin(want) };
		o->stale[atom] = false;
		o->options[atom] = count_options(o->g, &f);
		if (!o->options[atom])
			return false;
	}
	o->todo.n = 0;
	return true;
}

/* What was disqualified since is an option less. */
static void mark_stale(struct open_world *o, size_t since)
{
	struct greedy *g = o->g;
	for (size_t i = since; i < g->lasting.n; i++)
		for (uint32_t l = o->first[g->lasting.v[i].at - g->dq]; l; l = o->links.v[l - 1].next) {
			uint32_t atom = o->links.v[l - 1].atom;
			if (!o->stale[atom] && o->options[atom])
				vec_push(g->a, &o->todo, atom);
			o->stale[atom] = true;
		}
}

/* Takes the open atom with the fewest options off the list; the first of several. */
static uint32_t take_fewest(struct open_world *o)
{
	uint32_t low = 0;
	for (uint32_t i = 1; i < o->n_open; i++)
		if (o->options[o->open[i]] < o->options[o->open[low]])
			low = i;
	uint32_t atom = o->open[low];
	o->n_open--;
	memmove(&o->open[low], &o->open[low + 1], (o->n_open - low) * sizeof(*o->open));
	o->options[atom] = 0;
	return atom;
}

/* Chooses for every requested name, the one with the fewest options first. */
static bool choose_world(struct greedy *g)
{
	const struct satoms *w = g->world;
	struct open_world o = { .g = g, .open = arena_array(g->a, uint32_t, w->n + 1),
		.options = arena_array(g->a, uint32_t, w->n + 1),
		.stale = arena_array(g->a, bool, w->n + 1),
		.first = arena_array(g->a, uint32_t, g->t->max_pkgs + 1) };
	link_world(&o);
	if (!count_stale(&o))
		return false;
	while (o.n_open) {
		const struct satom *want = &w->v[take_fewest(&o)];
		struct filter f = { .want = want, .own_pin = satom_pin(want) };
		struct spref pref = { .t = g->t, .name = want->name, .pin = f.own_pin };
		uint32_t pkg = best_option(g, &f, &pref);
		size_t mark = g->lasting.n;
		choose(g, pkg);
		disqualify_conflicts(g, pkg);
		mark_stale(&o, mark);
		if (!count_stale(&o))
			return false;
	}
	return true;
}

static void list(struct greedy *g, uint32_t pkg, const struct satom *atom)
{
	uint32_t own = stab_own(g->t, pkg);
	if (g->done[own])
		return;
	g->done[own] = 1;
	vec_push(g->a, g->ret, pkg);
	bool pinned = satom_pin(atom).n && str_eq(stab_tag(g->t, pkg), satom_pin(atom));
	g->ret->pins[g->ret->n - 1] = pinned ? atom : NULL;
}

struct taken {
	struct greedy *g;
	const struct u32s *added;
	uint32_t root;	/* the requested package */
};

static bool is_taken(const struct taken *k, uint32_t pkg)
{
	const struct greedy *g = k->g;
	uint32_t own = stab_own(g->t, pkg);
	if (k->root == pkg || g->existing[own] == pkg + 1)
		return true;
	return g->added[own] == pkg + 1;
}

static bool not_taken(void *ctx, uint32_t other, uint32_t name)
{
	(void)name;
	return !is_taken(ctx, other);
}

static bool excludes(struct greedy *g, const struct taken *k, const struct satoms *deps,
	uint32_t pkg)
{
	for (uint32_t i = 0; i < deps->n; i++) {
		uint32_t n;
		const struct cand *c = stab_cands(g->t, deps->v[i].name, &n);
		for (uint32_t j = 0; deps->v[i].conflict && j < n; j++)
			if (c[j].pkg != pkg && is_taken(k, c[j].pkg) &&
				smatch(g->t, &deps->v[i], c[j].pkg))
				return true;
	}
	return false;
}

/* What came in with an install_if package must get on with all that is there. */
static bool fits(struct greedy *g, const struct u32s *added, size_t from, uint32_t root)
{
	struct taken k = { g, added, root };
	for (size_t i = from; i < added->n; i++) {
		uint32_t pkg = added->v[i];
		if (!sexcl_each(g->t, pkg, not_taken, &k) ||
			excludes(g, &k, stab_deps(g->t, pkg), pkg))
			return false;
	}
	return true;
}

static void add(struct greedy *g, struct u32s *added, uint32_t pkg)
{
	uint32_t *at = &g->added[stab_own(g->t, pkg)];
	if (*at)
		return;
	*at = pkg + 1;
	vec_push(g->a, added, pkg);
}

/* Brings pkg in with all it needs, or leaves everything as it was. */
static void try_triggered(struct greedy *g, struct u32s *added, uint32_t pkg, uint32_t root)
{
	size_t lasting = g->lasting.n, local = g->local.n, n = added->n;
	unsigned depth = g->depth;
	if (is_out(g, pkg))
		return;
	g->out.n = 0;
	disqualify_conflicts(g, pkg);
	bool ok = expand(g, pkg);
	if (ok) {
		for (size_t i = 0; i < g->out.n; i++)
			add(g, added, g->out.v[i]);
		add(g, added, pkg);
		ok = fits(g, added, n, root);
	}
	if (ok)
		return;
	g->depth = depth;
	undo_to(&g->lasting, lasting);
	undo_to(&g->local, local);
	for (; added->n > n; added->n--)
		g->added[stab_own(g->t, added->v[added->n - 1])] = 0;
}

static bool solve_atom(struct greedy *g, const struct satom *atom)
{
	struct filter f = { .want = atom, .own_pin = satom_pin(atom) };
	struct spref pref = { .t = g->t, .name = atom->name, .pin = satom_pin(atom) };
	uint32_t pkg = best_option(g, &f, &pref);
	struct u32s added = { 0 }, tried = { 0 };
	uint32_t next;
	g->out.n = 0;
	g->depth = 0;
	g->pin = satom_pin(atom);
	if (pkg == NO_ID || !expand(g, pkg))
		return false;
	for (size_t i = 0; i < g->out.n; i++)
		add(g, &added, g->out.v[i]);
	struct striggers tr = { g->added, &added, &tried };
	while ((next = striggered(g->t, &tr)) != NO_ID) {
		vec_push(g->a, &tried, next);
		try_triggered(g, &added, next, pkg);
	}
	undo_to(&g->local, 0);
	add(g, &added, pkg);
	for (size_t i = 0; i < added.n; i++) {
		uint32_t own = stab_own(g->t, added.v[i]);
		g->added[own] = 0;
		list(g, added.v[i], atom);
		if (g->existing[own])
			continue;
		choose(g, added.v[i]);
		origin_chosen(g, added.v[i]);
	}
	return true;
}

static void state_room(struct greedy *g)
{
	struct stab *t = g->t;
	/* at once: large memory comes zeroed without being touched */
	uint32_t *by_name[] = { NULL, NULL, NULL, NULL, NULL }, *by_pkg[] = { NULL, NULL, NULL };
	size_t names = t->max_names + 1, pkgs = t->max_pkgs + 1;
	uint32_t *room = arena_array(g->a, uint32_t,
		names * countof(by_name) + pkgs * countof(by_pkg));
	for (size_t i = 0; i < countof(by_name); i++, room += names)
		by_name[i] = room;
	for (size_t i = 0; i < countof(by_pkg); i++, room += pkgs)
		by_pkg[i] = room;
	g->selected = by_name[0];
	g->existing = by_name[1];
	g->done = by_name[2];
	g->on_path = by_name[3];
	g->added = by_name[4];
	g->dq = by_pkg[0];
	g->origin_of = by_pkg[1];
	g->origin_pkg = by_pkg[2];
	origins_room(g, 256);
}

bool sgreedy(struct stab *t, const struct satoms *world, struct arena *a, struct sset *ret)
{
	struct greedy g = { .t = t, .a = a, .world = world, .ret = ret };
	*ret = (struct sset){ 0 };
	state_room(&g);
	ret->pins = arena_array(a, const struct satom *, t->max_names + 1);
	if (!constrain(&g, world) || !choose_world(&g))
		return false;
	for (size_t i = 0; i < g.chosen.n; i++)
		origin_chosen(&g, g.existing[g.chosen.v[i]] - 1);
	for (uint32_t i = 0; i < world->n; i++)
		if (!world->v[i].conflict && !solve_atom(&g, &world->v[i]))
			return false;
	return true;
}
