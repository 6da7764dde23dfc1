#pragma once

#include "melange/config/load.h"

/* Checks across fields, after substitution (melange-config 1.8 step 12): what is wrong goes to
 * diags, what is only doubtful to the log. */

/* Of the options it obeys any_version and recorded. */
void validate(const struct config *c, const struct load_opts *opts, struct diags *diags);
/* `update` is never acted on here, so that all it gives are warnings: unknown periods, regular
 * expressions that do not compile, more than one provider. */
void validate_update(const struct update *u);
