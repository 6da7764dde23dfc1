#pragma once

#include "shared/base/err.h"
#include "shared/net/http.h"

/* A build file for another version: version, epoch, the sums of what it fetches and, when asked,
 * the commit it checks out (melange-config 6). Nothing else in the file changes. */

struct bump_req {
	const char *path;
	struct str version;
	const char *expected_commit;	/* NULL: commits stay */
	struct http *http;
};
/* The file is replaced at the very end, by rename, with the mode it had. */
bool bump(const struct bump_req *req, struct err *err) must_check;
