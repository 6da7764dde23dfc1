#pragma once

#include "shared/base/arena.h"
#include "shared/base/str.h"

/* "URL@HASH" of the git checkout the configuration lies in, which must be below the working
 * directory; empty when there is none (apko 3.1 step 2). User names are taken off. */
struct str vcs_probe(const char *config, struct arena *a);
/* "URL@HASH" without the URL's user information. */
struct str vcs_public(struct str url, struct arena *a);
