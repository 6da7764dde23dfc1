#pragma once

#include "apko/build/request.h"
#include "shared/apk/keyring.h"
#include "shared/image/resolve.h"
#include "shared/net/auth.h"
#include "shared/net/http.h"
#include "shared/store/pool.h"
#include "shared/store/store.h"

/* What every command that resolves needs: the description, the architectures, the store, the
 * network, the keys, and a solution per architecture. */

struct context {
	const struct apko_req *req;
	struct arena *arena;
	struct imgconf conf;		/* merged; lists joined with the command line's */
	struct strs sources;		/* bytes of the configuration files */
	const struct apk_arch *archs[APK_ARCHS];
	size_t n_archs;
	struct image_append append;
	struct image_repos repos;
	struct keyring keys;
	struct image_solution solutions[APK_ARCHS];
	struct store *store;
	struct pool *pool;
	struct http *http;
	struct auth auth;
	int64_t epoch;			/* E of apko 3.3 */
	int64_t build_date;		/* --build-date or 0 */
	bool epoch_set;			/* SOURCE_DATE_EPOCH is set */
};
/* Loads, resolves; ctx is released by the caller whether or not it succeeds. */
bool context_open(const struct apko_req *req, struct arena *a, struct context *ctx,
	struct err *err) must_check;
void context_release(struct context *ctx);
/* The configuration of one architecture with its closure locked (apko 3.1 step 3), and the locked
 * world solved: its order is the install order. */
struct locked {
	struct imgconf conf;
	struct strs world;
	struct solve_result set;
};
bool context_lock(struct context *ctx, size_t arch, struct locked *ret, struct err *err) must_check;
