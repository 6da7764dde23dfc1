#pragma once

#include "melange/inspect/pkgfile.h"

/* What differs between two packages: files of the control and data sections by name, kind, mode,
 * owner, link and content, with the differences of .PKGINFO, .melange.yaml and the SBOM line by
 * line; then, should they be packed differently, the bytes of both sections. Signatures are not
 * looked at: another key, or none, makes no other package. */

/* Appends the report; nothing when they are equal. The names are where the packages are. */
bool pkgdiff(const struct pkgfile *old, const char *old_path, const struct pkgfile *new,
	const char *new_path, struct buf *out, struct err *err) must_check;
