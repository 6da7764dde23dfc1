#pragma once

#include "melange/config/scope.h"

/* `if:` expressions (melange-config 3): comparisons of texts with == and !=, joined by && and ||,
 * which have equal precedence and associate left, and parentheses. A variable outside quotes is
 * one value; inside quotes its text is pasted. An empty text is true. */

/* Evaluates the text as the author wrote it, variables looked up by x. Both sides of && and ||
 * are always read, so that what is wrong in either is found; problems go to x->diags and point at
 * the character. */
bool cond_eval(const struct subst *x, struct ystr text, bool *ret) must_check;
