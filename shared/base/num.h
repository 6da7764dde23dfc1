#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/str.h"

/* Strict numbers from text: the whole text must match; false leaves the result alone. */

bool num_u64(struct str s, unsigned base, uint64_t *ret_n);	/* digits only, no sign or blank */
bool num_i64(struct str s, int64_t *ret_n);			/* decimal, optional - or + */
bool num_bool(struct str s, bool *ret_b);	/* 1 t T true TRUE True 0 f F false FALSE False */
/* "123", "1.5 KB", "300MiB": units of 1024, letters in any case, B and iB optional. */
bool num_size(struct str s, uint64_t *ret_bytes);
/* Go's duration text: "1h30m", "90s", "1.5h", "300ms"; result in nanoseconds. */
bool num_duration(struct str s, int64_t *ret_ns);
