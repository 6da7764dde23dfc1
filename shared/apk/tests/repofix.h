#pragma once

#include "shared/apk/keyring.h"
#include "shared/store/pool.h"
#include "shared/store/store.h"

/* For tests of repositories: an empty one for x86_64, a store, and a keyring with the first of two
 * keys as test.rsa.pub. The keys are made once for a group of tests. */

extern struct sigkey *repofix_key, *repofix_other;
int repofix_make_keys(void **state);
int repofix_free_keys(void **state);

struct repofix {
	struct arena a;
	char *dir;	/* the repository is here, its files in x86_64 */
	char *package;	/* x86_64/foo-1.0-r0.apk */
	char *v2, *v3;	/* its indexes of either format */
	struct store *s;
	struct keyring keys;
	struct pool *pool;
};
int repofix_setup(void **state);
int repofix_teardown(void **state);
/* In the store, which has nothing temporary. */
uint64_t repofix_objects(struct repofix *f);
void repofix_clear(struct repofix *f);
