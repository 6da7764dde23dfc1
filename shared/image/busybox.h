#pragma once

#include <stddef.h>
#include "shared/apk/pkg.h"
#include "shared/rootfs/tree.h"

/* Links to busybox (apko 3.2 step 9), since images run no scripts: from the list of paths that
 * the package brings, else from the applets of its release.
 *
 * pkgs are the installed packages in database order. Nothing is done without /bin/busybox. A link
 * or file that is there already stays; a directory in the way, no package that provides busybox,
 * a version that names no release, or a path that is unsafe is an error. */
bool busybox_links(
	struct tree *t, const struct apk_pkg *const *pkgs, size_t n, struct err *err) must_check;

/* Applet paths as names in a directory; since: minor number of the 1.x release they came with.
 * The last group has no directory. */
struct busybox_group {
	const char *dir;
	unsigned since;
	const char *names; /* separated by blanks */
};
extern const struct busybox_group busybox_groups[];
