#include "shared/apk/solve_int.h"

/* A package's lists and the request, as the resolver works on them. */

struct satom stab_atom(struct stab *t, const struct apk_dep *d)
{
	return (struct satom){ .text = d->text, .name = stab_find(t, d->name),
		.version = { d->version, apko_version_valid(d->version) },
		.op = (uint8_t)d->op, .conflict = d->conflict, .checksum = d->checksum,
		.versioned = d->version.n && !d->checksum, .asked = d };
}

struct str satom_name(const struct stab *t, const struct satom *s)
{
	return s->asked ? s->asked->name : stab_name(t, s->name);
}

static const char *lacking_arch(struct stab *t, const struct apk_pkg *p)
{
	for (size_t i = 0; i < t->n_archs; i++) {
		bool has = false;
		for (uint32_t k = 0; k < t->archs[i].n_src && !has; k++) {
			const struct ssource *s = &t->archs[i].src[k];
			uint32_t n;
			const uint32_t *c = pack_cands(s->pack,
				stab_find_in(t, s->pack, p->name), &n);
			for (uint32_t m = 0; m < n && !has && (c[m] & PACK_OWN); m++)
				has = str_eq(ssource_pkg(s, c[m] >> 2)->version, p->version);
		}
		if (!has)
			return arena_printf(t->a, "package \"%.*s-%.*s.apk\" not available for "
						  "arch \"%.*s\"",
				STR_ARG(p->name), STR_ARG(p->version),
				STR_ARG(t->archs[i].arch));
	}
	return NULL;
}

/* A name at two versions in one package excludes the package itself. */
static const char *against_itself(struct stab *t, uint32_t pkg)
{
	stab_with_texts(t);
	const struct satoms *list = stab_provides(t, pkg);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct satom *m = &list->v[i];
		struct str v = m->version.text;
		if (!v.n)
			continue;
		if (m->name == stab_own(t, pkg) && !str_eq(v, stab_p(t, pkg)->version))
			return arena_printf(t->a, "it conflicts with itself on \"%.*s\"",
				STR_ARG(m->text));
		for (uint32_t k = i + 1; k < list->n; k++) {
			const struct satom *o = &list->v[k];
			if (o->name == m->name && o->version.text.n && !str_eq(o->version.text, v))
				return arena_printf(t->a,
					"it conflicts with itself: it provides \"%.*s\" and "
					"\"%.*s\"",
					STR_ARG(m->text), STR_ARG(o->text));
		}
	}
	return "it conflicts with itself";
}

static void read_atoms(struct stab *t, uint32_t source, uint32_t first, struct satoms *s)
{
	const struct pack *k = t->src[source].pack;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct pack_atom *m = &k->atoms[first + i];
		uint32_t name = stab_local(t, source, m->name);
		s->v[i] = (struct satom){
			.text = t->texts ? pack_atom_text(k, m) : STR_NONE,
			.version = { pack_atom_version(k, m), !(m->flags & PACK_BAD_VERSION) },
			.name = name,
			.op = m->op,
			.conflict = m->flags & PACK_CONFLICT,
			.checksum = m->flags & PACK_CHECKSUM,
			.versioned = m->version_n && !(m->flags & PACK_CHECKSUM),
		};
	}
}

enum list_kind { L_DEPS, L_PROVIDES, L_INSTALL_IF };

/* Whether the texts of a package's atoms may be looked at. */
static bool has_texts(struct stab *t, const struct sref *r)
{
	const struct pack *k = t->src[r->source].pack;
	if (!r->parsed->record_ok && !pack_record_ok(k, r->local))
		t->damaged = k;
	r->parsed->record_ok = true;
	return !t->damaged;
}

/* Whether its lists can be read at all. */
static bool has_lists(struct stab *t, const struct sref *r)
{
	const struct pack *k = t->src[r->source].pack;
	if (t->damaged || k->pkgs[r->local].flags & PACK_MALFORMED)
		return false;
	if (!r->parsed->atoms_ok && !pack_atoms_ok(k, r->local))
		t->damaged = k;
	r->parsed->atoms_ok = true;
	return !t->damaged && (!t->texts || has_texts(t, r));
}

struct sprovides stab_provided(struct stab *t, uint32_t pkg)
{
	const struct sref *r = &t->refs[pkg];
	const struct pack *k = t->src[r->source].pack;
	const struct pack_pkg *p = &k->pkgs[r->local];
	(void)stab_pkg(t, pkg);
	if (!p->n_provides || !has_lists(t, r))
		return (struct sprovides){ 0 };
	return (struct sprovides){ k, &k->atoms[p->atoms + p->n_deps], p->n_provides, r->source };
}

static const struct satoms *list_of(struct stab *t, uint32_t pkg, enum list_kind kind)
{
	static const struct satoms none;
	struct spkg *s = stab_read(t, pkg);
	const struct sref *r = &t->refs[pkg];
	const struct pack_pkg *p = &t->src[r->source].pack->pkgs[r->local];
	const uint32_t n[] = { p->n_deps, p->n_provides, p->n_install_if };
	if (s->lists[kind])
		return s->lists[kind];
	if (!n[kind] || !has_lists(t, r))
		return &none;
	struct satoms *list = arena_alloc(t->a, sizeof(*list) + n[kind] * sizeof(struct satom));
	*list = (struct satoms){ (struct satom *)(list + 1), n[kind] };
	uint32_t first = p->atoms;
	for (unsigned i = 0; i < kind; i++)
		first += n[i];
	read_atoms(t, r->source, first, list);
	s->lists[kind] = list;
	return list;
}

static void add_texts(struct stab *t, const struct sref *r)
{
	const struct pack *k = t->src[r->source].pack;
	const struct pack_atom *m = &k->atoms[k->pkgs[r->local].atoms];
	const uint32_t n[] = { k->pkgs[r->local].n_deps, k->pkgs[r->local].n_provides,
		k->pkgs[r->local].n_install_if };
	if (!has_texts(t, r))
		return;
	for (unsigned kind = 0; kind < countof(n); m += n[kind++])
		for (uint32_t i = 0; r->parsed->lists[kind] && i < n[kind]; i++)
			r->parsed->lists[kind]->v[i].text = pack_atom_text(k, &m[i]);
}

void stab_with_texts(struct stab *t)
{
	for (uint32_t i = 0; i < t->n_refs && !t->texts; i++)
		if (t->refs[i].parsed && t->refs[i].parsed->atoms_ok)
			add_texts(t, &t->refs[i]);
	t->texts = true;
}

struct str stab_dep_text(struct stab *t, uint32_t pkg, const struct satom *dep)
{
	if (!dep->text.n)
		add_texts(t, &t->refs[pkg]);
	return dep->text;
}

const struct satoms *stab_deps(struct stab *t, uint32_t pkg)
{
	return list_of(t, pkg, L_DEPS);
}

const struct satoms *stab_provides(struct stab *t, uint32_t pkg)
{
	return list_of(t, pkg, L_PROVIDES);
}

const struct satoms *stab_install_if(struct stab *t, uint32_t pkg)
{
	return list_of(t, pkg, L_INSTALL_IF);
}

/* Why the package's lists cannot be read. */
static const char *malformed(struct stab *t, const struct apk_pkg *p)
{
	auto_err struct err err = ERR_INIT;
	struct apk_deps deps = { 0 }, more;
	if (apk_deps_parse(p->depends, t->a, &deps, &err) &&
		apk_provides_parse(p->provides, t->a, &more, &err) &&
		apk_provides_parse(p->install_if, t->a, &more, &err))
		for (size_t i = 0; i < deps.n; i++)
			if (deps.v[i].pin.n)
				(void)err_set(&err, EK_PARSE,
					"'%.*s' is not a valid package dependency: a repository tag "
					"belongs into the request",
					STR_ARG(deps.v[i].text));
	return arena_printf(t->a, "it is uninstallable: %s", err.kind ? err.msg : "bad lists");
}

static const char *why_out(struct stab *t, uint32_t pkg, uint32_t flags)
{
	const struct ssource *src = &t->src[t->refs[pkg].source];
	if (t->damaged)
		return "its cached record is damaged";
	/* packages of an index that is packed are all usable as they are */
	if ((src->list || src->idx->pkgs) && stab_p(t, pkg)->unusable)
		return stab_p(t, pkg)->unusable;
	if (flags & PACK_MALFORMED)
		return malformed(t, stab_p(t, pkg));
	if (flags & PACK_TWICE)
		return against_itself(t, pkg);
	return t->n_archs ? lacking_arch(t, stab_p(t, pkg)) : NULL;
}

struct spkg *stab_read(struct stab *t, uint32_t pkg)
{
	struct sref *r = &t->refs[pkg];
	const struct pack *k = t->src[r->source].pack;
	const struct pack_pkg *p = &k->pkgs[r->local];
	if (r->parsed)
		return r->parsed;
	struct spkg *s = r->parsed = arena_new(t->a, struct spkg);
	if (!t->damaged) {
		s->version.text = pack_str(k, p->version);
		s->version.valid = !(p->flags & PACK_BAD_VERSION);
		s->origin = pack_str(k, p->origin);
		s->provider_priority = p->provider_priority;
	}
	s->out = why_out(t, pkg, p->flags);
	return s;
}

struct str stab_tag(const struct stab *t, uint32_t pkg)
{
	const struct sref *r = &t->refs[pkg];
	const struct apk_index *idx = t->src[r->source].idx;
	if (!idx)
		idx = t->src[r->source].list[r->local]->index;
	return idx ? idx->tag : STR_NONE;
}

uint8_t stab_kept(const struct stab *t, uint32_t pkg)
{
	const struct ssource *s = &t->src[t->refs[pkg].source];
	return s->kept ? s->kept[t->refs[pkg].local] : 0;
}

bool stab_open_to_all(const struct stab *t, uint32_t pkg)
{
	return !stab_tag(t, pkg).n || stab_kept(t, pkg) == KEEP_TAGGED;
}

static bool has_tag(const struct apk_indexes *all, struct str tag)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i]->tag, tag))
			return true;
	return false;
}

bool stab_world(struct stab *t, const struct solve_req *req, struct arena *a,
	struct satoms *ret, struct err *err)
{
	struct strs texts = { 0 };
	for (size_t i = 0; i < req->world->n; i++)
		strs_push(t->a, &texts, req->world->v[i]);
	strs_sort(&texts);
	strs_uniq(&texts);
	struct satoms out = { .v = arena_array(a, struct satom, texts.n + 1) };
	for (size_t i = 0; i < texts.n; i++) {
		struct apk_dep *d = arena_new(a, struct apk_dep);
		if (!apk_dep_parse(arena_str(a, texts.v[i]), a, d, err))
			return false;
		if (d->pin.n && !has_tag(req->indexes, d->pin)) {
			(void)err_set(err, EK_PARSE,
				"the repository tag of '%.*s' does not exist",
				STR_ARG(d->text));
			return err_hint(err, "add a repository '@%.*s URL' or leave out '@%.*s'",
				STR_ARG(d->pin), STR_ARG(d->pin));
		}
		out.v[out.n++] = stab_atom(t, d);
	}
	*ret = out;
	return true;
}
