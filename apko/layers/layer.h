#pragma once

#include <stdint.h>
#include "apko/layers/group.h"
#include "shared/rootfs/tree.h"
#include "shared/store/pool.h"
#include "shared/store/store.h"

/* A finished tree to layer blobs: one gzip member each, spliced from pieces that are compressed on
 * all threads or taken from earlier layers. The tar inside is apko's to the byte (apko 3.8, 4.7);
 * the compressed bytes depend on it, the encoder and the level, and on nothing else. */

struct layer {
	uint8_t diff_id[32];	/* SHA-256 of the tar */
	uint8_t digest[32];	/* SHA-256 of the blob */
	char diff_hex[65], digest_hex[65];
	uint64_t size, raw_size;/* of the blob, of the tar */
	const char *path;	/* of the blob: object STORE_LAYER, key = digest_hex */
	const struct layer_group *group;	/* packages in it; NULL: single or top layer */
};
struct layers {
	struct layer *v;	/* bottom first */
	size_t n;
};

struct layer_req {
	struct tree *tree;
	const struct install_result *installed;	/* used when layered */
	bool layered;		/* by origin: at most max(budget, 1) + 1 layers; else one */
	int64_t budget;
	int level;		/* of deflate: SPLICE_LEVEL_LAYER */
	struct store *store;
	struct pool *pool;
};
/* Results live in the arena. Memory besides the tree and its headers: about 2 MiB per piece in
 * flight, of which there are 8 and 4 per thread. */
bool layers_make(const struct layer_req *req, struct arena *a, struct layers *ret,
	struct err *err) must_check;
