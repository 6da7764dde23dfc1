#pragma once

#include "melange/upstream/source.h"
#include "melange/upstream/upstream.h"

struct source {
	const struct source_req *req;
	struct upfile f;
	const char *repo;	/* OUT/PACKAGE */
	const char *patch_dir;
	struct scope scope;	/* released by the caller of source_open */
	struct arena *a;
};
/* Reads the file; it must have a git-checkout step. */
bool source_open(struct source *s, const struct source_req *req, struct arena *a,
	const struct ynode **ret_checkout, struct err *err) must_check;

/* Runs git in a directory; what it says goes to the log, or its output to out. */
bool source_git(const char *dir, const char *const *argv, struct buf *out, struct err *err)
	must_check;
/* The commit that `get` left before it applied patches. */
#define SOURCE_BASE_KEY "melange.base"

bool source_is_patch_step(const struct ynode *step);
