#pragma once

#include "shared/text/ynode.h"

/* Changes to a YAML text by byte range: what is not changed keeps its bytes, comments, blank lines
 * and quotes included. */

struct yedit {
	size_t off, end;		/* bytes of the source that go */
	struct str text;		/* what comes instead */
	const struct ynode *node;	/* the scalar whose value it is; NULL: whole lines */
	struct str value;
};
struct yedits {
	struct yedit *v;
	size_t n, cap;
};

enum yedit_style {
	YEDIT_SAME,	/* as the value was written; quoted when it was a block or could be misread */
	YEDIT_QUOTED,	/* in double quotes, or single ones where it had them */
};
/* Gives a scalar (or null) another value. Through an alias it is the anchor's value that changes.
 * Values hold no control characters. Setting a node to the same value twice is one change. */
void yedit_value(struct yedits *e, const struct ydoc *doc, const struct ynode *n, struct str value,
	enum yedit_style style, struct arena *a);
/* Puts lines in the place of others; off == end inserts. */
void yedit_lines(struct yedits *e, size_t off, size_t end, struct str lines, struct arena *a);
/* The text with all changes made. It is read again: unless it parses and, where only values were
 * changed, holds just the new values where the old ones were, that is an error. */
bool yedit_apply(const struct yedits *e, const struct ydoc *doc, struct arena *a, struct str *ret,
	struct err *err) must_check;
