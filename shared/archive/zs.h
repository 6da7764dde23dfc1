#pragma once

#include <stdbool.h>
#include "shared/archive/stream.h"

/* zstd: one-shot decompression bounded by out->max, and a deterministic single-threaded-result
 * encoder sink (fixed level and window; same bytes for any number of threads). */

bool zs_inflate(struct str in, const char *name, struct buf *out, struct err *err) must_check;

struct zs_sink {
	struct sink sink;
	struct sink *next;
	void *state;
};
bool zs_open(struct zs_sink *z, int level, struct sink *next, struct err *err) must_check;
bool zs_end(struct zs_sink *z, struct err *err) must_check;
void zs_close(struct zs_sink *z);
