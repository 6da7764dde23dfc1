#pragma once

#include "melange/lint/lint.h"

/* One linter: a name, its place in the default sets, advice, and what looks at the tree. */

enum lint_set { LINT_REQUIRED, LINT_WARN, LINT_OFF };

struct lint_ctx {
	const struct lint_req *req;
	struct arena *arena;
	struct strs items;	/* paths or lines found */
	const char *message;	/* of the finding; NULL = what the rule says */
};
struct lint_rule {
	const char *name;
	enum lint_set set;
	const char *message, *advice;
	/* For each entry of the tree; adds to items. NULL when `whole` does the work. */
	bool (*entry)(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err);
	bool (*whole)(struct lint_ctx *c, struct err *err);
	const char *exempt;	/* package name suffixes, blank-separated */
};
extern const struct lint_rule lint_path_rules[], lint_content_rules[];	/* end: NULL name */

void lint_item(struct lint_ctx *c, struct str item);
