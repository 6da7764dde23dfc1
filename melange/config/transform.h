#pragma once

#include "shared/text/bind.h"

/* Regular-expression replacement of var-transforms (melange-config 2.5): RE2's syntax as far as
 * PCRE2 shares it, leftmost-first, `$` at the end of the text only, no back-references; Go's
 * replacement text ($1, ${name}, $$). Matching work is bounded. */

/* Replaces all matches; false when the expression is bad (`what` explains, arena text). */
bool transform_replace(struct str text, struct str match, struct str replace, struct arena *a,
	struct str *ret, const char **ret_what) must_check;
