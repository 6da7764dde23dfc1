#include "shared/apk/solve_int.h"

#include <string.h>

bool smatch_version(const struct stab *t, const struct satom *want, struct sver have)
{
	struct str wanted = want->version.text;
	if (!want->op)
		return true;
	if (want->checksum)
		return false;
	if (!t->strict)
		return have.valid && want->version.valid &&
		       apko_valid_match(have.text, want->op, wanted);
	return apk_version_valid(have.text) && apk_version_match(have.text, want->op, wanted);
}

static bool is_checksum(const struct apk_pkg *p, struct str text)
{
	uint8_t sum[32], n;
	return apk_q_parse(text, sum, &n) && n == p->checksum_n && memcmp(sum, p->checksum, n) == 0;
}

bool smatch_any_version(struct stab *t, const struct satom *want, uint32_t pkg)
{
	if (smatch_version(t, want, stab_pkg(t, pkg)->version))
		return true;
	const struct sprovides p = stab_provided(t, pkg);
	for (uint32_t i = 0; i < p.n; i++)
		if (sprovided_versioned(&p, i) &&
			smatch_version(t, want, sprovided_version(&p, i)))
			return true;
	return false;
}

bool smatch(struct stab *t, const struct satom *want, uint32_t pkg)
{
	if (stab_own(t, pkg) == want->name && want->name != NO_ID) {
		if (want->checksum)
			return is_checksum(stab_p(t, pkg), want->version.text);
		return smatch_version(t, want, stab_pkg(t, pkg)->version);
	}
	const struct sprovides p = stab_provided(t, pkg);
	bool bare = false, versioned = false;
	for (uint32_t i = 0; i < p.n && want->name != NO_ID; i++) {
		if (!stab_is_local(t, p.source, p.v[i].name, want->name))
			continue;
		if (!sprovided_versioned(&p, i)) {
			bare = true;
			continue;
		}
		if (!smatch_version(t, want, sprovided_version(&p, i)))
			return false;
		versioned = true;
	}
	if (versioned || !bare)
		return versioned;
	/* apko takes an unversioned provider for a versioned demand when any version it has fits */
	return !want->op ||
	       (!t->strict && !want->checksum && smatch_any_version(t, want, pkg));
}

struct sver sversion_for(struct stab *t, uint32_t pkg, uint32_t name)
{
	const struct sver none = { STR_NONE, false };
	if (stab_own(t, pkg) == name)
		return stab_pkg(t, pkg)->version;
	const struct sprovides p = stab_provided(t, pkg);
	for (uint32_t i = 0; i < p.n; i++)
		if (stab_is_local(t, p.source, p.v[i].name, name))
			return sprovided_versioned(&p, i) ? sprovided_version(&p, i) : none;
	return none;
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
static int version_cmp(struct sver a, struct sver b)
{
	if (!a.valid || !b.valid)
		return (int)b.valid - (int)a.valid;
	return -apko_valid_cmp(a.text, b.text);
}

/* Row 5: by the version for the requested name, where both have one. Total: bare is lowest. */
static int by_name(const struct spref *p, uint32_t a, uint32_t b, bool total)
{
	struct sver va = sversion_for(p->t, a, p->name), vb = sversion_for(p->t, b, p->name);
	if (va.text.n && vb.text.n)
		return version_cmp(va, vb);
	return total ? flag_cmp(va.text.n, vb.text.n) : 0;
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
	const struct spkg *pa = stab_pkg(t, a), *pb = stab_pkg(t, b);
	if (!r && stab_own(t, a) == stab_own(t, b))
		r = version_cmp(pa->version, pb->version);
	if (!r && pa->provider_priority != pb->provider_priority)
		r = pa->provider_priority > pb->provider_priority ? -1 : 1;
	if (!r)
		r = version_cmp(pa->version, pb->version);
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
	if (tok->name == NO_ID || tok->conflict)
		return false;
	uint32_t have = added[tok->name];
	return have && (!tok->op || str_eq(stab_pkg(t, have - 1)->version.text, tok->version.text));
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
