#pragma once

#include "melange/config/model.h"
#include "melange/license/lictext.h"

/* The licence check (melange-build 7): the licence files of a source tree, what they say, and how that
 * agrees with package.copyright. It only tells; nothing in it fails a build. */

struct lic_found {
	struct str path;
	struct lic_match match;
};
struct lic_report {
	struct lic_found *v;	/* all licence files, the likeliest first */
	size_t n, cap;
	size_t n_differences;	/* of those that are sure from what is configured */
};
/* pkg NULL: nothing to compare with. What is found goes to the log. Files over 1 MiB and unreadable
 * ones are passed over with a warning. */
bool license_check(int dirfd, const char *name, const struct package *pkg, bool deep,
	struct arena *a, struct lic_report *ret, struct err *err) must_check;
