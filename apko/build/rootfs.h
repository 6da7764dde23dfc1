#pragma once

#include "apko/build/context.h"
#include "shared/image/assemble.h"

/* Packages to the tree of an image: fetched, verified, assembled (apko 3.2). */

struct rootfs_req {
	struct context *ctx;
	size_t arch;
	const struct locked *locked;
};
/* How packages are got in a context. */
struct apk_fetch rootfs_fetch(struct context *ctx);
/* fn gets the finished tree, which it may change; it is gone when this returns. */
bool rootfs_make(const struct rootfs_req *req, struct arena *a,
	bool (*fn)(struct assemble_result *r, void *user, struct err *err), void *user,
	struct err *err) must_check;
