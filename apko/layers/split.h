#pragma once

#include "apko/layers/group.h"
#include "shared/rootfs/export.h"

/* A tree to the tars of its layers (apko 4.7): what came from a package goes to the layer of that
 * package's group, all else and every directory to the top layer, which is the last. A group's
 * layer has the directories its files need, and an installed database of its own packages. */

struct layer_plans {
	struct export_plan *v;
	size_t n;
};

/* groups NULL: one plan of everything. Plans live in the arena and borrow the tree. A hard link
 * whose first name lies in another layer becomes a file of its own. */
bool layer_split(struct tree *t, const struct layer_groups *groups, struct arena *a,
	struct layer_plans *ret, struct err *err) must_check;
