#pragma once

#include <stdbool.h>
#include "shared/base/str.h"

/* A WWW-Authenticate header: SCHEME key="value", key=value ... */

struct challenge {
	struct str scheme;
	struct str realm, service, scope; /* quotes taken off; empty if not there */
};
/* Slices of the header. False when it is malformed, or a value is escaped. */
bool challenge_parse(struct str header, struct challenge *ret);
