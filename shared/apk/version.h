#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/str.h"

/* Versions: apk-tools' grammar and order (apk-format 3.1, numbers that overflow are invalid), and
 * apko's (3.2), which stage 1 of the resolver needs. */

enum apk_op { APK_OP_EQ = 1, APK_OP_LT = 2, APK_OP_GT = 4, APK_OP_FUZZY = 8 };

bool apk_version_valid(struct str v);
/* -1, 0, 1. Invalid versions compare by their valid prefix, as apk-tools does. */
int apk_version_cmp(struct str a, struct str b);
/* a OP b with apk-tools' meaning; op 0 matches anything. */
bool apk_version_match(struct str a, unsigned op, struct str b);

/* The same three by apko's rules. Invalid versions are the lowest, and match only op 0. */
bool apko_version_valid(struct str v);
int apko_version_cmp(struct str a, struct str b);
bool apko_version_match(struct str a, unsigned op, struct str b);
/* The same two, quicker, of versions that are known to be valid. */
int apko_valid_cmp(struct str a, struct str b);
bool apko_valid_match(struct str a, unsigned op, struct str b);
