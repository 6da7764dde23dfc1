#include "shared/apk/solve_int.h"

#include <string.h>

bool smatch_version(const struct stab *t, const struct satom *want, struct str have,
	const struct apko_version *ver)
{
	const struct apk_dep *d = &want->dep;
	if (!d->op)
		return true;
	if (d->checksum)
		return false;
	if (!t->strict)
		return apko_version_match(ver, d->op, sver(t, want));
	return apk_version_valid(have) && apk_version_match(have, d->op, d->version);
}

static bool is_checksum(const struct apk_pkg *p, struct str text)
{
	uint8_t sum[32], n;
	return apk_q_parse(text, sum, &n) && n == p->checksum_n && memcmp(sum, p->checksum, n) == 0;
}

/* apko takes an unversioned provider for a versioned demand when any version it knows fits. */
static bool lenient(struct stab *t, uint32_t pkg, const struct satom *want)
{
	const struct spkg *s = stab_pkg(t, pkg);
	const struct satoms *provides = stab_provides(t, pkg);
	if (smatch_version(t, want, s->version, &s->ver))
		return true;
	for (uint32_t i = 0; i < provides->n; i++) {
		const struct satom *p = &provides->v[i];
		if (p->versioned && smatch_version(t, want, p->dep.version, sver(t, p)))
			return true;
	}
	return false;
}

bool smatch(struct stab *t, const struct satom *want, uint32_t pkg)
{
	const struct spkg *s = stab_pkg(t, pkg);
	if (stab_own(t, pkg) == want->name && want->name != NO_ID) {
		if (want->dep.checksum)
			return is_checksum(stab_p(t, pkg), want->dep.version);
		return smatch_version(t, want, s->version, &s->ver);
	}
	const struct satoms *provides = stab_provides(t, pkg);
	bool bare = false, versioned = false;
	for (uint32_t i = 0; i < provides->n; i++) {
		const struct satom *p = &provides->v[i];
		if (p->name != want->name)
			continue;
		if (!p->versioned) {
			bare = true;
			continue;
		}
		if (want->dep.op && !smatch_version(t, want, p->dep.version, sver(t, p)))
			return false;
		versioned = true;
	}
	if (versioned || !bare)
		return versioned;
	return !want->dep.op || (!t->strict && !want->dep.checksum && lenient(t, pkg, want));
}

const struct apko_version *sversion_for(struct stab *t, uint32_t pkg, uint32_t name)
{
	if (stab_own(t, pkg) == name)
		return &stab_pkg(t, pkg)->ver;
	const struct satoms *provides = stab_provides(t, pkg);
	for (uint32_t i = 0; i < provides->n; i++)
		if (provides->v[i].name == name)
			return provides->v[i].versioned ? sver(t, &provides->v[i]) : NULL;
	return NULL;
}

/* Among the bearers of a name: versioned ones exclude all others, bare ones the versioned. */
static bool excl_name(struct stab *t, uint32_t pkg, uint32_t name, bool versioned, sexcl_fn *fn,
	void *ctx)
{
	uint32_t n;
	const struct cand *c = stab_cands(t, name, &n);
	for (uint32_t i = 0; i < n; i++)
		if (c[i].pkg != pkg && (versioned || c[i].versioned) && !fn(ctx, c[i].pkg, name))
			return false;
	return true;
}

bool sexcl_each(struct stab *t, uint32_t pkg, sexcl_fn *fn, void *ctx)
{
	const struct satoms *provides = stab_provides(t, pkg);
	if (!excl_name(t, pkg, stab_own(t, pkg), true, fn, ctx))
		return false;
	for (uint32_t i = 0; i < provides->n; i++) {
		const struct satom *p = &provides->v[i];
		if (p->name != stab_own(t, pkg) && !excl_name(t, pkg, p->name, p->versioned, fn, ctx))
			return false;
	}
	return true;
}

static int flag_cmp(bool a, bool b)
{
	return a == b ? 0 : a ? -1 : 1;
}

/* Higher first; an invalid version is the lowest. */
static int version_cmp(const struct apko_version *a, const struct apko_version *b)
{
	return -apko_version_cmp(a, b);
}

/* Row 5: by the version for the requested name, where both have one. Total: bare is lowest. */
static int by_name(const struct spref *p, uint32_t a, uint32_t b, bool total)
{
	const struct apko_version *va = sversion_for(p->t, a, p->name);
	const struct apko_version *vb = sversion_for(p->t, b, p->name);
	if (va && vb)
		return version_cmp(va, vb);
	return total ? flag_cmp(va, vb) : 0;
}

/* Negative: a is preferred. */
static int prefer(const struct spref *p, uint32_t a, uint32_t b, bool total)
{
	struct stab *t = p->t;
	unsigned ka = p->known ? p->known(p, a) : 0, kb = p->known ? p->known(p, b) : 0;
	int r = t->installed ? flag_cmp(stab_kept(t, a), stab_kept(t, b)) : 0;
	if (!r)
		r = flag_cmp(ka & PREF_CHOSEN, kb & PREF_CHOSEN);
	if (!r)
		r = flag_cmp(ka & PREF_ORIGIN, kb & PREF_ORIGIN);
	if (!r)
		r = flag_cmp(str_eq(stab_tag(t, a), p->pin), str_eq(stab_tag(t, b), p->pin));
	if (!r)
		r = by_name(p, a, b, total);
	if (!r && stab_own(t, a) == stab_own(t, b))
		r = version_cmp(&stab_pkg(t, a)->ver, &stab_pkg(t, b)->ver);
	const struct spkg *pa = stab_pkg(t, a), *pb = stab_pkg(t, b);
	if (!r && pa->provider_priority != pb->provider_priority)
		r = pa->provider_priority > pb->provider_priority ? -1 : 1;
	if (!r)
		r = version_cmp(&stab_pkg(t, a)->ver, &stab_pkg(t, b)->ver);
	return r ? r : str_cmp(stab_name(t, stab_own(t, a)), stab_name(t, stab_own(t, b)));
}

static uint32_t first_best(const struct spref *p, const uint32_t *pkgs, uint32_t n, bool total)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < n; i++)
		if (prefer(p, pkgs[i], pkgs[best], total) < 0)
			best = i;
	return best;
}

uint32_t spref_best(const struct spref *p, const uint32_t *pkgs, uint32_t n)
{
	uint32_t best = first_best(p, pkgs, n, false);
	/* the preference may run in a circle: then nobody beats all the others */
	for (uint32_t i = 0; n > 2 && i < best; i++)
		if (prefer(p, pkgs[i], pkgs[best], false) < 0)
			return pkgs[first_best(p, pkgs, n, true)];
	return pkgs[best];
}

static bool token_met(struct stab *t, const uint32_t *added, const struct satom *tok)
{
	if (tok->name == NO_ID || tok->dep.conflict)
		return false;
	uint32_t have = added[tok->name];
	return have && (!tok->dep.op || str_eq(stab_pkg(t, have - 1)->version, tok->dep.version));
}

static bool all_met(struct stab *t, const uint32_t *added, uint32_t pkg)
{
	const struct satoms *iif = stab_install_if(t, pkg);
	for (uint32_t i = 0; i < iif->n; i++)
		if (!token_met(t, added, &iif->v[i]))
			return false;
	return iif->n > 0;
}

static bool is_listed(const struct u32s *list, uint32_t pkg)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i] == pkg)
			return true;
	return false;
}

uint32_t striggered(struct stab *t, const struct striggers *s)
{
	uint32_t first = NO_ID;
	for (size_t i = 0; i < s->list->n; i++) {
		uint32_t n;
		const uint32_t *tr = stab_triggers(t, stab_own(t, s->list->v[i]), &n);
		for (uint32_t k = 0; k < n; k++)
			if ((first == NO_ID || stab_order(t, tr[k]) < stab_order(t, first)) &&
				!s->added[stab_own(t, tr[k])] && !is_listed(s->tried, tr[k]) &&
				all_met(t, s->added, tr[k]))
				first = tr[k];
	}
	return first;
}
