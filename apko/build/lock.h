#pragma once

#include "apko/build/request.h"
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* `lock`: resolves each architecture for itself, looks into the packages, and writes the lock
 * file to req->output, or to the configuration's path with this ending instead of its own. */
bool lock_all(const struct apko_req *req, const char *ending, struct arena *a,
	struct err *err) must_check;
