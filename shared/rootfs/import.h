#pragma once

#include "shared/archive/stream.h"
#include "shared/rootfs/tree.h"

/* Directories and archives into trees. */

struct import_opts {
	/* Owners that become 0: the account that built, and the invoking user. -1 = none. */
	int64_t zero_uids[2], zero_gids[2];
	/* Keep extended attributes of what is neither directory nor link (melange-build 3.1, whose
	 * list is excepted). */
	bool xattrs;
};
/* What lies below the directory open at dirfd, which is borrowed and stays open as long as the
 * tree is used: contents are read from it later. Files that are one inode share a body. Sockets
 * are an error naming the file. */
bool import_dir(struct tree *t, int dirfd, const char *name, const struct import_opts *opts,
	struct err *err) must_check;
