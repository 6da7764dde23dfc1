#pragma once

#include "shared/apk/adbpkg.h"
#include "shared/apk/expand.h"

/* v3 package files into the store, for apk_expand and apk_open_stored. The control object is the
 * ADB itself, under its identity; the data object holds the contents end to end. */

/* As apk_expand, with every limit set. The chain checked is: expected identity -> ADB -> SHA-256
 * of every file. */
bool adb_expand(int fd, const char *name, const struct apk_pkg *expect,
	const struct apk_limits *lim, struct store *st, struct arena *a, struct apk_file *ret,
	struct err *err) must_check;
/* Info, scripts and sums out of an ADB that was stored; false when it has another identity. */
bool adb_reopen(struct str payload, const uint8_t sha256[SHA256_SIZE], struct arena *a,
	struct apk_file *f) must_check;
