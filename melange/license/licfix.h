#pragma once

#include "melange/license/liccheck.h"
#include "shared/text/yedit.h"

/* package.copyright of a build file made to say what the licence files say: only its own lines
 * change, and comments in them stay, in front of the new entries. */

enum lic_format {
	LIC_FLAT,	/* an entry with license and license-path for each file */
	LIC_SIMPLE,	/* one entry with all licences, sorted and joined by AND */
};
/* Fails when `package` is written as a flow map, whose lines are not its own. */
bool license_fix(const struct ydoc *doc, const struct lic_report *r, enum lic_format format,
	struct arena *a, struct yedits *ret, struct err *err) must_check;
