#pragma once

#include <stdbool.h>
#include "shared/text/ynode.h"

/* A YAML text made ready for the parser: UTF-8 checked (UTF-16 with a byte order mark is turned
 * into UTF-8), and the way from the parser's character counts to bytes, lines and columns. */

struct ymark {
	size_t chars, byte;	/* from the start of the text, a byte order mark not counted in chars */
	int line, col;		/* from 1; only '\n' ends a line */
};

struct ysource {
	struct str src;		/* UTF-8, arena memory */
	size_t start;		/* bytes of byte order mark */
	VEC(struct ymark) marks;	/* every MARK_STEP characters */
	struct ymark cur;	/* the last place asked for */
};

/* Copies text. Problems (one at most) go to d, whose doc gets the source. */
bool ysource_init(struct ysource *s, struct str text, struct ydoc *doc, struct diags *d,
	struct arena *a) must_check;
/* The place of a character, by its count from the start; clamped to the end. */
struct ymark ysource_at(struct ysource *s, size_t chars);
