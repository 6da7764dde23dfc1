#include "shared/apk/solve_int.h"

struct check {
	struct stab *t;
	const struct sset *set;
	uint8_t *in;		/* per package: it is in the set */
	uint64_t *pins;		/* per package: world pins it may inherit, a bit each; or NULL */
	struct strs tags;
	uint32_t at;		/* package being checked, NO_ID = the request */
	struct err *err;
};

static struct str who(const struct check *k, uint32_t pkg)
{
	return pkg == NO_ID ? S("the request") : apk_pkg_nv(stab_p(k->t, pkg), k->t->a);
}

static bool meets(struct check *k, const struct satom *atom)
{
	uint32_t n;
	const struct cand *c = stab_cands(k->t, atom->name, &n);
	for (uint32_t i = 0; i < n; i++)
		if (k->in[c[i].pkg] && smatch(k->t, atom, c[i].pkg))
			return true;
	return false;
}

static bool check_conflict(struct check *k, const struct satom *atom)
{
	uint32_t n;
	const struct cand *c = stab_cands(k->t, atom->name, &n);
	for (uint32_t i = 0; i < n; i++)
		if (c[i].pkg != k->at && k->in[c[i].pkg] && smatch(k->t, atom, c[i].pkg))
			return err_set(k->err, EK_CONFLICT, "'%.*s' is excluded by '%.*s' of %.*s",
				STR_ARG(who(k, c[i].pkg)), STR_ARG(atom->text),
				STR_ARG(who(k, k->at)));
	return true;
}

static bool check_atoms(struct check *k, const struct satoms *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		const struct satom *atom = &list->v[i];
		if (atom->conflict ? !check_conflict(k, atom) : !meets(k, atom))
			return k->err->kind ? false
					    : err_set(k->err, EK_CONFLICT,
						      "nothing in the set provides '%.*s', which "
						      "%.*s needs",
						      STR_ARG(atom->text),
						      STR_ARG(who(k, k->at)));
	}
	return true;
}

static bool excluded(void *ctx, uint32_t other, uint32_t name)
{
	struct check *k = ctx;
	if (!k->in[other])
		return true;
	return err_set(k->err, EK_CONFLICT, "'%.*s' and '%.*s' exclude each other: '%.*s'",
		STR_ARG(who(k, k->at)), STR_ARG(who(k, other)), STR_ARG(stab_name(k->t, name)));
}

static bool check_pkg(struct check *k, uint32_t pkg)
{
	const struct spkg *s = stab_pkg(k->t, pkg);
	const struct satoms *deps = stab_deps(k->t, pkg);
	k->at = pkg;
	if (s->out)
		return err_set(k->err, EK_CONFLICT, "'%.*s' must not be chosen: %s",
			STR_ARG(who(k, pkg)), s->out);
	return check_atoms(k, deps) && sexcl_each(k->t, pkg, excluded, k);
}

/* Hands the pins of what asks for the atom on to what meets it; true if that is news. */
static bool inherit(struct check *k, const struct satom *atom, uint64_t pins)
{
	uint32_t n;
	bool news = false;
	const struct cand *c = stab_cands(k->t, atom->name, &n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t pkg = c[i].pkg;
		if (!k->in[pkg] || atom->conflict || !(pins & ~k->pins[pkg]) ||
			!smatch(k->t, atom, pkg))
			continue;
		k->pins[pkg] |= pins;
		news = true;
	}
	return news;
}

static void spread_pins(struct check *k, const struct satoms *world)
{
	for (uint32_t i = 0; i < world->n; i++) {
		struct str pin = satom_pin(&world->v[i]);
		if (!pin.n)
			continue;
		if (!k->pins)
			k->pins = arena_array(k->t->a, uint64_t, k->t->max_pkgs + 1);
		size_t bit = 0;
		while (bit < k->tags.n && !str_eq(k->tags.v[bit], pin))
			bit++;
		if (bit == k->tags.n)
			strs_push(k->t->a, &k->tags, pin);
		if (bit < 64)
			(void)inherit(k, &world->v[i], (uint64_t)1 << bit);
	}
	for (bool news = k->tags.n; news;) {
		news = false;
		for (uint32_t i = 0; i < k->set->n; i++) {
			uint32_t pkg = k->set->v[i];
			const struct satoms *deps = stab_deps(k->t, pkg);
			for (uint32_t d = 0; k->pins[pkg] && d < deps->n; d++)
				news |= inherit(k, &deps->v[d], k->pins[pkg]);
		}
	}
}

/* A tagged repository serves only what asks for its tag, and what that needs. */
static bool check_tags(struct check *k, const struct satoms *world)
{
	spread_pins(k, world);
	for (uint32_t i = 0; i < k->set->n; i++) {
		uint32_t pkg = k->set->v[i];
		struct str tag = stab_tag(k->t, pkg);
		bool ok = stab_open_to_all(k->t, pkg);
		for (size_t b = 0; b < k->tags.n && b < 64 && !ok; b++)
			ok = (k->pins[pkg] >> b & 1) && str_eq(k->tags.v[b], tag);
		if (!ok)
			return err_set(k->err, EK_CONFLICT,
				"'%.*s' is from a repository that only '@%.*s' may use",
				STR_ARG(who(k, pkg)), STR_ARG(tag));
	}
	return true;
}

bool scheck(struct stab *t, const struct satoms *world, const struct sset *set, struct err *err)
{
	struct check k = { .t = t, .set = set, .at = NO_ID, .err = err };
	k.in = arena_array(t->a, uint8_t, t->max_pkgs + 1);
	for (uint32_t i = 0; i < set->n; i++)
		k.in[set->v[i]] = 1;
	if (!check_atoms(&k, world))
		return false;
	for (uint32_t i = 0; i < set->n; i++)
		if (!check_pkg(&k, set->v[i]))
			return false;
	return check_tags(&k, world);
}
