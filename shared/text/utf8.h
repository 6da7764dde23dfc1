#pragma once

#include <stdint.h>
#include "shared/base/str.h"

/* Single characters of UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */

/* Bytes (1 to 4) of the first character of s; 0 when s is empty or does not start with one. */
size_t utf8_decode(struct str s, uint32_t *ret_cp);
/* Bytes written for a character (which must be a valid one). */
size_t utf8_encode(uint32_t cp, char out[4]);
