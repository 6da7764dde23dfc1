#include "shared/apk/solve_int.h"

#include <string.h>

static void damaged(struct stab *t, const struct pack *k)
{
	if (!t->damaged)
		t->damaged = k;
}

uint32_t stab_find_in(struct stab *t, const struct pack *k, struct str name)
{
	uint32_t id = pack_find(k, name, pack_hash(name));
	if (id != PACK_DAMAGED)
		return id;
	damaged(t, k);
	return PACK_NO_NAME;
}

struct str stab_name(const struct stab *t, uint32_t name)
{
	return t->names[name].text;
}

static void grow_slots(struct stab *t)
{
	uint32_t size = t->mask ? (t->mask + 1) * 4 : 4096;
	t->slots = arena_array(t->a, uint32_t, size);
	t->mask = size - 1;
	for (uint32_t id = 0; id < t->n_names; id++) {
		uint32_t i = t->names[id].hash & t->mask;
		while (t->slots[i])
			i = (i + 1) & t->mask;
		t->slots[i] = id + 1;
	}
}

/* Slot of the name, or the free one where it would go. */
static uint32_t *slot_of(struct stab *t, struct str name, uint32_t hash)
{
	if (!t->slots || t->n_names > t->mask / 2)
		grow_slots(t);
	uint32_t i = hash & t->mask;
	while (t->slots[i] && (t->names[t->slots[i] - 1].hash != hash ||
				      !str_eq(t->names[t->slots[i] - 1].text, name)))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

/* The number of a source's name. */
uint32_t stab_local(struct stab *t, uint32_t source, uint32_t local)
{
	const struct ssource *s = &t->src[source];
	uint32_t *id = ids_at(&t->src[source].names, t->a, local);
	if (*id)
		return *id - 1;
	const struct pack_name *m = &s->pack->names[local];
	struct str text = STR_NONE;
	if (pack_name_ok(s->pack, local))
		text = pack_str(s->pack, m->text);
	else
		damaged(t, s->pack);
	uint32_t *slot = t->n_src > 1 ? slot_of(t, text, m->hash) : NULL;
	if (!slot || !*slot) {
		t->names[t->n_names++] = (struct sname){ .text = text, .hash = m->hash,
			.local = local, .source = source };
		if (slot)
			*slot = t->n_names;
	}
	*id = slot ? *slot : t->n_names;
	return *id - 1;
}

uint32_t stab_find(struct stab *t, struct str name)
{
	for (uint32_t i = 0; i < t->n_src; i++) {
		uint32_t local = stab_find_in(t, t->src[i].pack, name);
		if (local != PACK_NO_NAME)
			return stab_local(t, i, local);
	}
	return NO_ID;
}

uint32_t stab_ref(struct stab *t, uint32_t source, uint32_t local)
{
	const struct ssource *s = &t->src[source];
	uint32_t *id = ids_at(&t->src[source].pkgs, t->a, local);
	if (*id)
		return *id - 1;
	bool ok = pack_pkg_ok(s->pack, local);
	if (!ok)
		damaged(t, s->pack);
	uint32_t own = ok ? stab_local(t, source, s->pack->pkgs[local].name) : 0;
	t->refs[t->n_refs++] = (struct sref){ .source = source, .local = local, .own = own };
	*id = t->n_refs;
	return t->n_refs - 1;
}

const struct apk_pkg *ssource_pkg(const struct ssource *s, uint32_t local)
{
	return s->idx ? apk_index_pkg(s->idx, local) : s->list[local];
}

const struct apk_pkg *stab_p(struct stab *t, uint32_t pkg)
{
	const struct sref *r = &t->refs[pkg];
	const struct ssource *s = &t->src[r->source];
	const struct apk_pkg *p = ssource_pkg(s, r->local);
	if (p->unusable && s->pack->path)
		damaged(t, s->pack);
	return p;
}

uint32_t stab_order(const struct stab *t, uint32_t pkg)
{
	return t->src[t->refs[pkg].source].base + t->refs[pkg].local;
}

/* What a source has for the name, by its own number. */
static uint32_t local_name(struct stab *t, uint32_t source, const struct sname *m)
{
	if (source == m->source)
		return m->local;
	return stab_find_in(t, t->src[source].pack, m->text);
}

static uint32_t add_cands(struct stab *t, uint32_t source, const struct sname *m, bool own,
	struct cand *out)
{
	uint32_t n, k = 0;
	const uint32_t *c = pack_cands(t->src[source].pack, local_name(t, source, m), &n);
	for (uint32_t i = 0; i < n; i++)
		if (!(c[i] & PACK_OWN) == !own)
			out[k++] = (struct cand){ stab_ref(t, source, c[i] >> 2), own,
				c[i] & PACK_VERSIONED };
	return k;
}

static void find_cands(struct stab *t, struct sname *m)
{
	uint32_t n, all = 0, k = 0;
	m->ready = true;
	for (uint32_t i = 0; i < t->n_src; i++) {
		(void)pack_cands(t->src[i].pack, local_name(t, i, m), &n);
		all += n;
	}
	if (!all)
		return;
	struct cand *c = arena_array(t->a, struct cand, all);
	for (uint32_t i = 0; i < t->n_src; i++)
		k += add_cands(t, i, m, true, c + k);
	for (uint32_t i = 0; i < t->n_src; i++)
		k += add_cands(t, i, m, false, c + k);
	m->cands = c;
	m->n_cands = k;
}

const struct cand *stab_cands(struct stab *t, uint32_t name, uint32_t *ret_n)
{
	*ret_n = 0;
	if (name == NO_ID)
		return NULL;
	struct sname *m = &t->names[name];
	if (!m->ready && !t->damaged)
		find_cands(t, m);
	*ret_n = m->n_cands;
	return m->cands;
}

static void find_triggers(struct stab *t, struct sname *m)
{
	struct u32s list = { 0 };
	m->triggers_ready = true;
	for (uint32_t i = 0; i < t->n_src; i++) {
		uint32_t n, local = local_name(t, i, m);
		if (local == PACK_NO_NAME)
			continue;
		const struct pack_trigger *tr = pack_triggers(t->src[i].pack, local, &n);
		for (uint32_t k = 0; k < n; k++)
			vec_push(t->a, &list, stab_ref(t, i, tr[k].pkg));
	}
	m->triggers = list.v;
	m->n_triggers = (uint32_t)list.n;
}

const uint32_t *stab_triggers(struct stab *t, uint32_t name, uint32_t *ret_n)
{
	struct sname *m = &t->names[name];
	if (!m->triggers_ready && !t->damaged)
		find_triggers(t, m);
	*ret_n = m->n_triggers;
	return m->triggers;
}

void stab_each_name(struct stab *t, bool (*fn)(void *ctx, struct str name), void *ctx)
{
	for (uint32_t i = 0; i < t->n_src; i++) {
		const struct pack *k = t->src[i].pack;
		for (uint32_t m = 0; m < k->n_names; m++)
			if (k->names[m + 1].first != k->names[m].first && pack_name_ok(k, m) &&
				!fn(ctx, pack_str(k, k->names[m].text)))
				return;
	}
}

/* Making one */

/* The pack of an index, made here if it was not read as one. */
static const struct pack *pack_of(const struct apk_index *idx, struct arena *a, struct err *err)
{
	if (idx->pack)
		return idx->pack;
	struct pack_build *b = pack_begin(STR_NONE);
	for (size_t i = 0; i < idx->n; i++)
		pack_add(b, &idx->pkgs[i], STR_NONE);
	return pack_end(b, STR_NONE, a, err);
}

static struct ssource *pack_sources(const struct apk_indexes *all, struct arena *a,
	struct err *err)
{
	struct ssource *src = arena_array(a, struct ssource, all->n + 1);
	for (size_t i = 0; i < all->n; i++) {
		src[i].idx = all->v[i];
		src[i].pack = pack_of(all->v[i], a, err);
		if (!src[i].pack)
			return NULL;
	}
	return src;
}

static bool list_source(struct ssource *s, const struct apk_pkg *const *pkgs, uint32_t n,
	struct arena *a, struct err *err)
{
	struct pack_build *b = pack_begin(STR_NONE);
	for (uint32_t i = 0; i < n; i++)
		pack_add(b, pkgs[i], STR_NONE);
	s->list = pkgs;
	s->pack = pack_end(b, STR_NONE, a, err);
	return s->pack != NULL;
}

static bool same_pkg(const struct apk_pkg *a, const struct apk_pkg *b)
{
	if (!str_eq(a->name, b->name) || !str_eq(a->version, b->version))
		return false;
	return !a->checksum_n || a->checksum_n != b->checksum_n ||
	       memcmp(a->checksum, b->checksum, a->checksum_n) == 0;
}

/* Marks the package where a source has it. */
static bool mark(struct stab *t, struct ssource *s, const struct apk_pkg *p, uint8_t how)
{
	bool found = false;
	uint32_t n;
	const uint32_t *c = pack_cands(s->pack, stab_find_in(t, s->pack, p->name), &n);
	for (uint32_t i = 0; i < n && (c[i] & PACK_OWN); i++) {
		if (!same_pkg(ssource_pkg(s, c[i] >> 2), p))
			continue;
		if (!s->kept)
			s->kept = arena_array(t->a, uint8_t, s->pack->n_pkgs);
		s->kept[c[i] >> 2] = how;
		found = true;
	}
	return found;
}

static uint8_t how_kept(const struct apk_pkg *p)
{
	return p->index && p->index->tag.n ? KEEP : KEEP_TAGGED;
}

/* What is installed and no index has any more is a source of its own. */
static bool add_installed(struct stab *t, const struct solve_req *req, struct err *err)
{
	const struct apk_pkg **rest = arena_array(t->a, const struct apk_pkg *, req->n_installed + 1);
	uint32_t n = 0;
	for (size_t i = 0; i < req->n_installed; i++) {
		bool found = false;
		for (uint32_t k = 0; k < t->n_src; k++)
			found |= mark(t, &t->src[k], req->installed[i], how_kept(req->installed[i]));
		if (!found)
			rest[n++] = req->installed[i];
	}
	t->installed = true;
	if (!n)
		return true;
	struct ssource *s = &t->src[t->n_src];
	if (!list_source(s, rest, n, t->a, err))
		return false;
	s->kept = arena_array(t->a, uint8_t, n);
	for (uint32_t i = 0; i < n; i++)
		s->kept[i] = how_kept(rest[i]);
	t->n_src++;
	return true;
}

void stab_mark_installed(struct stab *t, const struct solve_req *req)
{
	for (size_t i = 0; i < req->n_installed; i++)
		(void)mark(t, &t->src[0], req->installed[i], how_kept(req->installed[i]));
	t->installed = req->n_installed;
}

static void make_room(struct stab *t)
{
	for (uint32_t i = 0; i < t->n_src; i++) {
		t->src[i].base = t->max_pkgs;
		t->max_pkgs += t->src[i].pack->n_pkgs;
		t->max_names += t->src[i].pack->n_names;
	}
	/* at once: large memory comes zeroed without being touched */
	size_t n_names = t->max_names + (size_t)1, n_refs = t->max_pkgs + (size_t)1;
	char *room = arena_alloc(t->a, n_names * sizeof(struct sname) + n_refs * sizeof(struct sref));
	t->names = (void *)room;
	t->refs = (void *)(t->names + n_names);
}

bool stab_build_list(struct stab *t, const struct apk_pkg *const *pkgs, uint32_t n, struct arena *a,
	struct err *err)
{
	*t = (struct stab){ .a = a, .n_src = 1 };
	t->src = arena_array(a, struct ssource, 1);
	if (!list_source(t->src, pkgs, n, a, err))
		return false;
	make_room(t);
	t->texts = true;
	return true;
}

static bool add_archs(struct stab *t, const struct solve_req *req, struct err *err)
{
	t->archs = arena_array(t->a, struct archset, req->n_others + 1);
	t->n_archs = req->n_others;
	for (size_t i = 0; i < req->n_others; i++) {
		t->archs[i].arch = req->other_archs[i];
		t->archs[i].n_src = (uint32_t)req->others[i]->n;
		t->archs[i].src = pack_sources(req->others[i], t->a, err);
		if (!t->archs[i].src)
			return false;
	}
	return true;
}

bool stab_build(struct stab *t, const struct solve_req *req, struct arena *a, struct err *err)
{
	*t = (struct stab){ .a = a, .n_src = (uint32_t)req->indexes->n };
	t->src = pack_sources(req->indexes, a, err);
	if (!t->src || (req->n_installed && !add_installed(t, req, err)) || !add_archs(t, req, err))
		return false;
	make_room(t);
	return true;
}
