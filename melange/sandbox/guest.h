#pragma once

#include "shared/apk/arch.h"
#include "shared/image/imgconf.h"
#include "shared/image/resolve.h"
#include "shared/store/pool.h"
#include "shared/store/store.h"

/* The root directory steps run in, assembled from packages by the same code as an image and kept
 * in the store under a hash of everything it depends on: a second build with the same packages
 * finds it there. Files are hard links to the store's unpacked package trees. */

struct http;
struct guest_req {
	const struct imgconf *env;	/* environment, packages as asked for */
	const struct apk_arch *arch;
	const struct strs *keys, *repos, *packages;	/* command line additions; may be NULL */
	bool ignore_signatures;
	struct store *store;
	struct pool *pool;
	struct http *http;
};
struct guest {
	const char *dir;	/* in the store: shared, never to be written */
	struct strs locked;	/* sorted "name=version" of the closure */
};
bool guest_make(const struct guest_req *req, struct arena *a, struct guest *ret, struct err *err)
	must_check;

/* Account names of a root directory, for run-as and for owner names. */
struct guest_ids {
	struct str passwd, group;	/* texts of etc/passwd and etc/group; may be empty */
};
bool guest_ids_read(const char *root, struct arena *a, struct guest_ids *ret, struct err *err)
	must_check;
/* "" = the runner's default (-1); a number; or a user name with its uid and gid. */
bool guest_run_as(const struct guest_ids *ids, struct ystr run_as, int64_t *ret_uid,
	int64_t *ret_gid, struct err *err) must_check;
