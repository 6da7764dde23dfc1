#pragma once

#include "melange/config/model.h"

/* Build options (melange-config 5.4): each enabled option that the file declares lays its vars
 * over `vars` and adds and removes packages of the environment. Unknown names are no error. */

void options_apply(struct config *c, const struct strs *enabled, struct arena *a);
