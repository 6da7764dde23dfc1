#include "shared/apk/solve_search.h"

#include "shared/text/jwrite.h"

/* What can be done about a contradiction, and the account of it for machines. */

#define MAX_TRIES 24
#define MAX_CHANGES 3
#define MAX_JSON (1u << 20)
#define MAX_CANDS 50	/* of one need */

static struct satom relaxed(const struct satom *m)
{
	struct satom out = *m;
	out.op = 0;
	out.version = (struct sver){ STR_NONE, false };
	out.checksum = out.versioned = false;
	return out;
}

static bool possible(struct account *k, struct change c)
{
	struct search *s = k->s;
	struct satoms world = { 0 };
	world.v = arena_array(s->a, struct satom, s->world->n + 1);
	for (uint32_t i = 0; i < s->world->n; i++) {
		const struct satom *m = &s->world->v[i];
		if (m != c.atom)
			world.v[world.n++] = *m;
		else if (c.kind == CHANGE_RELAX)
			world.v[world.n++] = relaxed(m);
	}
	if (c.kind == CHANGE_ADD)
		world.v[world.n++] = *c.atom;
	return ++k->tries <= MAX_TRIES && search_possible(s->t, &world, s->a);
}

static void propose(struct account *k, enum change_kind kind, const struct satom *atom)
{
	struct change c = { kind, atom };
	if (k->changes.n < MAX_CHANGES && possible(k, c))
		vec_push(k->s->a, &k->changes, c);
}

/* A candidate that only its repository's tag keeps away may be asked for by it. */
static void propose_tag(struct account *k, const struct fact *f)
{
	struct stab *t = k->s->t;
	uint32_t n;
	const struct cand *c = stab_cands(t, f->atom->name, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct str tag = stab_tag(t, c[i].pkg);
		if (stab_open_to_all(t, c[i].pkg) || stab_pkg(t, c[i].pkg)->out ||
			!smatch(t, f->atom, c[i].pkg))
			continue;
		struct apk_dep *d = arena_new(k->s->a, struct apk_dep);
		d->name = stab_name(t, stab_own(t, c[i].pkg));
		d->pin = tag;
		d->text = arena_strf(k->s->a, "%.*s@%.*s", STR_ARG(d->name), STR_ARG(tag));
		struct satom *atom = arena_new(k->s->a, struct satom);
		*atom = stab_atom(t, d);
		propose(k, CHANGE_ADD, atom);
		return;
	}
}

/* Only what the request itself asks for can be changed; the nearer change first. */
void account_changes(struct account *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->facts[i]->kind == FACT_NEED && k->facts[i]->who != NO_ID)
			propose_tag(k, k->facts[i]);
	for (enum change_kind kind = CHANGE_RELAX; kind <= CHANGE_REMOVE && !k->changes.n; kind++)
		for (size_t i = 0; i < k->n; i++) {
			const struct fact *f = k->facts[i];
			bool asked = f->who == NO_ID && f->kind != FACT_EXCLUSION;
			bool loose = asked && (!f->atom->op || f->atom->conflict);
			if (asked && !(kind == CHANGE_RELAX && loose))
				propose(k, kind, f->atom);
		}
}

static struct str nv(const struct account *k, uint32_t pkg)
{
	return apk_pkg_nv(stab_p(k->s->t, pkg), k->s->a);
}

static void write_who(struct account *k, struct jwrite *w, uint32_t who)
{
	jw_key(w, "who");
	if (who == NO_ID)
		jw_null(w);
	else
		jw_str(w, nv(k, who));
}

static void write_candidate(struct account *k, struct jwrite *w, const struct fact *f, uint32_t pkg)
{
	const struct apk_index *idx = stab_p(k->s->t, pkg)->index;
	const char *rejected = account_unfit(k->s, f, pkg);
	jw_object(w);
	jw_kstr(w, "package", nv(k, pkg));
	jw_kstr_opt(w, "repository", idx ? idx->repo : STR_NONE);
	jw_kstr_opt(w, "tag", idx ? idx->tag : STR_NONE);
	jw_kstr_opt(w, "rejected", str_of(rejected));
	jw_object_end(w);
}

static void write_need(struct account *k, struct jwrite *w, const struct fact *f)
{
	uint32_t n, last = NO_ID;
	const struct cand *c = stab_cands(k->s->t, f->atom->name, &n);
	write_who(k, w, f->who);
	jw_kstr(w, "atom", f->atom->text);
	jw_key(w, "candidates");
	jw_array(w);
	for (uint32_t i = 0; i < n && i < MAX_CANDS; i++) {
		if (c[i].pkg != last)
			write_candidate(k, w, f, c[i].pkg);
		last = c[i].pkg;
	}
	jw_array_end(w);
}

static void write_fact(struct account *k, struct jwrite *w, const struct fact *f)
{
	static const char *const kinds[] = { [FACT_NEED] = "needs", [FACT_CONFLICT] = "excludes",
		[FACT_EXCLUSION] = "shares" };
	jw_object(w);
	jw_kstr(w, "fact", str_of(kinds[f->kind]));
	switch (f->kind) {
	case FACT_NEED:
		write_need(k, w, f);
		break;
	case FACT_CONFLICT:
		write_who(k, w, f->who);
		jw_kstr(w, "atom", f->atom->text);
		jw_kstr(w, "package", nv(k, f->other));
		break;
	case FACT_EXCLUSION:
		jw_kstr(w, "name", stab_name(k->s->t, f->name));
		jw_key(w, "packages");
		jw_array(w);
		jw_str(w, nv(k, f->who));
		jw_str(w, nv(k, f->other));
		jw_array_end(w);
		break;
	}
	jw_object_end(w);
}

char *account_json(struct account *k)
{
	static const char *const keys[] = { "add", "replace", "remove" };
	struct buf out = BUF_INIT(MAX_JSON);
	struct jwrite w;
	jw_init(&w, &out, 0);
	jw_object(&w);
	jw_kstr(&w, "kind", S("conflict"));
	jw_key(&w, "facts");
	jw_array(&w);
	for (size_t i = 0; i < k->n; i++)
		write_fact(k, &w, k->facts[i]);
	jw_array_end(&w);
	jw_key(&w, "changes");
	jw_array(&w);
	for (size_t i = 0; i < k->changes.n; i++) {
		const struct change *c = &k->changes.v[i];
		jw_object(&w);
		jw_kstr(&w, keys[c->kind], c->atom->text);
		if (c->kind == CHANGE_RELAX)
			jw_kstr(&w, "with", satom_name(k->s->t, c->atom));
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	if (out.over) {
		buf_release(&out);
		return NULL;
	}
	return buf_steal(&out);
}
