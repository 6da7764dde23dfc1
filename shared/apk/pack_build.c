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

/* A version of the package that is being added, and where it is kept. */
struct kept {
	struct pack_text where;
	bool bad;
};

static struct kept keep_version(struct pack_build *b, struct str v)
{
	return (struct kept){ copy(b, v), !apko_version_valid(v) };
}

struct adding {
	uint32_t pkg;
	struct kept own, last;	/* its version, and the last that was another one */
};

static void add_version(struct pack_build *b, struct adding *k, struct str v, struct pack_atom *m)
{
	struct kept *at = str_eq(v, str_at(b, k->own.where)) ? &k->own : &k->last;
	if (at == &k->last && !str_eq(v, str_at(b, k->last.where)))
		k->last = keep_version(b, v);
	m->version = at->where.at;
	m->version_n = (uint16_t)at->where.n;
	m->flags |= at->bad ? PACK_BAD_VERSION : 0;
}

enum list_kind { L_DEPS, L_PROVIDES, L_INSTALL_IF };

/* The atoms of a list that can be read. False when there are others. */
static bool add_list(struct pack_build *b, struct str list, enum list_kind kind, struct adding *k,
	uint32_t *ret_n)
{
	struct pack_text where = keep(b, list);
	struct str rest = list, word;
	bool ok = true;
	*ret_n = 0;
	if (where.at >= b->text.n)
		buf_addc(&b->extra, '\n'); /* where the last atom ends */
	while (str_word(&rest, &word)) {
		auto_err struct err err = ERR_INIT;
		struct apk_dep d;
		if (!(kind == L_DEPS ? apk_dep_parse(word, &b->tmp, &d, &err) && !d.pin.n
				     : apk_provide_parse(word, &b->tmp, &d, &err)) ||
			d.version.n > UINT16_MAX) {
			ok = false;
			continue;
		}
		struct pack_atom m = { .text = where.at + (uint32_t)(d.text.p - list.p),
			.name = intern(b, d.name), .op = (uint8_t)d.op };
		m.flags = (uint8_t)((d.conflict ? PACK_CONFLICT : 0) |
				    (d.checksum ? PACK_CHECKSUM : 0));
		if (d.version.n)
			add_version(b, k, d.version, &m);
		buf_add(&b->atoms, &m, sizeof(m));
		++*ret_n;
		if (kind == L_PROVIDES && !d.conflict)
			count_cand(b, m.name);
		if (kind == L_INSTALL_IF && !d.conflict) {
			struct pack_trigger t = { m.name, k->pkg };
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

static struct str version_of(const struct pack_build *b, const struct pack_atom *m)
{
	return str_at(b, (struct pack_text){ m->version, m->version_n });
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
		if (!atoms[i].version_n)
			continue;
		struct str v = version_of(b, &atoms[i]);
		if (atoms[i].name == k->name)
			twice = !str_eq(v, version);
		if (m->first_trigger > first)
			twice |= !str_eq(v, version_of(b, &atoms[m->first_trigger - 1]));
		m->first_trigger = i + 1;
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
	struct adding add = { .pkg = at, .own = keep_version(b, p->version) };
	k.version = add.own.where;
	k.origin = str_eq(p->origin, p->name) ? names_of(b)[k.name].text : copy(b, p->origin);
	k.provider_priority = p->provider_priority;
	count_cand(b, k.name);
	bool ok = add_list(b, p->depends, L_DEPS, &add, &k.n_deps);
	ok &= add_list(b, p->provides, L_PROVIDES, &add, &k.n_provides);
	ok &= add_list(b, p->install_if, L_INSTALL_IF, &add, &k.n_install_if);
	k.flags = (ok ? 0 : PACK_MALFORMED) | (has_twice(b, &k, p->version) ? PACK_TWICE : 0) |
		  (add.own.bad ? PACK_BAD_VERSION : 0);
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

/* The same for triggers. */
static void lay_out_triggers(struct pack_build *b)
{
	struct pack_name *names = (void *)b->names.p;
	struct pack_trigger *t = (void *)b->triggers.p;
	uint32_t n_names = count(&b->names, sizeof(*names)), n = count(&b->triggers, sizeof(*t));
	for (uint32_t i = 0; i < n_names; i++)
		names[i].first_trigger = 0;
	if (!n)
		return;
	struct pack_trigger *in_order = must(calloc(n, sizeof(*in_order)));
	for (uint32_t i = 0; i < n; i++)
		names[t[i].name].first_trigger++;
	for (uint32_t i = 0, place = 0; i < n_names; i++) {
		uint32_t here = names[i].first_trigger;
		names[i].first_trigger = place;
		place += here;
	}
	for (uint32_t i = 0; i < n; i++)
		in_order[names[t[i].name].first_trigger++] = t[i];
	for (uint32_t i = n_names - 1; i > 0; i--)
		names[i].first_trigger = names[i - 1].first_trigger;
	names[0].first_trigger = 0;
	memcpy(t, in_order, n * sizeof(*t));
	free(in_order);
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
		pkgs[i].atoms_check = pack_atoms_sum(k, i);
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
	lay_out_triggers(b);
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
	arena_release(&b->tmp);
	arena_on_release(a, release, b);
	return k;
}
