#pragma once

#include "melange/plan/shellfmt_ast.h"
#include "shared/base/buf.h"

/* Writes what the commands mean, without their layout: equal dumps are the same commands. The
 * text holds no control characters, so these serve as marks. */
void sf_dump(struct buf *out, const struct sf_stmts *list);
