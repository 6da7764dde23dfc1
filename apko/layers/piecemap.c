#include "apko/layers/piecemap.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/crypto/digest.h"
#include "shared/os/fd.h"

#define MAGIC 0x31706d6563656970u	/* also tells the byte order */
#define MAX_RECORDS (1u << 15)
#define MAX_LAYERS 64
#define MAX_DEFLATED (2 * PIECE_MAX)

_Static_assert(sizeof(struct piece_record) == 64, "records have no hidden bytes");

/* The file: this, n_layers digests, n records. */
struct head {
	uint64_t magic;
	uint32_t n_layers, n;
	uint32_t crc;		/* of what follows */
	uint32_t spare;
};
struct piece_map {
	struct store *store;
	char name[128];
	struct buf file;
	const uint8_t (*layers)[32];
	const struct piece_record *recs;
	uint32_t n_layers, n;
	int fds[MAX_LAYERS];	/* -1: gone */
	uint32_t *slots;	/* open addressing; 0 = free, else index + 1 */
	uint32_t mask;
};

uint32_t piece_crc(const void *p, size_t n)
{
	return libdeflate_crc32(0, p, n);
}

void piece_alias(uint32_t crc, uint32_t raw, uint8_t ret_key[PIECE_KEY])
{
	memset(ret_key, 0, PIECE_KEY);
	memcpy(ret_key, &crc, sizeof(crc));
	memcpy(ret_key + sizeof(crc), &raw, sizeof(raw));
}

static uint32_t slot_of(const struct piece_map *m, const uint8_t *key)
{
	uint32_t h;
	memcpy(&h, key, sizeof(h));
	return h & m->mask;
}

const struct piece_record *piece_map_find(const struct piece_map *m, const uint8_t key[PIECE_KEY])
{
	if (!m->n)
		return NULL;
	for (uint32_t i = slot_of(m, key); m->slots[i]; i = (i + 1) & m->mask) {
		const struct piece_record *r = &m->recs[m->slots[i] - 1];
		if (memcmp(r->key, key, PIECE_KEY) == 0)
			return r;
	}
	return NULL;
}

static bool record_ok(const struct piece_map *m, const struct piece_record *r)
{
	return r->layer < m->n_layers && m->fds[r->layer] >= 0 && r->raw <= PIECE_MAX &&
		r->deflated <= MAX_DEFLATED && r->off <= INT64_MAX - MAX_DEFLATED;
}

static void hash_records(struct piece_map *m)
{
	uint32_t size = 16;
	while (size < 2 * m->n)
		size *= 2;
	m->mask = size - 1;
	m->slots = calloc(size, sizeof(m->slots[0]));
	if (!m->slots)
		BUG("out of memory");
	for (uint32_t k = 0; k < m->n; k++) {
		if (!record_ok(m, &m->recs[k]))
			continue;
		uint32_t i = slot_of(m, m->recs[k].key);
		while (m->slots[i])
			i = (i + 1) & m->mask;
		m->slots[i] = k + 1;
	}
}

static bool parse(struct piece_map *m)
{
	struct head h;
	if (m->file.n < sizeof(h))
		return false;
	memcpy(&h, m->file.p, sizeof(h));
	size_t rest = m->file.n - sizeof(h);
	if (h.magic != MAGIC || h.n_layers > MAX_LAYERS || h.n > MAX_RECORDS ||
		rest != h.n_layers * sizeof(m->layers[0]) + h.n * sizeof(m->recs[0]) ||
		piece_crc(m->file.p + sizeof(h), rest) != h.crc)
		return false;
	m->layers = (const void *)(m->file.p + sizeof(h));
	m->recs = (const void *)(m->layers + h.n_layers);
	m->n_layers = h.n_layers;
	m->n = h.n;
	return true;
}

struct piece_map *piece_map_load(struct store *store, int level)
{
	auto_err struct err err = ERR_INIT;
	struct piece_map *m = calloc(1, sizeof(*m));
	if (!m)
		BUG("out of memory");
	m->store = store;
	buf_init(&m->file, sizeof(struct head) + MAX_LAYERS * sizeof(m->layers[0]) +
		MAX_RECORDS * sizeof(m->recs[0]));
	(void)snprintf(m->name, sizeof(m->name), "map-%s-%d", splice_encoder_id(), level);
	auto_fd int fd = store_get(store, STORE_PIECE, m->name);
	if (fd >= 0 && (!fd_read_all(fd, m->name, &m->file, &err) || !parse(m)))
		log_debug("list of compressed pieces '%s' is damaged", m->name);
	for (uint32_t i = 0; i < m->n_layers; i++) {
		char hex[65];
		hex_encode(m->layers[i], 32, hex);
		m->fds[i] = store_get(store, STORE_LAYER, hex);
	}
	hash_records(m);
	return m;
}

void piece_map_free(struct piece_map *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; i < m->n_layers; i++)
		fd_close(&m->fds[i]);
	buf_release(&m->file);
	free(m->slots);
	free(m);
}

bool piece_map_get(const struct piece_map *m, const struct piece_record *r, struct buf *out)
{
	auto_err struct err err = ERR_INIT;
	char *to = buf_room(out, r->deflated);
	if (!to || !fd_pread_all(m->fds[r->layer], to, r->deflated, (off_t)r->off, m->name, &err) ||
		piece_crc(to, r->deflated) != r->deflated_crc)
		return false;
	out->n += r->deflated;
	return true;
}

int piece_map_fd(const struct piece_map *m, const struct piece_record *r)
{
	return m->fds[r->layer];
}

/* The list being made: which blobs it names already. */
struct list {
	uint8_t layers[MAX_LAYERS][32];
	uint32_t n_layers, n;
	struct buf recs;
};

/* Index of a layer, MAX_LAYERS when there is no room. */
static uint32_t list_layer(struct list *l, const uint8_t digest[32])
{
	for (uint32_t i = 0; i < l->n_layers; i++)
		if (memcmp(l->layers[i], digest, 32) == 0)
			return i;
	if (l->n_layers == MAX_LAYERS)
		return MAX_LAYERS;
	memcpy(l->layers[l->n_layers], digest, 32);
	return l->n_layers++;
}

static void list_add(struct list *l, const struct piece_record *r, const uint8_t digest[32])
{
	struct piece_record copy = *r;
	if (l->n == MAX_RECORDS)
		return;
	copy.layer = list_layer(l, digest);
	if (copy.layer == MAX_LAYERS)
		return;
	buf_add(&l->recs, &copy, sizeof(copy));
	l->n++;
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, PIECE_KEY);
}

/* Old records whose piece is not among the new ones. */
static void list_add_old(struct list *l, const struct piece_map *m,
	const struct piece_records *recs)
{
	size_t n = recs->n;
	uint8_t(*keys)[PIECE_KEY] = calloc(n + 1, sizeof(*keys));
	if (!keys)
		BUG("out of memory");
	for (size_t i = 0; i < n; i++)
		memcpy(keys[i], recs->v[i].key, PIECE_KEY);
	qsort(keys, n, sizeof(*keys), by_key);
	for (uint32_t i = 0; i < m->n; i++)
		if (record_ok(m, &m->recs[i]) &&
			!bsearch(m->recs[i].key, keys, n, sizeof(*keys), by_key))
			list_add(l, &m->recs[i], m->layers[m->recs[i].layer]);
	free(keys);
}

void piece_map_save(const struct piece_map *m, const uint8_t (*digests)[32], size_t n_layers,
	const struct piece_records *recs)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf file = BUF_INIT(BUF_NOLIMIT);
	struct list l = { .recs = BUF_INIT(BUF_NOLIMIT) };
	for (size_t i = 0; i < recs->n; i++)
		if (recs->v[i].layer < n_layers)
			list_add(&l, &recs->v[i], digests[recs->v[i].layer]);
	list_add_old(&l, m, recs);
	struct head h = { .magic = MAGIC, .n_layers = l.n_layers, .n = l.n };
	buf_add(&file, &h, sizeof(h));
	buf_add(&file, l.layers, l.n_layers * sizeof(l.layers[0]));
	buf_add(&file, l.recs.p, l.recs.n);
	h.crc = piece_crc(file.p + sizeof(h), file.n - sizeof(h));
	memcpy(file.p, &h, sizeof(h));
	buf_release(&l.recs);
	if (str_eq(buf_str(&file), buf_str(&m->file)))
		return;
	/* renaming over a file makes ext4 write the new one out at once */
	store_drop(m->store, STORE_PIECE, m->name);
	if (!store_put(m->store, STORE_PIECE, m->name, file.p, file.n, &err))
		log_debug("cannot keep the list of compressed pieces: %s", err.msg);
}
