#include "shared/apk/solve_int.h"

#include <stdlib.h>
#include <string.h>

struct archset {
	struct str arch;
	struct stab tab;	/* names and packages only */
};

/* FNV would do, but names are 20 to 30 bytes: eight at a time. */
static uint32_t hash(const char *p, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n;
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	uint64_t w = 0;
	memcpy(&w, p, n);
	h = (h ^ w) * 0xff51afd7ed558ccdu;
	h ^= h >> 29;
	h *= 0x94d049bb133111ebu;
	return (uint32_t)(h >> 32);
}

/* Slot of the name, or the free one where it would go. */
static uint32_t slot_of(const struct stab *t, const char *p, uint32_t n, uint32_t h)
{
	uint32_t i = h & t->mask;
	for (; t->slots[i]; i = (i + 1) & t->mask) {
		if (t->slots[i] >> 32 != h)
			continue;
		const struct sname *s = &t->names[(uint32_t)t->slots[i] - 1];
		if (s->n == n && memcmp(s->p, p, n) == 0)
			break;
	}
	return i;
}

static uint32_t intern(struct stab *t, const char *p, size_t n)
{
	uint32_t h = hash(p, n);
	uint32_t i = slot_of(t, p, (uint32_t)n, h);
	if (!t->slots[i]) {
		t->names[t->n_names] = (struct sname){ .p = p, .n = (uint32_t)n };
		t->slots[i] = (uint64_t)h << 32 | ++t->n_names;
	}
	return (uint32_t)t->slots[i] - 1;
}

uint32_t stab_find(const struct stab *t, struct str name)
{
	if (!name.n || name.n > UINT32_MAX || !t->n_names)
		return NO_ID;
	uint32_t i = slot_of(t, name.p, (uint32_t)name.n, hash(name.p, name.n));
	return t->slots[i] ? (uint32_t)t->slots[i] - 1 : NO_ID;
}

struct str stab_name(const struct stab *t, uint32_t name)
{
	return str_n(t->names[name].p, t->names[name].n);
}

struct word {
	const char *p;
	uint32_t name_n;	/* bytes before operator or tag */
	bool versioned;
};

/* The next item of a list, without parsing it. */
static bool next_item(const char **at, const char *end, struct word *ret)
{
	const char *p = *at;
	while (p < end && (unsigned char)*p <= ' ')
		p++;
	if (p == end)
		return false;
	const char *start = p, *name_end = NULL;
	for (; p < end && (unsigned char)*p > ' '; p++)
		if (!name_end && (*p == '=' || *p == '<' || *p == '>' || *p == '~' || *p == '@'))
			name_end = p;
	ret->p = start;
	ret->name_n = (uint32_t)((name_end ? name_end : p) - start);
	ret->versioned = name_end && *name_end != '@';
	*at = p;
	return true;
}

static uint32_t count_items(struct str list)
{
	const char *p = list.p, *end = list.p + list.n;
	uint32_t n = 0;
	for (bool in = false; p < end; p++) {
		bool word = (unsigned char)*p > ' ';
		n += word && !in;
		in = word;
	}
	return n;
}

static void table_room(struct stab *t, uint32_t items)
{
	uint32_t size = 16;
	while (size < items + items / 3)
		size *= 2;
	t->mask = size - 1;
	t->slots = arena_array(t->a, uint64_t, size);
	t->names = arena_array(t->a, struct sname, items + 1);
}

static void intern_own(struct stab *t)
{
	t->own = arena_array(t->a, uint32_t, t->n_pkgs + 1);
	for (uint32_t i = 0; i < t->n_pkgs; i++) {
		t->own[i] = intern(t, t->pkgs[i]->name.p, t->pkgs[i]->name.n);
		t->names[t->own[i]].first++;
	}
	t->n_own = t->n_names;
}

/* Names of all provides, in order, so that the candidates can be laid out without gaps. */
static uint32_t *intern_provides(struct stab *t, uint32_t items)
{
	uint32_t *ids = malloc((items + 1) * sizeof(*ids));
	if (!ids)
		BUG("out of memory");
	uint32_t k = 0;
	for (uint32_t i = 0; i < t->n_pkgs; i++) {
		struct str list = t->pkgs[i]->provides;
		const char *at = list.p;
		struct word w;
		while (next_item(&at, list.p + list.n, &w)) {
			uint32_t id = intern(t, w.p, w.name_n);
			t->names[id].first++;
			ids[k++] = id << 1 | w.versioned;
		}
	}
	return ids;
}

/* Counts become places; filling moves each place on by its count, so all are one ahead after. */
static void lay_out(struct stab *t, const uint32_t *ids, uint32_t items)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i <= t->n_names; i++) {
		uint32_t n = t->names[i].first;
		t->names[i].first = sum;
		sum += n;
	}
	t->cands = arena_array(t->a, struct cand, t->n_pkgs + items + 1);
	for (uint32_t i = 0; i < t->n_pkgs; i++)
		t->cands[t->names[t->own[i]].first++] =
			(struct cand){ .pkg = i, .item = CAND_OWN, .versioned = true };
	for (uint32_t i = 0, k = 0; k < items; i++) {
		uint32_t n = count_items(t->pkgs[i]->provides);
		for (uint32_t item = 0; item < n; item++, k++)
			t->cands[t->names[ids[k] >> 1].first++] = (struct cand){
				.pkg = i, .item = item, .versioned = ids[k] & 1 };
	}
	for (uint32_t i = t->n_names; i > 0; i--)
		t->names[i].first = t->names[i - 1].first;
	t->names[0].first = 0;
}

static int trigger_cmp(const void *a, const void *b)
{
	const struct strigger *x = a, *y = b;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->pkg < y->pkg ? -1 : x->pkg > y->pkg;
}

static void find_triggers(struct stab *t)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < t->n_pkgs; i++)
		n += count_items(t->pkgs[i]->install_if);
	t->triggers = arena_array(t->a, struct strigger, n + 1);
	for (uint32_t i = 0; i < t->n_pkgs; i++) {
		struct str list = t->pkgs[i]->install_if;
		const char *at = list.p;
		struct word w;
		while (next_item(&at, list.p + list.n, &w)) {
			uint32_t id = stab_find(t, str_n(w.p, w.name_n));
			if (id != NO_ID)
				t->triggers[t->n_triggers++] = (struct strigger){ id, i };
		}
	}
	qsort(t->triggers, t->n_triggers, sizeof(*t->triggers), trigger_cmp);
}

static void build(struct stab *t)
{
	uint32_t items = 0;
	for (uint32_t i = 0; i < t->n_pkgs; i++)
		items += count_items(t->pkgs[i]->provides);
	table_room(t, t->n_pkgs + items);
	intern_own(t);
	uint32_t *ids = intern_provides(t, items);
	lay_out(t, ids, items);
	free(ids);
	find_triggers(t);
	t->parsed = arena_array(t->a, struct spkg *, t->n_pkgs + 1);
}

void stab_build_list(struct stab *t, const struct apk_pkg *const *pkgs, uint32_t n,
	struct arena *a)
{
	*t = (struct stab){ .a = a, .n_pkgs = n };
	t->pkgs = arena_array(a, const struct apk_pkg *, n + 1);
	if (n)
		memcpy(t->pkgs, pkgs, n * sizeof(*pkgs));
	build(t);
}

static bool same_pkg(const struct apk_pkg *a, const struct apk_pkg *b)
{
	if (!str_eq(a->name, b->name) || !str_eq(a->version, b->version))
		return false;
	return !a->checksum_n || a->checksum_n != b->checksum_n ||
	       memcmp(a->checksum, b->checksum, a->checksum_n) == 0;
}

/* Marks what is installed already; what no index has any more is added when there is room. */
static void mark(struct stab *t, const struct stab *by_name, const struct solve_req *req, bool add)
{
	for (size_t i = 0; i < req->n_installed; i++) {
		const struct apk_pkg *p = req->installed[i];
		uint8_t how = p->index && p->index->tag.n ? KEEP : KEEP_TAGGED;
		uint32_t n;
		const struct cand *c = stab_cands(by_name, stab_find(by_name, p->name), &n);
		bool found = false;
		for (uint32_t k = 0; k < n; k++) {
			if (c[k].item != CAND_OWN || !same_pkg(t->pkgs[c[k].pkg], p))
				continue;
			t->preferred[c[k].pkg] = how;
			found = true;
		}
		if (!found && add) {
			t->preferred[t->n_pkgs] = how;
			t->pkgs[t->n_pkgs++] = p;
		}
	}
}

static void add_installed(struct stab *t, const struct solve_req *req)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct stab by_name;
	stab_build_list(&by_name, t->pkgs, t->n_pkgs, &tmp);
	t->preferred = arena_array(t->a, uint8_t, t->n_pkgs + req->n_installed + 1);
	mark(t, &by_name, req, true);
}

void stab_mark_installed(struct stab *t, const struct solve_req *req)
{
	t->preferred = arena_array(t->a, uint8_t, t->n_pkgs + 1);
	mark(t, t, req, false);
}

static void add_indexes(struct stab *t, const struct apk_indexes *all, size_t extra)
{
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		n += all->v[i]->n;
	t->pkgs = arena_array(t->a, const struct apk_pkg *, n + extra + 1);
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->v[i]->n; k++)
			t->pkgs[t->n_pkgs++] = &all->v[i]->pkgs[k];
}

void stab_build(struct stab *t, const struct solve_req *req, struct arena *a)
{
	*t = (struct stab){ .a = a };
	add_indexes(t, req->indexes, req->n_installed);
	if (req->n_installed)
		add_installed(t, req);
	build(t);
	t->archs = arena_array(a, struct archset, req->n_others + 1);
	for (size_t i = 0; i < req->n_others; i++) {
		struct stab *o = &t->archs[i].tab;
		t->archs[i].arch = req->other_archs[i];
		o->a = a;
		add_indexes(o, req->others[i], 0);
		table_room(o, o->n_pkgs);
		intern_own(o);
		lay_out(o, NULL, 0);
	}
	t->n_archs = req->n_others;
}

const struct cand *stab_cands(const struct stab *t, uint32_t name, uint32_t *ret_n)
{
	*ret_n = name == NO_ID ? 0 : t->names[name + 1].first - t->names[name].first;
	return *ret_n ? &t->cands[t->names[name].first] : NULL;
}

const struct strigger *stab_triggers(const struct stab *t, uint32_t name, uint32_t *ret_n)
{
	uint32_t lo = 0, hi = t->n_triggers;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (t->triggers[mid].name < name)
			lo = mid + 1;
		else
			hi = mid;
	}
	uint32_t end = lo;
	while (end < t->n_triggers && t->triggers[end].name == name)
		end++;
	*ret_n = end - lo;
	return &t->triggers[lo];
}

struct str stab_tag(const struct stab *t, uint32_t pkg)
{
	const struct apk_index *idx = t->pkgs[pkg]->index;
	return idx ? idx->tag : STR_NONE;
}

static struct satom make_atom(const struct stab *t, const struct apk_dep *d)
{
	struct satom s = { .dep = *d, .name = stab_find(t, d->name) };
	if (d->version.n && !d->checksum) {
		struct apko_version *v = arena_new(t->a, struct apko_version);
		apko_version_parse(d->version, v);
		s.ver = v;
	}
	return s;
}

static struct satoms make_atoms(const struct stab *t, const struct apk_deps *list)
{
	struct satoms s = { 0 };
	s.v = arena_array(t->a, struct satom, list->n + 1);
	for (size_t i = 0; i < list->n; i++)
		s.v[s.n++] = make_atom(t, &list->v[i]);
	return s;
}

static const char *lacking_arch(const struct stab *t, const struct apk_pkg *p)
{
	for (size_t i = 0; i < t->n_archs; i++) {
		const struct stab *o = &t->archs[i].tab;
		uint32_t n;
		const struct cand *c = stab_cands(o, stab_find(o, p->name), &n);
		bool has = false;
		for (uint32_t k = 0; k < n && !has; k++)
			has = str_eq(o->pkgs[c[k].pkg]->version, p->version);
		if (!has)
			return arena_printf(t->a, "package \"%.*s-%.*s.apk\" not available for "
						  "arch \"%.*s\"",
				STR_ARG(p->name), STR_ARG(p->version),
				STR_ARG(t->archs[i].arch));
	}
	return NULL;
}

/* A name at two versions in one package excludes the package itself. */
static const char *against_itself(const struct stab *t, uint32_t pkg, const struct satoms *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct apk_dep *d = &s->v[i].dep;
		if (!d->version.n)
			continue;
		if (s->v[i].name == t->own[pkg] && !str_eq(d->version, t->pkgs[pkg]->version))
			return arena_printf(t->a, "it conflicts with itself on \"%.*s\"",
				STR_ARG(d->text));
		for (uint32_t k = i + 1; k < s->n; k++)
			if (s->v[k].name == s->v[i].name && s->v[k].dep.version.n &&
				!str_eq(s->v[k].dep.version, d->version))
				return arena_printf(t->a,
					"it conflicts with itself: it provides \"%.*s\" and "
					"\"%.*s\"",
					STR_ARG(d->text), STR_ARG(s->v[k].dep.text));
	}
	return NULL;
}

static bool parse_lists(struct stab *t, uint32_t pkg, struct spkg *s, struct err *err)
{
	const struct apk_pkg *p = t->pkgs[pkg];
	struct apk_deps deps = { 0 }, provides = { 0 }, iif = { 0 };
	if (!apk_deps_parse(p->depends, t->a, &deps, err) ||
		!apk_provides_parse(p->provides, t->a, &provides, err) ||
		!apk_provides_parse(p->install_if, t->a, &iif, err))
		return false;
	for (size_t i = 0; i < deps.n; i++)
		if (deps.v[i].pin.n)
			return err_set(err, EK_PARSE,
				"'%.*s' is not a valid package dependency: a repository tag "
				"belongs into the request",
				STR_ARG(deps.v[i].text));
	s->deps = make_atoms(t, &deps);
	s->provides = make_atoms(t, &provides);
	s->install_if = make_atoms(t, &iif);
	return true;
}

static struct spkg *parse_pkg(struct stab *t, uint32_t pkg)
{
	auto_err struct err err = ERR_INIT;
	struct spkg *s = arena_new(t->a, struct spkg);
	s->p = t->pkgs[pkg];
	apko_version_parse(s->p->version, &s->ver);
	s->out = s->p->unusable;
	if (!parse_lists(t, pkg, s, &err))
		s->out = arena_printf(t->a, "it is uninstallable: %s", err.msg);
	if (!s->out)
		s->out = against_itself(t, pkg, &s->provides);
	if (!s->out && t->n_archs)
		s->out = lacking_arch(t, s->p);
	return s;
}

const struct spkg *stab_pkg(struct stab *t, uint32_t pkg)
{
	if (!t->parsed[pkg])
		t->parsed[pkg] = parse_pkg(t, pkg);
	return t->parsed[pkg];
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
	struct apk_deps deps = { 0 };
	for (size_t i = 0; i < req->world->n; i++)
		strs_push(t->a, &texts, req->world->v[i]);
	strs_sort(&texts);
	strs_uniq(&texts);
	for (size_t i = 0; i < texts.n; i++) {
		struct apk_dep d;
		if (!apk_dep_parse(arena_str(a, texts.v[i]), a, &d, err))
			return false;
		if (d.pin.n && !has_tag(req->indexes, d.pin)) {
			(void)err_set(err, EK_PARSE,
				"the repository tag of '%.*s' does not exist",
				STR_ARG(d.text));
			return err_hint(err, "add a repository '@%.*s URL' or leave out '@%.*s'",
				STR_ARG(d.pin), STR_ARG(d.pin));
		}
		vec_push(a, &deps, d);
	}
	*ret = make_atoms(t, &deps);
	return true;
}

bool stab_open_to_all(const struct stab *t, uint32_t pkg)
{
	return !stab_tag(t, pkg).n || (t->preferred && t->preferred[pkg] == KEEP_TAGGED);
}
