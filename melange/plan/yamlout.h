#pragma once

#include "melange/plan/outline.h"
#include "shared/base/buf.h"

/* An outline as block YAML, two blanks a level, in the existing tool's layout and quoting. */
void yaml_out(const struct outline *o, struct buf *out);
