#pragma once

#include "melange/config/model.h"
#include "melange/config/scope.h"

/* A step's inputs (melange-config 4.3): declared names, defaults, checksums by name, required
 * ones. Defines inputs.NAME in `scope` for each, and leaves in `with` what differs from the
 * declared default, expanded. `outer` is where the step's author wrote (the parent's scope).
 * strict: a definition was loaded, so that undeclared names are errors. */

void inputs_resolve(struct step *s, bool strict, const struct subst *outer, struct scope *scope);
