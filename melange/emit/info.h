#pragma once

#include "melange/emit/emit.h"
#include "shared/apk/pkginfo.h"

/* What .PKGINFO says of a package (melange-build 3.4), but for its size and hash. Texts live in the
 * arena or belong to what is passed, dependencies to deps. */
void package_info(const struct emit_build *b, const struct emit_pkg *p,
	const struct scan_result *deps, struct arena *a, struct apk_pkg *ret_info,
	struct pkginfo_extra *ret_extra);
