#pragma once

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"
#include "shared/rootfs/tree.h"

/* Linters over a package's files (melange-build 5). */

struct lint_req {
	const char *pkg, *version, *arch;	/* version full */
	struct tree *tree;
	const struct strs *require, *warn;	/* names; NULL = the defaults */
	const struct strs *disabled;		/* checks.disabled: required becomes warning */
	const struct strs *test_uses;		/* `uses` of its top-level test steps */
};
/* Logs findings; false (err set) when a required linter found something or a name is unknown.
 * json, when given, gets the findings document (nothing appended when there are none). */
bool lint_package(const struct lint_req *req, struct arena *a, struct buf *json, struct err *err)
	must_check;
