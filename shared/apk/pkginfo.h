#pragma once

#include "shared/apk/pkg.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

/* .PKGINFO text, by the strict grammar of apk-format 1.3. */

bool pkginfo_parse(struct str text, const char *name, struct arena *a, struct apk_pkg *ret,
	struct err *err) must_check;

struct pkginfo_extra {
	struct str namespace_;		/* "maintainer"; empty = none */
	struct str licenses;		/* joined with " AND " */
	struct str vendored;		/* blank-separated; comments only */
	const struct str *provider_priority, *replaces_priority; /* NULL = not written */
};
/* As melange writes it, in its order; line breaks and control characters in values become one
 * blank. size, datahash, build_time and the lists come from p. */
void pkginfo_write(const struct apk_pkg *p, const struct pkginfo_extra *x, struct buf *out);
