#pragma once

#include <stdint.h>
#include "shared/archive/splice.h"
#include "shared/store/store.h"

/* A layer's blob while its pieces are joined: hashed as it grows, and written into the store.
 * What comes from an earlier blob is copied inside the kernel, in stretches as long as they get;
 * a blob that turns out to be in the store already is not written at all. */

struct layer_blob {
	struct sink sink;	/* of what is written as bytes */
	struct store *store;
	struct store_new file;
	struct digest hash;
	struct splice_join join;
	uint64_t size;		/* so far */
	uint32_t crc;
	/* stretch of another blob that is still to be copied */
	int from;
	uint64_t from_at, from_n;
};

bool layer_blob_begin(struct layer_blob *b, struct store *store, struct err *err) must_check;
bool layer_blob_add(struct layer_blob *b, const struct splice_piece *piece, const void *bytes,
	struct err *err) must_check;
/* A piece whose bytes stand at `at` in the file open at `from`, which stays open until the end. */
bool layer_blob_copy(struct layer_blob *b, const struct splice_piece *piece, const void *bytes,
	int from, uint64_t at, struct err *err) must_check;
/* Makes it an object STORE_LAYER. */
bool layer_blob_end(struct layer_blob *b, uint8_t ret_digest[32], char ret_hex[65],
	struct err *err) must_check;
void layer_blob_release(struct layer_blob *b);
