#pragma once

#include "shared/base/buf.h"

/* The difference of two texts by lines, in the unified form with three lines of context. Lines that
 * stand once in each text are what is matched, so that changes stay together; the work grows little
 * faster than the texts. */

/* Appends "diff OLD NEW", "--- OLD", "+++ NEW" and the hunks; nothing for equal texts. */
void udiff(const char *old_name, struct str old_text, const char *new_name, struct str new_text,
	struct buf *out);
