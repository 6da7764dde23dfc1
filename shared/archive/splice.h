#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/archive/stream.h"

/* One gzip member out of separately made deflate pieces. A piece is raw deflate without a final
 * block that ends on a byte boundary, so pieces may be made in any order, on any thread, kept in
 * a cache, and joined by concatenation: header, pieces, an empty final block, the combined CRC
 * and length. The bytes of a piece depend only on content, encoder version and level. */

#define SPLICE_LEVEL_LAYER 1
#define SPLICE_LEVEL_PACKAGE 3

/* Names everything that the bytes of a piece depend on besides content and level; part of cache
 * keys. */
const char *splice_encoder_id(void);

struct splice_enc; /* one per thread and level; not shared */
struct splice_enc *splice_enc_new(int level);
void splice_enc_free(struct splice_enc *e);

struct splice_piece {
	uint32_t crc;      /* CRC-32 of the content */
	uint64_t raw;      /* content bytes */
	uint64_t deflated; /* piece bytes */
};
/* Compresses n bytes and appends the piece to out. An empty content gives an empty piece. */
bool splice_deflate(struct splice_enc *e, const void *p, size_t n, struct buf *out,
	struct splice_piece *ret_piece, struct err *err) must_check;

/* Joins pieces in order into a sink. */
struct splice_join {
	struct sink *out;
	uint32_t crc;
	uint64_t raw, deflated;
};
bool splice_begin(struct splice_join *j, struct sink *out, struct err *err) must_check;
bool splice_add(struct splice_join *j, const struct splice_piece *piece, const void *bytes,
	struct err *err) must_check;
/* Accounts for a piece whose bytes the caller moves itself (copy_file_range). */
void splice_account(struct splice_join *j, const struct splice_piece *piece);
bool splice_end(struct splice_join *j, struct err *err) must_check;
