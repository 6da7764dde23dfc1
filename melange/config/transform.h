#pragma once

#include "shared/text/bind.h"

/* Regular-expression replacement of var-transforms (melange-config 2.5): RE2's syntax,
 * leftmost-first, `$` at the end of the text only, ASCII classes, no look-around and no
 * back-references; Go's replacement text ($1, ${name}, $$). What PCRE2, which does the work, would
 * take besides is refused, and the work of one call is bounded. */

/* Replaces all matches; false when the expression is bad (`what` explains, arena text). */
bool transform_replace(struct str text, struct str match, struct str replace, struct arena *a,
	struct str *ret, const char **ret_what) must_check;
/* An RE2 expression as PCRE2 understands it; false with the reason when it is none. */
bool re2_translate(struct str re, struct arena *a, struct str *ret, const char **ret_what)
	must_check;
