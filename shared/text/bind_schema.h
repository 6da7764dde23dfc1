#pragma once

#include "shared/base/buf.h"
#include "shared/text/bind.h"

/* The JSON Schema (draft 2020-12) of what bind_struct accepts for a table: for editors, so of what
 * a key may hold and how keys are called, not of rules across keys. Indented by two blanks. */
void bind_json_schema(const struct bind_schema *schema, const char *title, struct buf *out);
