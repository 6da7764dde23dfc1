#pragma once

#include "shared/apk/pkg.h"
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/crypto/sigkey.h"

/* A local repository directory OUT/ARCH. New packages are made in a staging directory inside it
 * and appear together with the index, under a lock on the directory: what fails before that
 * leaves the repository as it was. */

struct staging {
	char *dir;	/* OUT/ARCH */
	char *tmp;	/* OUT/ARCH/.melange-XXXXXX, locked while it is in use */
	int lock;	/* on tmp */
};
#define STAGING_INIT { .lock = -1 }
#define auto_staging cleanup_with(staging_release)

/* Makes OUT/ARCH and the staging directory; removes what killed builds have left. */
bool staging_open(const char *out_dir, const char *arch, struct arena *a, struct staging *ret,
	struct err *err) must_check;
/* Moves every file of the staging directory into the repository and, with update_index, merges
 * the records into APKINDEX.tar.gz (signed when key is given). */
bool staging_publish(struct staging *s, bool update_index, const struct apk_pkg *records,
	size_t n, const struct sigkey *key, const char *key_path, struct err *err) must_check;
void staging_release(struct staging *s);
