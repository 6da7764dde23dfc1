#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the final block of a raw deflate stream (RFC 1951) begins, and where the stream ends, in
 * bits from the stream's start. What an encoder for whole buffers made can then be gone on with:
 * clear the bit at `start`, write on from `end`. */
struct last_block {
	uint64_t start, end;
	bool stored; /* the block is stored, so `end` is on a byte boundary */
};

#define LAST_BLOCK_SLACK 24 /* readable bytes needed behind the stream */

/* The stream is the n bytes at p, exactly. false if it is malformed (no more is checked than
 * finding the end needs). */
bool last_block_find(const uint8_t *p, size_t n, struct last_block *ret_last);
