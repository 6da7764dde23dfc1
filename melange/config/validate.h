#pragma once

#include "melange/config/model.h"

/* Checks across fields, after substitution (melange-config 1.8 step 12). */

void validate(const struct config *c, struct diags *diags);
