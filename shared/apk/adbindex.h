#pragma once

#include "shared/apk/adbfile.h"
#include "shared/apk/index.h"

/* v3 indexes (Packages.adb), brought into the form of v2 ones, so that everything behind the
 * reading is the same. Signature first, then values, then texts. */

/* Whether a file that begins so is one. */
bool adb_index_is(struct str bytes);
/* Verifies: EK_TRUST when keys are given and none of them signed. The digest is the identity. */
bool adb_index_open(struct str bytes, const struct index_read_opts *opts, struct arena *a,
	struct adb_head *ret, uint8_t ret_digest[SHA256_SIZE], struct err *err) must_check;
/* The records as the text of an APKINDEX would have them, and "DESCRIPTION" or
 * "DESCRIPTION\0PKGNAME-SPEC". Both live as long as the arena. */
bool adb_index_text(const struct adb_head *h, const struct index_read_opts *opts,
	struct arena *a, struct str *ret_text, struct str *ret_description, struct err *err)
	must_check;
