#pragma once

#include "melange/plan/outline.h"
#include "shared/base/buf.h"

/* An outline as block YAML, two blanks a level, list items indented below their key. Texts are
 * plain where they can be read back as the same text, else quoted; texts of several lines are
 * literal blocks. These are the choices of the Go library the existing tools print with. */

void yaml_out(const struct outline *o, struct buf *out);
