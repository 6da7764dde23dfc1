#pragma once

#include "shared/base/err.h"
#include "shared/base/vec.h"

/* The sources of a build file as a git repository to work in (melange-build 7): `get` makes it from
 * the first git-checkout step and the patches behind it, `pop` turns the commits made there into
 * patches and has the build file apply them. Both run the git of this machine. */

struct source_req {
	const char *path;	/* the build file */
	const char *out_dir;	/* the repository is OUT/PACKAGE */
	const char *source_dir;	/* of the patches; "" = the package's directory beside the file */
};
/* The repository appears whole; one that is there is an error. */
bool source_get(const struct source_req *req, struct err *err) must_check;
/* Patches first, then the build file, each by rename. Files of patches no longer used stay. */
bool source_pop(const struct source_req *req, struct err *err) must_check;
