#pragma once

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"
#include "shared/rootfs/tree.h"

/* Linters over a package's files (melange-build 5). */

struct lint_req {
	const char *pkg, *version, *arch;	/* version full */
	struct tree *tree;
	const struct strs *require, *warn;	/* names, in the order to run; NULL = the defaults */
	const struct strs *disabled;		/* checks.disabled: required becomes warning */
	const struct strs *test_uses;		/* `uses` of its top-level test steps */
};
/* Runs the warning set, then the required one, and logs what they find. False (err set) when
 * required linters found something, all of which the error names, or a name is unknown.
 *
 * json, when given, gets the findings document, also when linters failed; nothing is appended
 * when there are none. A package name, version or architecture that is no plain file name is
 * then refused, since the document's file is named after them. */
bool lint_package(const struct lint_req *req, struct arena *a, struct buf *json, struct err *err)
	must_check;
/* Whether a linter has this name. */
bool lint_known(struct str name);
/* Names of the default sets, sorted. */
struct strs lint_defaults(bool required, struct arena *a);
