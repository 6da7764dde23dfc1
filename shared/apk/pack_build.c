#include "shared/apk/pack_int.h"

#include <stdlib.h>
#include <string.h>
#include "shared/apk/dep.h"
#include "shared/base/buf.h"

struct pack_build {
	struct str text;
	struct buf extra, pkgs, atoms, names, triggers;
	uint32_t n_cands, n_slots;
	uint32_t *slots, *cands;
	bool over;
	struct arena tmp;	/* of the package being added */
	struct pack pack;	/* after pack_end */
};

static void *must(void *p)
{
	if (!p)
		BUG("out of memory");
	return p;
}

static const struct pack_name *names_of(const struct pack_build *b)
{
	return (const void *)b->names.p;
}

static uint32_t count(const struct buf *b, size_t size)
{
	return (uint32_t)(b->n / size);
}

static struct str str_at(const struct pack_build *b, struct pack_text t)
{
	return t.at < b->text.n ? str_n(b->text.p + t.at, t.n)
				: str_n(b->extra.p + (t.at - b->text.n), t.n);
}

static struct pack_text copy(struct pack_build *b, struct str s)
{
	struct pack_text t = { (uint32_t)(b->text.n + b->extra.n), (uint32_t)s.n };
	buf_addstr(&b->extra, s);
	return s.n ? t : (struct pack_text){ 0 };
}

/* Where a text is: in the text itself, or copied. */
static struct pack_text keep(struct pack_build *b, struct str s)
{
	uintptr_t p = (uintptr_t)s.p, base = (uintptr_t)b->text.p;
	if (s.n && p >= base && p - base < b->text.n && b->text.n - (p - base) >= s.n)
		return (struct pack_text){ (uint32_t)(p - base), (uint32_t)s.n };
	return copy(b, s);
}

/* Part of a text that is kept. */
static struct pack_text part(struct pack_text whole, struct str in, struct str s)
{
	return (struct pack_text){ whole.at + (uint32_t)(s.p - in.p), (uint32_t)s.n };
}

static void room_slots(struct pack_build *b, uint32_t size)
{
	uint32_t n = count(&b->names, sizeof(struct pack_name));
	free(b->slots);
	b->slots = must(calloc(size, sizeof(*b->slots)));
	b->n_slots = size;
	for (uint32_t id = 0; id < n; id++) {
		uint32_t i = names_of(b)[id].hash & (size - 1);
		while (b->slots[i])
			i = (i + 1) & (size - 1);
		b->slots[i] = id + 1;
	}
}

static uint32_t intern(struct pack_build *b, struct str name)
{
	uint32_t n = count(&b->names, sizeof(struct pack_name)), h = pack_hash(name);
	if (n >= b->n_slots - b->n_slots / 4)
		room_slots(b, b->n_slots * 2);
	uint32_t i = h & (b->n_slots - 1);
	for (; b->slots[i]; i = (i + 1) & (b->n_slots - 1)) {
		const struct pack_name *m = &names_of(b)[b->slots[i] - 1];
		if (m->hash == h && m->text.n == name.n &&
			memcmp(str_at(b, m->text).p, name.p, name.n) == 0)
			return b->slots[i] - 1;
	}
	struct pack_name new = { .text = copy(b, name), .hash = h };
	buf_add(&b->names, &new, sizeof(new));
	b->slots[i] = n + 1;
	return n;
}

static void count_cand(struct pack_build *b, uint32_t name)
{
	((struct pack_name *)(void *)b->names.p)[name].first++;
	b->n_cands++;
}

static struct pack_atom pack_atom(struct pack_build *b, const struct apk_dep *d,
	struct pack_text where, struct str list)
{
	struct pack_atom m = { .text = part(where, list, d->text), .op = (uint16_t)d->op };
	m.flags = (uint16_t)((d->conflict ? PACK_CONFLICT : 0) | (d->checksum ? PACK_CHECKSUM : 0));
	m.name = intern(b, d->name);
	bool slice = d->version.p >= list.p && d->version.p < list.p + list.n;
	if (d->version.n)
		m.version = slice ? part(where, list, d->version) : keep(b, d->version);
	return m;
}

enum list_kind { L_DEPS, L_PROVIDES, L_INSTALL_IF };

/* The atoms of a list that can be read. False when there are others. */
static bool add_list(struct pack_build *b, struct str list, enum list_kind kind, uint32_t pkg,
	uint32_t *ret_n)
{
	struct pack_text where = keep(b, list);
	struct str rest = list, word;
	bool ok = true;
	*ret_n = 0;
	while (str_word(&rest, &word)) {
		auto_err struct err err = ERR_INIT;
		struct apk_dep d;
		if (!(kind == L_DEPS ? apk_dep_parse(word, &b->tmp, &d, &err) && !d.pin.n
				     : apk_provide_parse(word, &b->tmp, &d, &err))) {
			ok = false;
			continue;
		}
		struct pack_atom m = pack_atom(b, &d, where, list);
		buf_add(&b->atoms, &m, sizeof(m));
		++*ret_n;
		if (kind == L_PROVIDES && !d.conflict)
			count_cand(b, m.name);
		if (kind == L_INSTALL_IF && !d.conflict) {
			struct pack_trigger t = { m.name, pkg };
			buf_add(&b->triggers, &t, sizeof(t));
		}
	}
	return ok;
}

struct pack_build *pack_begin(struct str text)
{
	struct pack_build *b = must(calloc(1, sizeof(*b)));
	b->text = text;
	buf_init(&b->extra, PACK_MAX_TEXT);
	buf_init(&b->pkgs, BUF_NOLIMIT);
	buf_init(&b->atoms, PACK_MAX_TEXT);
	buf_init(&b->names, PACK_MAX_TEXT);
	buf_init(&b->triggers, PACK_MAX_TEXT);
	/* as real indexes have it; untouched room costs nothing */
	(void)buf_room(&b->pkgs, text.n / 250 * sizeof(struct pack_pkg));
	(void)buf_room(&b->atoms, text.n / 60 * sizeof(struct pack_atom));
	(void)buf_room(&b->names, text.n / 100 * sizeof(struct pack_name));
	uint32_t slots = 64;
	while (slots < text.n / 120)
		slots *= 2;
	room_slots(b, slots);
	return b;
}

void pack_abort(struct pack_build *b)
{
	if (!b)
		return;
	buf_release(&b->extra);
	buf_release(&b->pkgs);
	buf_release(&b->atoms);
	buf_release(&b->names);
	buf_release(&b->triggers);
	arena_release(&b->tmp);
	free(b->slots);
	free(b->cands);
	free(b);
}

/* A name at two versions in one package excludes the package itself. */
static bool has_twice(struct pack_build *b, const struct pack_pkg *k, struct str version)
{
	struct pack_name *names = (void *)b->names.p;
	const struct pack_atom *atoms = (const void *)b->atoms.p;
	uint32_t first = k->atoms + k->n_deps;
	bool twice = false;
	for (uint32_t i = first; i < first + k->n_provides && !twice; i++) {
		struct pack_name *m = &names[atoms[i].name];
		if (!atoms[i].version.n)
			continue;
		struct str v = str_at(b, atoms[i].version);
		if (atoms[i].name == k->name)
			twice = !str_eq(v, version);
		if (m->unused > first)
			twice |= !str_eq(v, str_at(b, atoms[m->unused - 1].version));
		m->unused = i + 1;
	}
	return twice;
}

void pack_add(struct pack_build *b, const struct apk_pkg *p, struct str record)
{
	uint32_t at = count(&b->pkgs, sizeof(struct pack_pkg));
	struct pack_pkg k = { .atoms = count(&b->atoms, sizeof(struct pack_atom)) };
	if (b->over || at == PACK_MAX_PKGS || b->text.n > PACK_MAX_TEXT) {
		b->over = true;
		return;
	}
	k.extra.at = (uint32_t)(b->text.n + b->extra.n);
	if (record.n)
		k.record = keep(b, record);
	k.name = intern(b, p->name);
	k.version = copy(b, p->version);
	k.origin = str_eq(p->origin, p->name) ? names_of(b)[k.name].text : copy(b, p->origin);
	k.provider_priority = p->provider_priority;
	count_cand(b, k.name);
	bool ok = add_list(b, p->depends, L_DEPS, at, &k.n_deps);
	ok &= add_list(b, p->provides, L_PROVIDES, at, &k.n_provides);
	ok &= add_list(b, p->install_if, L_INSTALL_IF, at, &k.n_install_if);
	k.flags = (ok ? 0 : PACK_MALFORMED) | (has_twice(b, &k, p->version) ? PACK_TWICE : 0);
	k.extra.n = (uint32_t)(b->text.n + b->extra.n) - k.extra.at;
	buf_add(&b->pkgs, &k, sizeof(k));
}

static void put_cand(struct pack_build *b, uint32_t name, uint32_t pkg, unsigned bits)
{
	struct pack_name *m = &((struct pack_name *)(void *)b->names.p)[name];
	b->cands[m->first++] = pkg << 2 | bits;
}

/* Counts become places; filling moves each place on by its count, so all are one ahead after. */
static void lay_out(struct pack_build *b)
{
	struct pack_name last = { 0 };
	uint32_t n = count(&b->names, sizeof(last)), n_pkgs = count(&b->pkgs, sizeof(struct pack_pkg));
	const struct pack_pkg *pkgs = (const void *)b->pkgs.p;
	const struct pack_atom *atoms = (const void *)b->atoms.p;
	buf_add(&b->names, &last, sizeof(last));
	struct pack_name *names = (void *)b->names.p;
	uint32_t place = 0;
	for (uint32_t i = 0; i <= n; i++) {
		uint32_t here = names[i].first;
		names[i].unused = 0;
		names[i].first = place;
		place += here;
	}
	b->cands = must(calloc(b->n_cands + 1, sizeof(*b->cands)));
	for (uint32_t i = 0; i < n_pkgs; i++)
		put_cand(b, pkgs[i].name, i, PACK_OWN | PACK_VERSIONED);
	for (uint32_t i = 0; i < n_pkgs; i++) {
		const struct pack_atom *m = &atoms[pkgs[i].atoms + pkgs[i].n_deps];
		for (uint32_t k = 0; k < pkgs[i].n_provides; k++)
			if (!(m[k].flags & PACK_CONFLICT))
				put_cand(b, m[k].name, i, m[k].op ? PACK_VERSIONED : 0);
	}
	for (uint32_t i = n; i > 0; i--)
		names[i].first = names[i - 1].first;
	names[0].first = 0;
}

static int trigger_cmp(const void *a, const void *b)
{
	const struct pack_trigger *x = a, *y = b;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->pkg < y->pkg ? -1 : x->pkg > y->pkg;
}

static void release(void *b)
{
	pack_abort(b);
}

void pack_seal(const struct pack *k)
{
	struct pack_name *names = (void *)k->build->names.p;
	struct pack_pkg *pkgs = (void *)k->build->pkgs.p;
	for (uint32_t i = 0; i < k->n_names; i++)
		names[i].check = pack_name_sum(k, i);
	for (uint32_t i = 0; i < k->n_pkgs; i++) {
		pkgs[i].record_check = pack_record_sum(k, i);
		pkgs[i].check = pack_pkg_sum(k, i);
	}
}

const struct pack *pack_end(struct pack_build *b, struct str description, struct arena *a,
	struct err *err)
{
	struct pack *k = &b->pack;
	k->description = keep(b, description);
	if (b->over || b->extra.over || b->atoms.over || b->names.over) {
		pack_abort(b);
		(void)err_set(err, EK_PARSE, "the index is too large: more than %u packages or 2 GiB",
			PACK_MAX_PKGS);
		return NULL;
	}
	uint32_t n_names = count(&b->names, sizeof(struct pack_name));
	lay_out(b);
	k->build = b;
	k->text = b->text.p;
	k->text_n = (uint32_t)b->text.n;
	k->extra = b->extra.p;
	k->extra_n = (uint32_t)b->extra.n;
	k->pkgs = (const void *)b->pkgs.p;
	k->n_pkgs = count(&b->pkgs, sizeof(struct pack_pkg));
	k->atoms = (const void *)b->atoms.p;
	k->n_atoms = count(&b->atoms, sizeof(struct pack_atom));
	k->names = (const void *)b->names.p;
	k->n_names = n_names;
	k->cands = b->cands;
	k->n_cands = b->n_cands;
	k->slots = b->slots;
	k->mask = b->n_slots - 1;
	k->triggers = (const void *)b->triggers.p;
	k->n_triggers = count(&b->triggers, sizeof(struct pack_trigger));
	if (k->n_triggers)
		qsort(b->triggers.p, k->n_triggers, sizeof(struct pack_trigger), trigger_cmp);
	arena_release(&b->tmp);
	arena_on_release(a, release, b);
	return k;
}
