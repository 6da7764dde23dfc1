#pragma once

#include "shared/base/arena.h"
#include "shared/rootfs/tree.h"

/* Packages taken apart for tests; anything wrong with them fails the test. */

struct apktree {
	struct tree files;		/* initialised by apktree_open, the caller releases it */
	struct str info, config;	/* .PKGINFO and .melange.yaml */
};
void apktree_open(const char *path, struct arena *a, struct apktree *ret);
/* Values of the lines "KEY = VALUE" of a .PKGINFO. */
struct strs apktree_values(const struct apktree *t, struct str key, struct arena *a);
