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

struct apko_version {
	uint64_t nums[16];	/* longer lists are invalid */
	unsigned n_nums;
	char letter;		/* 0 = none */
	uint8_t pre, post;	/* rank, 0 = none */
	uint64_t pre_n, post_n, rev;
	bool valid;
};
void apko_version_parse(struct str v, struct apko_version *ret);
int apko_version_cmp(const struct apko_version *a, const struct apko_version *b);
bool apko_version_match(const struct apko_version *a, unsigned op, const struct apko_version *b);
