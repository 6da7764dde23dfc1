#pragma once

#include "shared/base/arena.h"
#include "shared/base/err.h"

/* Shell text without its comments and blank lines (melange-config 5.2): everything else stays
 * byte for byte, quoted text and here-documents included; text that is not empty ends with one
 * line end. A first line that starts with "#!" stays when a line follows. */

struct shell_problem {
	const char *what;	/* "unterminated ..." */
	size_t at;		/* byte offset in the text */
};
bool shell_strip(struct str text, struct arena *a, struct str *ret, struct shell_problem *ret_bad)
	must_check;
/* Whether the text mentions the shell variable `name`, as a whole word. */
bool shell_uses_name(struct str text, struct str name);
