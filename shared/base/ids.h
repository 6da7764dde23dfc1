#pragma once

#include <stdint.h>
#include "shared/base/arena.h"

/* Numbers by numbers: few keys out of a large range, for which an array would be mostly empty
 * memory. Zeroed is empty. The table lives in the arena of the caller. */

struct ids_slot;
struct ids {
	struct ids_slot *slots;
	uint32_t n, mask;
};
/* The value of a key, 0 when it is new. Any key but UINT32_MAX; valid until the next call. */
uint32_t *ids_at(struct ids *m, struct arena *a, uint32_t key);
