#pragma once

#include "melange/build/workspace.h"
#include "melange/config/model.h"
#include "shared/base/arena.h"
#include "shared/rootfs/tree.h"

/* What the steps left in melange-out, observed once: one tree per package, owners mapped, setcap
 * applied. */

struct collected {
	const struct subpackage *sub;	/* NULL = the origin */
	const char *name;
	struct tree tree;
	int dirfd;			/* melange-out/NAME, where contents are read */
};
/* The origin first, then each subpackage that is not skipped. Directories that no step made are
 * empty packages. */
bool collect(const struct config *conf, const struct workspace *w, struct arena *a,
	struct collected **ret_pkgs, size_t *ret_n, struct err *err) must_check;
void collect_release(struct collected *pkgs, size_t n);
