#include "apko/layers/layerblob.h"

#include <libdeflate.h>

#include "apko/layers/blobstamp.h"
#include "shared/os/fd.h"

static bool flush(struct layer_blob *b, struct err *err)
{
	uint64_t n = b->from_n;
	b->from_n = 0;
	return !n || fd_copy(b->from, (off_t)b->from_at, b->file.fd, (off_t)n, b->file.path, err);
}

/* What stands at the end of the blob, wherever it is written from. */
static void account(struct layer_blob *b, const void *p, size_t n)
{
	digest_add(&b->hash, p, n);
	b->crc = libdeflate_crc32(b->crc, p, n);
	b->size += n;
}

static bool write_bytes(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct layer_blob *b = (struct layer_blob *)sink;
	account(b, p, n);
	return flush(b, err) && fd_write_all(b->file.fd, p, n, b->file.path, err);
}

bool layer_blob_begin(struct layer_blob *b, struct store *store, struct err *err)
{
	*b = (struct layer_blob){ .sink.write = write_bytes, .store = store };
	if (!store_begin(store, &b->file, err))
		return false;
	digest_init(&b->hash, DIGEST_SHA256);
	if (splice_begin(&b->join, &b->sink, err))
		return true;
	layer_blob_release(b);
	return false;
}

bool layer_blob_add(struct layer_blob *b, const struct splice_piece *piece, const void *bytes,
	struct err *err)
{
	return splice_add(&b->join, piece, bytes, err);
}

bool layer_blob_copy(struct layer_blob *b, const struct splice_piece *piece, const void *bytes,
	int from, uint64_t at, struct err *err)
{
	uint64_t n = piece->deflated;
	if (b->from_n && (b->from != from || b->from_at + b->from_n != at) && !flush(b, err))
		return false;
	if (!b->from_n) {
		b->from = from;
		b->from_at = at;
	}
	b->from_n += n;
	splice_account(&b->join, piece);
	account(b, bytes, (size_t)n);
	return true;
}

/* The last bytes are kept back until it is known whether the blob has to be written. */
struct end_sink {
	struct sink sink;
	struct buf bytes;
};

static bool keep(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct end_sink *e = (struct end_sink *)sink;
	(void)err;
	buf_add(&e->bytes, p, n);
	return true;
}

static bool commit(struct layer_blob *b, const struct buf *end, const char *hex, struct err *err)
{
	if (!flush(b, err) || !fd_write_all(b->file.fd, end->p, end->n, b->file.path, err) ||
		!store_commit(&b->file, STORE_LAYER, hex, err))
		return false;
	blobstamp_put(b->store, hex, b->crc);
	return true;
}

bool layer_blob_end(struct layer_blob *b, uint8_t ret_digest[32], char ret_hex[65],
	struct err *err)
{
	struct end_sink end = { .sink.write = keep, .bytes = BUF_INIT(256) };
	b->join.out = &end.sink;
	bool ok = splice_end(&b->join, err);
	if (ok) {
		account(b, end.bytes.p, end.bytes.n);
		digest_final(&b->hash, ret_digest);
		hex_encode(ret_digest, SHA256_SIZE, ret_hex);
		ok = blobstamp_holds(b->store, ret_hex, b->size) ||
			commit(b, &end.bytes, ret_hex, err);
	}
	buf_release(&end.bytes);
	return ok;
}

void layer_blob_release(struct layer_blob *b)
{
	digest_release(&b->hash);
	store_abort(&b->file);
}
