#pragma once

#include "shared/apk/pkg.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* .PKGINFO text, by the strict grammar of apk-format 1.3: `key = value` lines, values taken
 * literally but for blanks at their ends, unknown keys and lines without " = " ignored. Of a
 * repeated key the last counts, but of `license` the first, as both tools and every index made by
 * them have it. Lists may repeat and hold several items; equal items are kept once. Name, version
 * and architecture must be fit for file names; numbers are strict. Fails with EK_PARSE. */

bool pkginfo_parse(struct str text, const char *name, struct arena *a, struct apk_pkg *ret,
	struct err *err) must_check;

struct pkginfo_extra {
	struct str namespace_;		/* "maintainer"; empty = none */
	struct str licenses;		/* each line of this text ("MIT\nISC\n", "\n") makes one */
	struct str vendored;		/* blank-separated; comments only */
	const struct str *provider_priority, *replaces_priority; /* NULL = not written */
	/* Items as found, where one may hold a blank ("cmd:with space=1"); NULL = p's lists. */
	const struct strs *depends, *provides, *replaces;
};
/* As melange writes it, in its order; line breaks and control characters in values become one
 * blank. size, datahash, build_time and the lists come from p. */
void pkginfo_write(const struct apk_pkg *p, const struct pkginfo_extra *x, struct buf *out);
