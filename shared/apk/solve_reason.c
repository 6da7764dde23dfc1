#include "shared/apk/solve_reason.h"

#include "shared/apk/solve_int.h"

struct reach {
	struct stab t;		/* of the solution's packages */
	const struct solve_result *r;
	struct arena *a;
	struct solve_link *how;	/* per package, pkg NULL until reached */
	struct u32s queue;
};

static void arrive(struct reach *k, uint32_t pkg, struct solve_link how)
{
	if (k->how[pkg].pkg)
		return;
	how.pkg = stab_p(&k->t, pkg);
	k->how[pkg] = how;
	vec_push(k->a, &k->queue, pkg);
}

/* All that meets the atom. */
static void follow(struct reach *k, const struct satom *atom, const struct apk_pkg *by)
{
	uint32_t n;
	const struct cand *c = stab_cands(&k->t, atom->name, &n);
	for (uint32_t i = 0; i < n && !atom->conflict; i++)
		if (smatch(&k->t, atom, c[i].pkg))
			arrive(k, c[i].pkg, (struct solve_link){ .by = by, .atom = atom->text });
}

static void follow_all(struct reach *k, size_t from)
{
	for (size_t i = from; i < k->queue.n; i++) {
		const struct satoms *deps = stab_deps(&k->t, k->queue.v[i]);
		for (uint32_t d = 0; d < deps->n; d++)
			follow(k, &deps->v[d], stab_p(&k->t, k->queue.v[i]));
	}
}

/* What nobody asks for came for its install_if. */
static void follow_triggers(struct reach *k)
{
	for (uint32_t i = 0; i < k->r->n; i++) {
		uint32_t pkg = stab_ref(&k->t, 0, i);
		size_t from = k->queue.n;
		struct str list = stab_p(&k->t, pkg)->install_if;
		if (k->how[pkg].pkg || !list.n)
			continue;
		arrive(k, pkg, (struct solve_link){ .atom = list, .install_if = true });
		follow_all(k, from);
	}
}

static void take_chain(struct reach *k, uint32_t pkg, struct solve_reason *ret)
{
	size_t n = 0;
	for (uint32_t at = pkg;; n++) {
		const struct apk_pkg *by = k->how[at].by;
		if (!by)
			break;
		for (at = 0; stab_p(&k->t, at) != by; at++)
			;
	}
	ret->links = arena_array(k->a, struct solve_link, n + 1);
	ret->n = n + 1;
	for (uint32_t at = pkg;; n--) {
		ret->links[n] = k->how[at];
		ret->links[n].atom = arena_str(k->a, k->how[at].atom);
		if (!n)
			return;
		for (at = 0; stab_p(&k->t, at) != ret->links[n].by; at++)
			;
	}
}

static bool asks(struct reach *k, const struct satoms *list, uint32_t pkg)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (!list->v[i].conflict && smatch(&k->t, &list->v[i], pkg))
			return true;
	return false;
}

static void take_askers(struct reach *k, const struct satoms *world, uint32_t pkg,
	struct solve_reason *ret)
{
	ret->askers = arena_array(k->a, const struct apk_pkg *, k->r->n + 1);
	for (uint32_t i = 0; i < k->r->n; i++) {
		uint32_t other = stab_ref(&k->t, 0, i);
		if (other != pkg && asks(k, stab_deps(&k->t, other), pkg))
			ret->askers[ret->n_askers++] = k->r->pkgs[i];
	}
	ret->asked = asks(k, world, pkg);
}

static bool take_others(const struct solve_req *req, const struct apk_pkg *pkg, struct arena *a,
	struct solve_reason *ret, struct err *err)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct stab t;
	struct apk_dep d;
	const struct solve_link *last = &ret->links[ret->n - 1];
	uint32_t n;
	if (last->install_if)
		return true;
	if (!stab_build(&t, req, &tmp, err) || !apk_dep_parse(last->atom, &tmp, &d, err))
		return false;
	const struct satom atom = stab_atom(&t, &d);
	const struct cand *c = stab_cands(&t, atom.name, &n);
	ret->others = arena_array(a, const struct apk_pkg *, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		const struct apk_pkg *p = stab_p(&t, c[i].pkg);
		bool same = str_eq(p->name, pkg->name) && str_eq(p->version, pkg->version);
		bool again = i && c[i - 1].pkg == c[i].pkg;
		if (!same && !again && smatch(&t, &atom, c[i].pkg))
			ret->others[ret->n_others++] = p;
	}
	return true;
}

const struct apk_pkg *solve_named(const struct solve_result *r, struct str name, struct arena *a)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->pkgs[i]->name, name))
			return r->pkgs[i];
	for (size_t i = 0; i < r->n; i++) {
		auto_err struct err ignored = ERR_INIT;
		struct apk_deps list;
		if (!apk_provides_parse(r->pkgs[i]->provides, a, &list, &ignored))
			continue;
		for (size_t k = 0; k < list.n; k++)
			if (str_eq(list.v[k].name, name))
				return r->pkgs[i];
	}
	return NULL;
}

bool solve_reason(const struct solve_req *req, const struct solve_result *r,
	const struct apk_pkg *pkg, struct arena *a, struct solve_reason *ret, struct err *err)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct reach k = { .r = r, .a = a };
	struct satoms world;
	uint32_t target = 0;
	*ret = (struct solve_reason){ 0 };
	if (!stab_build_list(&k.t, r->pkgs, (uint32_t)r->n, &tmp, err) ||
		!stab_world(&k.t, req, a, &world, err))
		return false;
	k.how = arena_array(&tmp, struct solve_link, r->n + 1);
	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t ref = stab_ref(&k.t, 0, i);
		if (r->pkgs[i] == pkg)
			target = ref;
	}
	for (uint32_t i = 0; i < world.n; i++)
		follow(&k, &world.v[i], NULL);
	follow_all(&k, 0);
	follow_triggers(&k);
	if (!k.how[target].pkg)
		return err_set(err, EK_NOTFOUND, "nothing in the set asks for '%.*s'",
			STR_ARG(pkg->name));
	take_chain(&k, target, ret);
	take_askers(&k, &world, target, ret);
	return take_others(req, pkg, a, ret, err);
}
