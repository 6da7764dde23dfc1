#pragma once

#include "apko/build/lockfile.h"
#include "apko/build/request.h"
#include "shared/apk/keyring.h"
#include "shared/image/resolve.h"
#include "shared/net/auth.h"
#include "shared/net/http.h"
#include "shared/store/pool.h"
#include "shared/store/store.h"

/* What every command that resolves needs: the description, the architectures, the store, the
 * network, the keys, and a solution per architecture, found or read from a lock file. */

struct context {
	const struct apko_req *req;
	struct arena *arena;
	struct imgconf plain;		/* as the files have it, merged and checked */
	struct imgconf conf;		/* lists joined with the command line's */
	struct strs sources;		/* bytes of the configuration files */
	const struct apk_arch *archs[APK_ARCHS];
	size_t n_archs;
	struct image_append append;
	struct image_repos repos;
	struct lockfile lock;		/* path NULL: there is none */
	struct keyring keys;		/* of all architectures: what indexes are verified with */
	struct keyring arch_keys[APK_ARCHS];	/* what each image gets */
	struct image_solution solutions[APK_ARCHS];
	struct store *store;
	struct pool *pool;
	struct http *http;
	struct auth auth;
	int64_t epoch;			/* E of apko 3.3 */
	int64_t build_date;		/* --build-date or 0 */
	bool epoch_set;			/* SOURCE_DATE_EPOCH is set */
};
enum context_how {
	CONTEXT_TOGETHER, /* one image: what one architecture lacks is not taken for another */
	CONTEXT_APART,    /* each architecture for itself */
	CONTEXT_LOAD,     /* nothing is resolved */
};
/* Loads, resolves; ctx is released by the caller whether or not it succeeds. With a lock file
 * nothing is resolved and no index is fetched. */
bool context_open(const struct apko_req *req, enum context_how how, struct arena *a,
	struct context *ctx, struct err *err) must_check;
void context_release(struct context *ctx);
/* Resolves for one architecture alone, into solutions[arch]; for a context that only loaded. */
bool context_resolve(struct context *ctx, size_t arch, struct err *err) must_check;

/* The configuration of one architecture as it is built: its world, and its packages in install
 * order. */
struct locked {
	struct imgconf conf;
	struct strs world;
	struct solve_result set;
};
/* With the closure in place of the packages (apko 3.1 step 3), which is then solved again. */
bool context_lock(struct context *ctx, size_t arch, struct locked *ret, struct err *err) must_check;
/* With the packages that were asked for (apko 1.3, build-minirootfs). */
void context_as_is(struct context *ctx, size_t arch, struct locked *ret);
