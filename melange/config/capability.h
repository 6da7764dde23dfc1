#pragma once

#include <stdbool.h>
#include "shared/base/str.h"

/* Whether Linux has a capability of this name, with or without CAP_, in any case. */
bool capability_known(struct str name);
