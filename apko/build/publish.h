#pragma once

#include "apko/build/request.h"
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* `publish` (apko 4.9): builds, and pushes images and index to the repositories of the tags. */

struct publish_req {
	struct apko_req build;
	const char *image_refs; /* file that gets a reference per line; empty = none */
	bool local;             /* into the docker daemon instead */
};
/* ret_name: what to call the result, the index by its digest in the first repository. */
bool publish_all(const struct publish_req *req, const struct strs *tags, struct arena *a,
	struct str *ret_name, struct err *err) must_check;
