#pragma once

#include "shared/apk/solve.h"

/* Why a package is in a solution: the shortest chain of demands from the request down to it, and
 * who else asks for it. Everything is taken from the solution itself, nothing from how it was
 * found. */

struct solve_link {
	const struct apk_pkg *pkg;
	const struct apk_pkg *by;	/* who asks for it; NULL = the request, or with install_if nobody */
	struct str atom;		/* as it is asked for, or its install_if */
	bool install_if;		/* it came because others are there */
};
struct solve_reason {
	struct solve_link *links;	/* from the request on; the last is of the package */
	size_t n;
	const struct apk_pkg **askers;	/* whose dependencies it meets, solution order */
	size_t n_askers;
	bool asked;			/* the request itself asks for it */
	/* other packages of the indexes that meet the last link's demand, in index order */
	const struct apk_pkg **others;
	size_t n_others;
};

/* The package of the solution that has this name, else the first that provides it; NULL = none. */
const struct apk_pkg *solve_named(const struct solve_result *r, struct str name, struct arena *a);
/* EK_NOTFOUND when nothing leads to pkg, which must be of the solution. */
bool solve_reason(const struct solve_req *req, const struct solve_result *r,
	const struct apk_pkg *pkg, struct arena *a, struct solve_reason *ret, struct err *err)
	must_check;
