#pragma once

#include <stdbool.h>
#include "shared/base/str.h"

/* Path globs: '*' and '?' do not match '/', '**' as a whole component matches any number of
 * components, [abc] [a-z] [!a] [^a] classes, '\' quotes. Linear in practice, never exponential. */

bool match_glob(struct str pattern, struct str path);
/* How alike two names are: letters put in, left out, changed, or swapped with the next one,
 * counted up to `max` + 1. For suggestions. */
unsigned match_distance(struct str a, struct str b, unsigned max);
/* The nearest of n names to `s`, or NULL when none is close enough to suggest. */
const char *match_nearest(struct str s, const char *const *names, size_t n);
