#pragma once

#include <stdint.h>
#include "shared/apk/install.h"

/* Installed packages to groups, one per layer (apko 4.7): by origin, merged where a package
 * replaces another one, biggest first, the smallest ones put together when there are more than
 * the budget allows. */

struct layer_group {
	const struct install_record **v;	/* sorted by package name */
	size_t n, cap;
	uint64_t size;				/* sum of installed sizes */
};
struct layer_groups {
	struct layer_group *v;
	size_t n, cap;
};

/* Groups live in the arena and borrow the records. budget >= 0; at most max(budget, 1) groups.
 * Fails on a `replaces` that is no list of atoms. */
bool layer_group(const struct install_result *installed, int64_t budget, struct arena *a,
	struct layer_groups *ret, struct err *err) must_check;
