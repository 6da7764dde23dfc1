#include "shared/apk/solve_int.h"

static void export(struct stab *t, const struct sset *set, struct arena *a,
	struct solve_result *ret)
{
	struct solve_result r = { .n = set->n };
	r.pkgs = arena_array(a, const struct apk_pkg *, set->n + 1);
	r.pins = arena_array(a, const struct apk_dep *, set->n + 1);
	for (uint32_t i = 0; i < set->n; i++) {
		r.pkgs[i] = stab_p(t, set->v[i]);
		r.pins[i] = set->pins[i] ? set->pins[i]->asked : NULL;
	}
	*ret = r;
}

static bool greedy_is_sound(struct stab *t, const struct satoms *world, struct arena *a,
	struct sset *ret)
{
	auto_err struct err unsound = ERR_INIT;
	return sgreedy(t, world, a, ret) && scheck(t, world, ret, &unsound);
}

bool solve(const struct solve_req *req, struct arena *a, struct solve_result *ret,
	struct err *err)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct stab t;
	struct satoms world;
	struct sset set;
	if (!stab_build(&t, req, &tmp, err) || !stab_world(&t, req, a, &world, err))
		return false;
	bool ok = greedy_is_sound(&t, &world, &tmp, &set) ||
		  (ssearch(&t, &world, &tmp, &set, err) && scheck(&t, &world, &set, err));
	if (ok) {
		sorder(&t, &set);
		export(&t, &set, a, ret);
	}
	if (t.damaged) {
		pack_drop(t.damaged);
		(void)err_set(err, EK_STALE, "the cached form of an index was damaged: '%s'",
			t.damaged->path);
		return err_hint(err, "it has been removed; run the command again");
	}
	return ok;
}

/* Checked with tables of the result alone, so that nothing of the choice is taken on trust. */
bool solve_check(const struct solve_req *req, const struct solve_result *r, struct err *err)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct satoms world;
	struct sset set = { .n = (uint32_t)r->n };
	struct stab t;
	if (!stab_build_list(&t, r->pkgs, set.n, &tmp, err))
		return false;
	set.v = arena_array(&tmp, uint32_t, r->n + 1);
	for (uint32_t i = 0; i < set.n; i++)
		set.v[i] = stab_ref(&t, 0, i);
	stab_mark_installed(&t, req);
	if (!stab_world(&t, req, &tmp, &world, err))
		return false;
	auto_err struct err lenient = ERR_INIT;
	if (scheck(&t, &world, &set, &lenient))
		return true;
	t.strict = true;
	return scheck(&t, &world, &set, err);
}
