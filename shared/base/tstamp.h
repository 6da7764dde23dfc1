#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* The one clock. Times are seconds since 1970 UTC. No other time reaches an output. */

/* SOURCE_DATE_EPOCH. ret_set: the variable exists and is not blank; otherwise ret_sec is left.
 * Fails (kind EK_USAGE) when it is not a decimal integer. */
bool tstamp_env(bool *ret_set, int64_t *ret_sec, struct err *err) must_check;
bool tstamp_parse(struct str rfc3339, int64_t *ret_sec, struct err *err) must_check;
char *tstamp_rfc3339(struct arena *a, int64_t sec);	/* 2006-01-02T15:04:05Z */
int64_t tstamp_mono_ns(void);	/* monotonic, for durations in reports only */
