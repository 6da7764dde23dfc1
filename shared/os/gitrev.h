#pragma once

#include <stdbool.h>
#include "shared/base/arena.h"

/* The commit a directory's git checkout stands at, read from the repository's files: worktrees,
 * submodules and packed refs included, no program run. NULL when there is none. */

const char *gitrev_head(const char *dir, struct arena *a);
/* The same, with the first URL of the remote `origin`, and where the work tree begins. false when
 * one of them is missing. */
struct gitrev {
	const char *head, *origin, *top;
};
bool gitrev_read(const char *dir, struct arena *a, struct gitrev *ret);
