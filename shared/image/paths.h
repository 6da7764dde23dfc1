#pragma once

#include "shared/image/imgconf.h"
#include "shared/rootfs/tree.h"

/* The `paths:` changes, in list order (apko 3.4): directory, empty-file, hardlink, symlink,
 * permissions. Links are never followed by modes and owners; permissions that were left out are
 * 0755 for a directory, 0644 for an empty file, unchanged otherwise. */
bool paths_apply(struct tree *t, const struct bind_list *paths, struct err *err) must_check;
