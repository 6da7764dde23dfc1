#include "shared/apk/solve_table.h"

#include <string.h>

static uint32_t hash(struct str s)
{
	uint64_t h = 0xcbf29ce484222325;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t *slot_of(const struct solve_table *t, struct str name)
{
	uint32_t i = hash(name) & (t->n_slots - 1);
	while (t->slots[i] && !str_eq(t->names[t->slots[i] - 1].name, name))
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

uint32_t solve_name_find(const struct solve_table *t, struct str name)
{
	return *slot_of(t, name) - 1;
}

static void grow(struct solve_table *t)
{
	uint32_t cap = t->cap_names ? t->cap_names * 2 : 1024;
	struct solve_name *names = arena_array(t->arena, struct solve_name, cap);
	if (t->n_names)
		memcpy(names, t->names, t->n_names * sizeof(*names));
	t->names = names;
	t->cap_names = cap;
	t->n_slots = cap * 2;
	t->slots = arena_array(t->arena, uint32_t, t->n_slots);
	for (uint32_t i = 0; i < t->n_names; i++)
		*slot_of(t, t->names[i].name) = i + 1;
}

static uint32_t intern(struct solve_table *t, struct str name)
{
	if (t->n_names == t->cap_names)
		grow(t);
	uint32_t *slot = slot_of(t, name);
	if (*slot == 0) {
		t->names[t->n_names].name = name;
		*slot = ++t->n_names;
	}
	return *slot - 1;
}

static void add_cand(struct solve_table *t, uint32_t name, struct cand c)
{
	struct solve_name *n = &t->names[name];
	if (n->n == n->cap) {
		uint32_t cap = n->cap ? n->cap * 2 : 2;
		struct cand *v = arena_array(t->arena, struct cand, cap);
		if (n->n)
			memcpy(v, n->v, n->n * sizeof(*v));
		n->v = v;
		n->cap = cap;
	}
	n->v[n->n++] = c;
}

/* A version that ends in -rN. */
static bool has_revision(struct str v)
{
	size_t i = v.n;
	while (i && v.p[i - 1] >= '0' && v.p[i - 1] <= '9')
		i--;
	return i < v.n && i >= 2 && v.p[i - 1] == 'r' && v.p[i - 2] == '-';
}

bool solve_next_provide(struct str *rest, struct str *name, struct str *version, struct arena *a)
{
	struct str word;
	if (!str_word(rest, &word))
		return false;
	size_t i = 0;
	while (i < word.n && word.p[i] != '=' && word.p[i] != '<' && word.p[i] != '>' &&
		word.p[i] != '~' && word.p[i] != '@')
		i++;
	*name = str_sub(word, 0, i);
	*version = STR_NONE;
	if (i < word.n && word.p[i] == '=')
		*version = str_from(word, i + 1);
	if (version->n && str_starts(*name, S("so:")) && !has_revision(*version))
		*version = arena_strf(a, "0.%.*s", STR_ARG(*version));
	return true;
}

static void add_package(struct solve_table *t, const struct apk_pkg *p)
{
	uint32_t number = t->n_pkgs++;
	struct solve_pkg *s = &t->pkgs[number];
	s->pkg = p;
	s->name = intern(t, p->name);
	add_cand(t, s->name, (struct cand){ number, true, p->version });
}

void solve_table_build(struct solve_table *t, const struct apk_indexes *idx, struct arena *a)
{
	size_t n = 0;
	memset(t, 0, sizeof(*t));
	t->arena = a;
	for (size_t i = 0; i < idx->n; i++)
		n += idx->v[i]->n;
	t->pkgs = arena_array(a, struct solve_pkg, n + 1);
	grow(t);
	for (size_t i = 0; i < idx->n; i++)
		for (size_t k = 0; k < idx->v[i]->n; k++)
			if (!idx->v[i]->pkgs[k].unusable)
				add_package(t, &idx->v[i]->pkgs[k]);
	for (uint32_t i = 0; i < t->n_pkgs; i++) {
		struct str rest = t->pkgs[i].pkg->provides, name, version;
		while (solve_next_provide(&rest, &name, &version, a))
			add_cand(t, intern(t, name), (struct cand){ i, false, version });
	}
}

const struct apk_deps *solve_deps(struct solve_table *t, uint32_t pkg)
{
	struct solve_pkg *s = &t->pkgs[pkg];
	if (!s->parsed) {
		auto_err struct err err = ERR_INIT;
		s->parsed = true;
		s->bad = !apk_deps_parse(s->pkg->depends, t->arena, &s->deps, &err);
	}
	return s->bad ? NULL : &s->deps;
}

const struct apko_version *solve_version(struct solve_table *t, uint32_t pkg)
{
	struct solve_pkg *s = &t->pkgs[pkg];
	if (!s->ver_known) {
		apko_version_parse(s->pkg->version, &s->ver);
		s->ver_known = true;
	}
	return &s->ver;
}

bool solve_version_ok(struct str have, const struct apk_dep *d)
{
	struct apko_version a, b;
	if (d->op == 0)
		return true;
	apko_version_parse(have, &a);
	apko_version_parse(d->version, &b);
	if (!a.valid || !b.valid)
		return str_eq(have, d->version) && (d->op & APK_OP_EQ);
	return apko_version_match(&a, d->op, &b);
}
