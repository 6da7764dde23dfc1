#pragma once

#include "melange/config/model.h"
#include "melange/config/scope.h"

/* The passes of loading over all fields (melange-config 2.3, 2.4): values substituted, ranges
 * expanded, settings handed down to nested steps. `if` texts are left to compilation. */

/* package.name, .version, .epoch, .full-version, .description */
void scope_package(struct scope *s, const struct config *c, struct arena *a);
/* vars.*, then what the transforms define, in their order. */
void scope_vars(struct scope *s, const struct config *c, struct arena *a, struct diags *diags);
/* Strict in dependencies and package lists, lax elsewhere. Replaces the config's lists by new
 * ones. */
void pass_values(struct config *c, const struct scope *scope, struct arena *a,
	struct diags *diags);
/* Nested steps get their parents' working-directory and environment. */
void pass_inherit(struct config *c, struct arena *a);
/* Group and user `build` (1000), unless an entry of that name is there. */
void pass_build_user(struct imgconf *env, struct arena *a);

/* Copies of all steps, values substituted by x; `if` only when x is strict. */
struct bind_list pass_steps(const struct subst *x, const struct bind_list *in);
