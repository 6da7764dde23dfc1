#pragma once

#include "shared/text/bind.h"

/* `if:` expressions (melange-config 3): comparisons of texts with == and !=, joined by && and ||,
 * which have equal precedence and associate left, and parentheses. The text given has its
 * variables already replaced (SUBST_COND). An empty text is true. */

bool cond_eval(struct ystr text, struct arena *a, struct diags *diags, bool *ret) must_check;
