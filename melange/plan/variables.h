#pragma once

#include "melange/config/scope.h"
#include "melange/plan/compile.h"

/* The variables of pass C (melange-config 2.2), in nested scopes: those of the architecture, with
 * those of the origin or of one subpackage on top. */

void variables_arch(struct scope *s, const struct config *c, const struct compile_opts *opts,
	struct arena *a, struct diags *diags);
void variables_origin(struct scope *s, const struct config *c, struct arena *a);
void variables_subpackage(struct scope *s, const struct subpackage *sub, struct arena *a);
