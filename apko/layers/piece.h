#pragma once

#include "apko/layers/span.h"
#include "shared/base/vec.h"

/* How a layer's tar is cut into pieces that are compressed apart and found again in later layers.
 * Where the cuts are depends on the entries alone: a file of 64 KiB or more is in pieces of its
 * own, at most 1 MiB each; what lies between them (headers, small files, padding) is cut before
 * entries, at places that their names and the sizes tell, so that one more entry moves few of
 * them. */

#define PIECE_MAX (1u << 20)	/* bytes of any piece, at most */

struct piece {
	uint32_t layer;		/* for the caller: which plan it belongs to */
	uint32_t n;		/* bytes */
	size_t entry;		/* where it starts: see struct span_cursor */
	uint64_t off;
};
struct pieces {
	struct piece *v;
	size_t n, cap;
};

/* Appends the pieces of a plan, in order. */
void piece_cut(const struct export_plan *plan, uint32_t layer, struct arena *a,
	struct pieces *ret);

#define PIECE_KEY 32
/* Names the bytes of a piece, mostly without reading them: contents that have an identity count
 * by it. */
bool piece_key(const struct export_plan *plan, const struct piece *p, uint8_t ret_key[PIECE_KEY],
	struct err *err) must_check;
/* Its bytes. */
bool piece_read(const struct export_plan *plan, const struct piece *p, void *ret_bytes,
	struct err *err) must_check;
