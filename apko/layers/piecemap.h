#pragma once

#include <stdint.h>
#include "apko/layers/piece.h"
#include "shared/archive/splice.h"
#include "shared/base/buf.h"
#include "shared/store/store.h"

/* Where pieces compressed earlier are to be found: inside the finished layers of the store. One
 * small object of the store (per encoder and level) lists them, newest first; nothing is kept
 * twice. Losing the list, or a layer it names, costs time only. Of two processes that write it at
 * once one wins. */

struct piece_record {
	uint8_t key[PIECE_KEY];
	uint64_t off;		/* in the layer's blob */
	uint32_t layer;		/* index of the blob */
	uint32_t raw, deflated;
	uint32_t crc;		/* of the content */
	uint32_t deflated_crc;
	uint32_t spare;		/* zero */
};
struct piece_records {
	struct piece_record *v;
	size_t n, cap;
};

struct piece_map;
/* Never fails: what cannot be read is empty. */
struct piece_map *piece_map_load(struct store *store, int level);
void piece_map_free(struct piece_map *m);
/* NULL if unknown. Any thread. */
const struct piece_record *piece_map_find(const struct piece_map *m, const uint8_t key[PIECE_KEY]);
/* Appends the compressed bytes to out, after comparing their checksum; false if they are not as
 * they should be. Any thread. */
bool piece_map_get(const struct piece_map *m, const struct piece_record *r, struct buf *out)
	must_check;
/* The blob a record lies in; borrowed. */
int piece_map_fd(const struct piece_map *m, const struct piece_record *r);
uint32_t piece_crc(const void *p, size_t n);
/* A second name of a piece, by its bytes: for content that is known under another identity, as
 * that of a package which was made anew. Others may have it too: what is found by it has to be
 * compared. */
void piece_alias(uint32_t crc, uint32_t raw, uint8_t ret_key[PIECE_KEY]);

/* Puts the new records, of layers with these digests, in front of the list. A failure is only
 * logged, since it costs no more than time. */
void piece_map_save(const struct piece_map *m, const uint8_t (*digests)[32], size_t n_layers,
	const struct piece_records *recs);
