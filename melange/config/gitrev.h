#pragma once

#include "shared/base/arena.h"

/* The commit a directory's git checkout stands at, read from the repository's files: worktrees,
 * submodules and packed refs included, no program run. NULL when there is none. */

const char *gitrev_head(const char *dir, struct arena *a);
