#pragma once

#include "shared/apk/pkg.h"
#include "shared/crypto/sigkey.h"
#include "shared/store/pool.h"

/* A package for tests: foo 1.0-r0 for x86_64 with one file, DIR/x86_64/foo-1.0-r0.apk, and the
 * record that an index has of it. */
struct made {
	struct apk_pkg want;
	struct apk_index index;
	char *path;
};
void made_package(const char *dir, const char *text, const struct sigkey *key,
	const char *key_path, struct pool *pool, struct arena *a, struct made *ret);
