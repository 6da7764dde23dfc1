#pragma once

#include "melange/query/value.h"
#include "shared/base/buf.h"

/* Go's text/template over a build file, as far as queries need it (melange-config 5.7): fields and
 * methods, variables, if, with and range (with else, break, continue), parentheses and pipes,
 * and or not eq ne lt le gt ge len index print println printf, trim marks, comments.
 *
 * Work and output are bounded: a template that goes beyond is refused. Messages are Go's, with the
 * place in the template. */

struct tmpl;
/* The template lives in the arena and borrows text. */
bool tmpl_parse(struct str text, struct arena *a, const struct tmpl **ret, struct err *err) must_check;
/* Appends to out; on failure what is there is worthless. */
bool tmpl_run(const struct tmpl *t, struct gval root, struct buf *out, struct err *err) must_check;
