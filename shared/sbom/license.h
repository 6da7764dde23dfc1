#pragma once

#include <stdbool.h>
#include "shared/base/arena.h"
#include "shared/base/str.h"

/* Licence expressions: SPDX identifiers joined by AND, OR, WITH and parentheses. */

/* Whether the text is an expression of known identifiers ("LicenseRef-..." counts). */
bool license_valid(struct str expr);
/* "LicenseRef-" and what of the text an identifier may hold: letters, digits, '.' and '-', blanks
 * and '_' as '-'; nothing left: the first 8 bytes of its SHA-256 in hex, made by the caller. */
struct str license_ref(struct str text, struct arena *a);
/* Whether the expression needs parentheses among others joined by AND. */
bool license_has_or(struct str expr);
