#include "shared/apk/pack_int.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/base/log.h"
#include "shared/os/fd.h"

uint32_t pack_hash(struct str name)
{
	const char *p = name.p;
	size_t n = name.n;
	uint64_t h = 0x9e3779b97f4a7c15u ^ n, w = 0;
	/* names are 20 to 30 bytes: eight at a time */
	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	w = 0;
	for (size_t i = 0; i < n; i++)
		w |= (uint64_t)(unsigned char)p[i] << 8 * i;
	h = (h ^ w) * 0xff51afd7ed558ccdu;
	h ^= h >> 29;
	h *= 0x94d049bb133111ebu;
	return (uint32_t)(h >> 32);
}

#define MIX 0xff51afd7ed558ccdu

static uint64_t mix(uint64_t h, uint64_t w)
{
	h = (h ^ w) * MIX;
	return h ^ h >> 32;
}

/* Four lanes: damage is to be found, not an opponent. */
static uint64_t sum(uint64_t seed, const void *bytes, size_t n)
{
	const char *p = bytes;
	uint64_t a = seed ^ n, b = seed + MIX, c = seed ^ 0x9e3779b97f4a7c15u, d = seed * 3 + 1, w[4];
	for (; n >= 32; p += 32, n -= 32) {
		memcpy(w, p, 32);
		a = mix(a, w[0]);
		b = mix(b, w[1]);
		c = mix(c, w[2]);
		d = mix(d, w[3]);
	}
	for (; n >= 8; p += 8, n -= 8) {
		memcpy(w, p, 8);
		a = mix(a, w[0]);
	}
	w[0] = 0;
	if (n)
		memcpy(w, p, n);
	return mix(mix(a, w[0]) + b, mix(c, d));
}

static uint32_t fold(uint64_t h)
{
	return (uint32_t)(h ^ h >> 32);
}

struct str pack_str(const struct pack *k, struct pack_text t)
{
	if (t.at < k->text_n)
		return str_n(k->text + t.at, t.n);
	return t.n ? str_n(k->extra + (t.at - k->text_n), t.n) : STR_NONE;
}

struct str pack_atom_text(const struct pack *k, const struct pack_atom *m)
{
	bool own = m->text < k->text_n;
	const char *p = own ? k->text + m->text : k->extra + (m->text - k->text_n);
	const char *end = own ? k->text + k->text_n : k->extra + k->extra_n, *at = p;
	while (at < end && *at != ' ' && *at != '\n' && *at != '\t')
		at++;
	return str_n(p, (size_t)(at - p));
}

uint32_t pack_find(const struct pack *k, struct str name, uint32_t hash)
{
	if (!k->n_names)
		return PACK_NO_NAME;
	for (uint32_t i = hash & k->mask; k->slots[i]; i = (i + 1) & k->mask) {
		uint32_t id = k->slots[i] - 1;
		if (!pack_name_ok(k, id))
			return PACK_DAMAGED;
		if (k->names[id].hash == hash && str_eq(pack_str(k, k->names[id].text), name))
			return id;
	}
	return PACK_NO_NAME;
}

const uint32_t *pack_cands(const struct pack *k, uint32_t name, uint32_t *ret_n)
{
	*ret_n = name == PACK_NO_NAME ? 0 : k->names[name + 1].first - k->names[name].first;
	return *ret_n ? &k->cands[k->names[name].first] : NULL;
}

const struct pack_trigger *pack_triggers(const struct pack *k, uint32_t name, uint32_t *ret_n)
{
	*ret_n = k->names[name + 1].first_trigger - k->names[name].first_trigger;
	return *ret_n ? &k->triggers[k->names[name].first_trigger] : NULL;
}

static bool in_texts(const struct pack *k, struct pack_text t)
{
	uint64_t end = (uint64_t)t.at + t.n;
	return end <= (uint64_t)k->text_n + k->extra_n && (t.at >= k->text_n || end <= k->text_n);
}

uint32_t pack_name_sum(const struct pack *k, uint32_t name)
{
	const struct pack_name *m = &k->names[name];
	uint32_t n;
	const uint32_t *c = pack_cands(k, name, &n);
	struct str text = pack_str(k, m->text);
	uint64_t h = pack_hash(text) * 0xff51afd7ed558ccdu + text.n;
	for (uint32_t i = 0; i < n; i++) {
		h = (h ^ c[i]) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	h = mix(h, (uint64_t)m->first_trigger << 32 | m[1].first_trigger);
	return fold((h ^ m->first) * 0x94d049bb133111ebu ^ m->hash);
}

bool pack_name_ok(const struct pack *k, uint32_t name)
{
	const struct pack_name *m = &k->names[name];
	if (!k->path)
		return true;
	return name < k->n_names && m[1].first >= m->first && m[1].first <= k->n_cands &&
	       m[1].first_trigger >= m->first_trigger && m[1].first_trigger <= k->n_triggers &&
	       in_texts(k, m->text) && pack_name_sum(k, name) == m->check;
}

static uint64_t n_atoms(const struct pack_pkg *p)
{
	return (uint64_t)p->n_deps + p->n_provides + p->n_install_if;
}

uint32_t pack_pkg_sum(const struct pack *k, uint32_t pkg)
{
	const struct pack_pkg *p = &k->pkgs[pkg];
	struct str extra = pack_str(k, p->extra), origin = pack_str(k, p->origin);
	uint64_t h = sum(pkg, p, offsetof(struct pack_pkg, check));
	return fold(sum(h, extra.p, extra.n) + pack_hash(origin));
}

uint32_t pack_atoms_sum(const struct pack *k, uint32_t pkg)
{
	const struct pack_pkg *p = &k->pkgs[pkg];
	return fold(sum(pkg, &k->atoms[p->atoms], n_atoms(p) * sizeof(*k->atoms)));
}

uint32_t pack_record_sum(const struct pack *k, uint32_t pkg)
{
	struct str record = pack_str(k, k->pkgs[pkg].record);
	return fold(sum(pkg, record.p, record.n));
}

bool pack_pkg_ok(const struct pack *k, uint32_t pkg)
{
	if (!k->path)
		return true;
	if (pkg >= k->n_pkgs)
		return false;
	const struct pack_pkg *p = &k->pkgs[pkg];
	return in_texts(k, p->extra) && in_texts(k, p->origin) &&
	       p->atoms + n_atoms(p) <= k->n_atoms && pack_pkg_sum(k, pkg) == p->check;
}

bool pack_atoms_ok(const struct pack *k, uint32_t pkg)
{
	return !k->path || pack_atoms_sum(k, pkg) == k->pkgs[pkg].atoms_check;
}

bool pack_record_ok(const struct pack *k, uint32_t pkg)
{
	return !k->path || (in_texts(k, k->pkgs[pkg].record) &&
				   pack_record_sum(k, pkg) == k->pkgs[pkg].record_check);
}

/* The file: head, then the sections in this order, each at a multiple of eight; text and extra
 * are one. */
#define MAGIC 0x324b434150584449u	/* also tells the byte order */
struct head {
	uint64_t magic, size;
	uint32_t sizes[4];	/* of the structs: another layout is another format */
	uint8_t digest[32];	/* of the index file */
	uint32_t text_n, extra_n, n_pkgs, n_atoms, n_names, n_cands, mask, n_triggers;
	struct pack_text description;
	uint64_t check;		/* of all before, of slots and triggers */
};
enum { S_PKGS, S_ATOMS, S_NAMES, S_CANDS, S_SLOTS, S_TRIGGERS, S_TEXT, SECTIONS };
struct section {
	const void *p;
	uint64_t at, n;
};

static uint64_t lay_sections(const struct pack *k, struct section s[SECTIONS])
{
	s[S_PKGS] = (struct section){ k->pkgs, 0, k->n_pkgs * sizeof(*k->pkgs) };
	s[S_ATOMS] = (struct section){ k->atoms, 0, k->n_atoms * sizeof(*k->atoms) };
	s[S_NAMES] = (struct section){ k->names, 0, (k->n_names + 1ull) * sizeof(*k->names) };
	s[S_CANDS] = (struct section){ k->cands, 0, k->n_cands * sizeof(*k->cands) };
	s[S_SLOTS] = (struct section){ k->slots, 0, (k->mask + 1ull) * sizeof(*k->slots) };
	s[S_TRIGGERS] = (struct section){ k->triggers, 0, k->n_triggers * sizeof(*k->triggers) };
	s[S_TEXT] = (struct section){ NULL, 0, (uint64_t)k->text_n + k->extra_n };
	uint64_t at = sizeof(struct head);
	for (unsigned i = 0; i < SECTIONS; i++) {
		s[i].at = at;
		at += (s[i].n + 7) & ~(uint64_t)7;
	}
	return at;
}

static uint64_t head_sum(const struct head *h, const struct section s[SECTIONS])
{
	uint64_t r = sum(0, h, offsetof(struct head, check));
	r = sum(r, s[S_SLOTS].p, s[S_SLOTS].n);
	return sum(r, s[S_TRIGGERS].p, s[S_TRIGGERS].n);
}

static void make_head(const struct pack *k, const uint8_t digest[32], struct head *h)
{
	*h = (struct head){
		.magic = MAGIC,
		.sizes = { sizeof(struct head), sizeof(struct pack_pkg), sizeof(struct pack_atom),
			sizeof(struct pack_name) },
		.text_n = k->text_n,
		.extra_n = k->extra_n,
		.n_pkgs = k->n_pkgs,
		.n_atoms = k->n_atoms,
		.n_names = k->n_names,
		.n_cands = k->n_cands,
		.mask = k->mask,
		.n_triggers = k->n_triggers,
		.description = k->description,
	};
	memcpy(h->digest, digest, sizeof(h->digest));
}

static bool write_sections(const struct pack *k, const struct section s[SECTIONS], int fd,
	const char *name, struct err *err)
{
	static const char zeros[8];
	for (unsigned i = 0; i < SECTIONS; i++) {
		bool ok = i == S_TEXT ? fd_write_all(fd, k->text, k->text_n, name, err) &&
						fd_write_all(fd, k->extra, k->extra_n, name, err)
				      : fd_write_all(fd, s[i].p, s[i].n, name, err);
		if (!ok || !fd_write_all(fd, zeros, -s[i].n & 7, name, err))
			return false;
	}
	return true;
}

bool pack_save(const struct pack *k, struct store *s, const uint8_t digest[32], struct err *err)
{
	auto_store_new struct store_new new = { .fd = -1, .lock = -1 };
	struct section parts[SECTIONS];
	struct head h;
	char key[2 * SHA256_SIZE + 1];
	hex_encode(digest, SHA256_SIZE, key);
	pack_seal(k);
	make_head(k, digest, &h);
	h.size = lay_sections(k, parts);
	h.check = head_sum(&h, parts);
	return store_begin(s, &new, err) && fd_write_all(new.fd, &h, sizeof(h), new.path, err) &&
	       write_sections(k, parts, new.fd, new.path, err) &&
	       store_commit(&new, STORE_INDEX, key, err);
}

struct mapping {
	void *p;
	size_t n;
};

static void unmap(void *p)
{
	const struct mapping *m = p;
	(void)munmap(m->p, m->n);
}

static bool fits(const struct head *h, size_t n, const uint8_t digest[32])
{
	struct pack none = { 0 };
	struct head want;
	make_head(&none, digest, &want);
	return n >= sizeof(*h) && h->magic == MAGIC && h->size == n &&
	       memcmp(h->sizes, want.sizes, sizeof(h->sizes)) == 0 &&
	       memcmp(h->digest, digest, sizeof(h->digest)) == 0;
}

static struct pack *use(const char *base, size_t n, const uint8_t digest[32], struct arena *a)
{
	const struct head *h = (const void *)base;
	struct section s[SECTIONS];
	struct pack *k = arena_new(a, struct pack);
	if (!fits(h, n, digest))
		return NULL;
	*k = (struct pack){ .text_n = h->text_n, .extra_n = h->extra_n, .n_pkgs = h->n_pkgs,
		.n_atoms = h->n_atoms, .n_names = h->n_names, .n_cands = h->n_cands,
		.mask = h->mask, .n_triggers = h->n_triggers, .description = h->description };
	if (lay_sections(k, s) != n || (h->mask & (h->mask + 1ull)) || !in_texts(k, k->description))
		return NULL;
	for (unsigned i = 0; i < SECTIONS; i++)
		s[i].p = base + s[i].at;
	k->pkgs = s[S_PKGS].p;
	k->atoms = s[S_ATOMS].p;
	k->names = s[S_NAMES].p;
	k->cands = s[S_CANDS].p;
	k->slots = s[S_SLOTS].p;
	k->triggers = s[S_TRIGGERS].p;
	k->text = s[S_TEXT].p;
	k->extra = k->text + k->text_n;
	return head_sum(h, s) == h->check ? k : NULL;
}

static struct pack *map(int fd, const uint8_t digest[32], struct arena *a)
{
	struct stat st;
	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(struct head))
		return NULL;
	struct mapping *m = arena_new(a, struct mapping);
	m->n = (size_t)st.st_size;
	m->p = mmap(NULL, m->n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (m->p == MAP_FAILED)
		return NULL;
	arena_on_release(a, unmap, m);
	return use(m->p, m->n, digest, a);
}

const struct pack *pack_open(struct store *s, const uint8_t digest[32], struct arena *a)
{
	char key[2 * SHA256_SIZE + 1];
	hex_encode(digest, SHA256_SIZE, key);
	auto_fd int fd = store_get(s, STORE_INDEX, key);
	if (fd < 0)
		return NULL;
	struct pack *k = map(fd, digest, a);
	if (k)
		k->path = store_path(s, STORE_INDEX, key, a);
	else
		store_drop(s, STORE_INDEX, key);
	return k;
}

void pack_drop(const struct pack *k)
{
	log_debug("dropping '%s': it is damaged", k->path);
	(void)unlink(k->path);
}
