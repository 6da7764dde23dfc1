#pragma once

#include "shared/rootfs/tree.h"

/* What etc/os-release says of the system, for SBOMs (apko 5). */
struct osrelease {
	struct str id, name, version_id;
};
/* Texts are the arena's. Without the file the name is "apko-generated image" and the others are
 * "unknown"; with it, keys it does not have are empty. Of a repeated key the last counts. A line
 * that is neither blank, a comment nor KEY=VALUE is an error that shows it; the file may be 1 MiB
 * long. */
bool osrelease_read(
	struct tree *t, struct arena *a, struct osrelease *ret, struct err *err) must_check;
