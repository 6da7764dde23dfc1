#pragma once

#include "apko/build/request.h"
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* The root file system of one architecture as one archive (apko 1.3): nothing is locked, the
 * world is what was asked for. Names that end in .gz are compressed. */

enum pack_format { PACK_TAR, PACK_CPIO };
/* To req->output, which appears by rename. */
bool pack_rootfs(const struct apko_req *req, enum pack_format format, struct arena *a,
	struct err *err) must_check;
