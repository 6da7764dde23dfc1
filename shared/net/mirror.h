#pragma once

#include "shared/base/vec.h"
#include "shared/net/url.h"

/* Other servers that hold the same files. APK_MIRRORS is a list of FROM=TO pairs, separated by
 * blanks or commas: where a URL that begins with FROM cannot be had, TO and the rest of it is asked,
 * in the order of the list. Nothing is believed for coming from a mirror: signatures and digests
 * decide, and what is cached is known by the first URL. */

struct mirror {
	struct str from, to;
};
struct mirrors {
	struct mirror *v;
	size_t n, cap;
};
/* Both must be http or https URLs; from ends where a part of a path does. */
bool mirrors_parse(struct str list, struct arena *a, struct mirrors *ret, struct err *err) must_check;
/* The URL on the next mirror for it, starting with *at, which moves behind it; false when there is
 * none left. */
bool mirrors_next(const struct mirrors *m, const struct url *u, size_t *at, struct arena *a,
	struct url *ret);
