#pragma once

#include "shared/apk/dep.h"
#include "shared/apk/pkg.h"
#include "shared/base/vec.h"

/* World and indexes to an ordered list of packages, or the reason why not (apk-format 4.3).
 * Deterministic; the order of the world never matters. */

struct solve_req {
	const struct apk_indexes *indexes;	/* of the architecture being solved */
	const struct strs *world;		/* atoms */
	/* Indexes of the other architectures of the same image: a name and version that one of
	 * them lacks is not taken. */
	const struct apk_indexes *const *others;
	const struct str *other_archs;
	size_t n_others;
	/* Packages of a base image or prior installation, preferred where they satisfy. */
	const struct apk_pkg *const *installed;
	size_t n_installed;
};

struct solve_result {
	const struct apk_pkg **pkgs;	/* install order: dependencies before dependants */
	const struct apk_dep **pins;	/* per package: the world atom whose pin it got, or NULL */
	size_t n;
};

/* EK_CONFLICT with the derivation in the message when there is no solution; EK_PARSE for a
 * malformed atom or unknown tag, quoted. */
bool solve(const struct solve_req *req, struct arena *a, struct solve_result *ret,
	struct err *err) must_check;
/* The independent check: every atom, dependency and conflict of the set holds. */
bool solve_check(const struct solve_req *req, const struct solve_result *r, struct err *err)
	must_check;
