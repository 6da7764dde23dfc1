#pragma once

#include <stddef.h>

/* The SPDX licence list as of 2026: identifiers, deprecated ones included, and exceptions, without the
 * '+' that may follow one; sorted bytewise. */
extern const char *const license_ids[], *const license_exceptions[];
extern const size_t license_nids, license_nexceptions;
