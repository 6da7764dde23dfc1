#pragma once

#include "shared/base/arena.h"
#include "shared/base/compiler.h"

/* One layout for shell scripts: the text is parsed as bash and printed anew, one statement per
 * line, indented by tabs, without comments (a first line "#!..." stays when a line follows it);
 * words, quoted text and here-documents stay as they are, but for command substitutions within
 * them, which are printed like the rest, as $(...).
 *
 * Returns false, with `ret` untouched, when anything in the text is not understood with
 * certainty (rare syntax, errors, control characters, deep nesting, more than 4 MiB): the caller
 * then keeps the author's text. What is returned was parsed again and found to be the same
 * commands, and prints as itself. `ret` lives in the arena and may be empty. */
bool shellfmt(struct str text, struct arena *a, struct str *ret) must_check;
