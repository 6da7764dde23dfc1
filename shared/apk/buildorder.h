#pragma once

#include "shared/apk/solve.h"

/* In which order sources are to be built, by the resolver's own matching of what their packages
 * provide with what each needs to be built. */

struct build_unit {
	struct str name;			/* for messages */
	const struct apk_pkg *const *pkgs;	/* that come of it */
	size_t n_pkgs;
	const struct strs *needs;		/* atoms of its build environment */
};

/* A unit comes after every other unit whose packages go into its environment: those that its needs
 * choose, and what these need when they run. What no unit provides, and what only the unit itself
 * does, is there already. Otherwise the order is that given. *ret_order has n places in units.
 * EK_CONFLICT, with the needs that go round, when there is no order; EK_PARSE for a malformed
 * atom. */
bool build_order(const struct build_unit *units, size_t n, struct arena *a, size_t **ret_order,
	struct err *err) must_check;
