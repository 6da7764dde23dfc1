#include "apko/layers/layer.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "apko/layers/layerblob.h"
#include "apko/layers/piecemap.h"
#include "apko/layers/split.h"
#include "shared/os/proc.h"

#define HASH_BLOCK (256u << 10)

/* One lane hashes a layer's tar from start to end; the others fetch or make pieces; the caller
 * joins those in order. */
struct hash_job {
	struct job job;
	const struct export_plan *plan;
	uint8_t *md;
};

struct making;
struct piece_job {
	struct job job;
	struct making *m;
	const struct piece *piece;
	const struct piece_record *known;	/* where it was found; NULL: made */
	struct piece_record rec;
	struct buf out;
};

struct lane {			/* what one thread needs */
	struct splice_enc *enc;
	struct libdeflate_decompressor *dec;
	char *raw, *check;
};

struct making {
	const struct layer_req *req;
	struct layer_plans plans;
	struct layer *layers;
	struct pieces pieces;
	struct piece_map *map;
	struct piece_records recs;
	struct arena *a;
	struct lane *lanes;
	struct hash_job *hashes;
	struct piece_job *window;
	size_t n_window, submitted, joined, hashing;
};

static bool run_hash(struct job *job, struct err *err)
{
	struct hash_job *h = (struct hash_job *)job;
	auto_digest struct digest d = { 0 };
	struct span_cursor c = { .plan = h->plan };
	char *block = malloc(HASH_BLOCK);
	size_t n = 1;
	bool ok = true;
	if (!block)
		BUG("out of memory");
	digest_init(&d, DIGEST_SHA256);
	while (n && (ok = proc_check(err) && span_fill(&c, block, HASH_BLOCK, &n, err)))
		digest_add(&d, block, n);
	free(block);
	if (ok)
		digest_final(&d, h->md);
	return ok;
}

static struct lane *my_lane(struct making *m)
{
	struct lane *l = &m->lanes[pool_slot()];
	if (!l->enc)
		l->enc = splice_enc_new(m->req->level);
	if (!l->raw) {
		l->dec = libdeflate_alloc_decompressor();
		l->raw = malloc(PIECE_MAX);
		l->check = malloc(PIECE_MAX);
	}
	if (!l->raw || !l->check || !l->dec)
		BUG("out of memory");
	return l;
}

/* The compressed bytes in out are those of the piece in l->raw. */
static bool is_piece(const struct lane *l, const struct piece_job *j, struct buf *out)
{
	static const char end[] = { 1, 0, 0, (char)0xff, (char)0xff }; /* the last block, empty */
	size_t n = out->n, got = 0;
	buf_add(out, end, sizeof(end));
	bool ok = libdeflate_deflate_decompress(l->dec, out->p, out->n, l->check, j->piece->n,
			  &got) == LIBDEFLATE_SUCCESS &&
		got == j->piece->n && memcmp(l->check, l->raw, got) == 0;
	out->n = n;
	return ok;
}

static bool use_known(struct piece_job *j, const struct piece_record *r)
{
	buf_clear(&j->out);
	if (!r || r->raw != j->piece->n || !piece_map_get(j->m->map, r, &j->out))
		return false;
	uint8_t key[PIECE_KEY];
	memcpy(key, j->rec.key, PIECE_KEY);
	j->known = r;
	j->rec = *r;
	memcpy(j->rec.key, key, PIECE_KEY);
	return true;
}

static bool make_piece(struct piece_job *j, struct err *err)
{
	struct lane *l = my_lane(j->m);
	struct splice_piece made;
	uint8_t alias[PIECE_KEY];
	if (!piece_read(&j->m->plans.v[j->piece->layer], j->piece, l->raw, err))
		return false;
	piece_alias(piece_crc(l->raw, j->piece->n), j->piece->n, alias);
	if (use_known(j, piece_map_find(j->m->map, alias)) && is_piece(l, j, &j->out))
		return true;
	j->known = NULL;
	buf_clear(&j->out);
	if (!splice_deflate(l->enc, l->raw, j->piece->n, &j->out, &made, err))
		return false;
	j->rec.crc = made.crc;
	j->rec.raw = (uint32_t)made.raw;
	j->rec.deflated = (uint32_t)made.deflated;
	j->rec.deflated_crc = piece_crc(j->out.p, j->out.n);
	return true;
}

static bool run_piece(struct job *job, struct err *err)
{
	struct piece_job *j = (struct piece_job *)job;
	j->known = NULL;
	if (!piece_key(&j->m->plans.v[j->piece->layer], j->piece, j->rec.key, err))
		return false;
	return use_known(j, piece_map_find(j->m->map, j->rec.key)) || make_piece(j, err);
}

static void submit_hash(struct making *m)
{
	struct hash_job *h = &m->hashes[m->hashing];
	*h = (struct hash_job){ .job = { .run = run_hash, .lane = true },
		.plan = &m->plans.v[m->hashing], .md = m->layers[m->hashing].diff_id };
	m->hashing++;
	pool_submit(m->req->pool, &h->job);
}

static void submit(struct making *m)
{
	while (m->submitted < m->pieces.n && m->submitted - m->joined < m->n_window) {
		struct piece_job *j = &m->window[m->submitted % m->n_window];
		j->piece = &m->pieces.v[m->submitted];
		if (j->piece->layer == m->hashing)
			submit_hash(m);
		j->job.run = run_piece;
		j->m = m;
		pool_submit(m->req->pool, &j->job);
		m->submitted++;
	}
}

/* After a failure: no job may be left that knows of us. */
static void drain(struct making *m)
{
	for (; m->joined < m->submitted; m->joined++) {
		auto_err struct err err = ERR_INIT;
		(void)!pool_wait(m->req->pool, &m->window[m->joined % m->n_window].job, &err);
	}
}

static bool join_piece(struct making *m, uint32_t layer, struct piece_job *j,
	struct layer_blob *blob, struct err *err)
{
	struct splice_piece piece = { j->rec.crc, j->rec.raw, j->rec.deflated };
	int from = j->known ? piece_map_fd(m->map, j->known) : -1;
	uint64_t at = j->rec.off;
	j->rec.layer = layer;
	j->rec.off = blob->size;
	vec_push(m->a, &m->recs, j->rec);
	struct piece_record other = j->rec;
	piece_alias(other.crc, other.raw, other.key);
	vec_push(m->a, &m->recs, other);
	return from >= 0 ? layer_blob_copy(blob, &piece, j->out.p, from, at, err) :
			   layer_blob_add(blob, &piece, j->out.p, err);
}

static bool join_pieces(struct making *m, uint32_t layer, struct layer_blob *blob,
	struct err *err)
{
	for (submit(m); m->joined < m->pieces.n; submit(m)) {
		if (m->pieces.v[m->joined].layer != layer)
			return true;
		struct piece_job *j = &m->window[m->joined++ % m->n_window];
		if (!pool_wait(m->req->pool, &j->job, err) || !proc_check(err) ||
			!join_piece(m, layer, j, blob, err))
			return false;
	}
	return true;
}

static bool join_layer(struct making *m, uint32_t i, struct err *err)
{
	struct layer *l = &m->layers[i];
	struct layer_blob blob;
	if (!layer_blob_begin(&blob, m->req->store, err))
		return false;
	bool ok = join_pieces(m, i, &blob, err) &&
		layer_blob_end(&blob, l->digest, l->digest_hex, err);
	l->size = blob.size;
	l->raw_size = blob.join.raw;
	layer_blob_release(&blob);
	if (!ok)
		return false;
	if (l->raw_size != m->plans.v[i].size)
		BUG("a layer of %llu bytes was planned to have %llu",
			(unsigned long long)l->raw_size, (unsigned long long)m->plans.v[i].size);
	l->path = store_path(m->req->store, STORE_LAYER, l->digest_hex, m->a);
	return true;
}

static bool wait_hashes(struct making *m, bool ok, struct err *err)
{
	for (size_t i = 0; i < m->hashing; i++) {
		auto_err struct err one = ERR_INIT;
		if (!pool_wait(m->req->pool, &m->hashes[i].job, &one))
			ok = ok && err_move(err, &one);
		else
			hex_encode(m->layers[i].diff_id, 32, m->layers[i].diff_hex);
	}
	return ok;
}

static bool make(struct making *m, struct err *err)
{
	bool ok = true;
	for (uint32_t i = 0; i < m->plans.n; i++)
		piece_cut(&m->plans.v[i], i, m->a, &m->pieces);
	for (uint32_t i = 0; i < m->plans.n && ok; i++)
		ok = join_layer(m, i, err);
	drain(m);
	return wait_hashes(m, ok, err);
}

static void save(struct making *m)
{
	uint8_t(*digests)[32] = arena_alloc(m->a, m->plans.n * sizeof(*digests));
	for (size_t i = 0; i < m->plans.n; i++)
		memcpy(digests[i], m->layers[i].digest, 32);
	piece_map_save(m->map, (const uint8_t(*)[32])digests, m->plans.n, &m->recs);
}

static void making_init(struct making *m)
{
	unsigned width = pool_width(m->req->pool);
	m->layers = arena_array(m->a, struct layer, m->plans.n);
	m->lanes = arena_array(m->a, struct lane, width);
	m->hashes = arena_array(m->a, struct hash_job, m->plans.n);
	m->n_window = 8 + 4 * (size_t)width;
	m->window = arena_array(m->a, struct piece_job, m->n_window);
	for (size_t i = 0; i < m->n_window; i++)
		buf_init(&m->window[i].out, BUF_NOLIMIT);
	m->map = piece_map_load(m->req->store, m->req->level);
}

static void making_release(struct making *m)
{
	for (unsigned i = 0; i < pool_width(m->req->pool); i++) {
		splice_enc_free(m->lanes[i].enc);
		libdeflate_free_decompressor(m->lanes[i].dec);
		free(m->lanes[i].raw);
		free(m->lanes[i].check);
	}
	for (size_t i = 0; i < m->n_window; i++)
		buf_release(&m->window[i].out);
	piece_map_free(m->map);
}

bool layers_make(const struct layer_req *req, struct arena *a, struct layers *ret, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct layer_groups groups = { 0 };
	struct making m = { .req = req, .a = &scratch };
	if (req->layered && !layer_group(req->installed, req->budget, a, &groups, err))
		return false;
	if (!layer_split(req->tree, req->layered ? &groups : NULL, &scratch, &m.plans, err))
		return false;
	making_init(&m);
	bool ok = make(&m, err);
	if (ok)
		save(&m);
	making_release(&m);
	if (!ok)
		return false;
	struct layer *out = arena_dup(a, m.layers, m.plans.n * sizeof(*out));
	for (size_t i = 0; i < m.plans.n; i++) {
		out[i].path = arena_strdup(a, out[i].path);
		out[i].group = i < groups.n ? &groups.v[i] : NULL;
	}
	*ret = (struct layers){ out, m.plans.n };
	return true;
}
