#pragma once

#include <stdbool.h>
#include "shared/base/arena.h"

/* What `version` prints: a banner and "GitVersion: ..." lines, or a JSON object with the keys
 * users of both tools' scripts read (gitVersion, gitCommit, gitTreeState, buildDate, goVersion,
 * compiler, platform). Nothing in it depends on when or where it was built. */

struct str version_text(const char *program, bool json, struct arena *a);
