#pragma once

#include "shared/archive/stream.h"
#include "shared/rootfs/export.h"

/* A tree as a "newc" cpio archive, which the kernel unpacks as its first root: the root itself as
 * ".", then the entries of the plan. Inodes are numbered in their order; of a file with several
 * names the last has the content, as other writers have it. Sizes and ids are below 2^32, times
 * from 1970 on. Extended attributes have no place in it. */
bool cpio_write(struct tree *t, const struct export_plan *plan, struct sink *out,
	struct err *err) must_check;
