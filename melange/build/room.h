#pragma once

#include "melange/config/model.h"
#include "melange/sandbox/guest.h"
#include "melange/sandbox/sandbox.h"

/* A place where steps run: a guest for one environment and the sandbox over it. Builds and tests
 * differ in what they put in here, not in how it is made. */

struct room_req {
	const struct sandbox_ops *runner;
	const struct apk_arch *arch;
	const struct strs *keys, *repos, *packages;	/* command line additions; may be NULL */
	const char *rootfs;		/* existing root instead of a guest of packages; NULL = none */
	const char *workspace, *cache_dir;	/* a cache_dir that does not exist is left out */
	const struct ystrs *cap_add, *cap_drop;
	const struct ykvs *env[2];	/* variables, later ones win; may be NULL */
	const char *epoch;		/* SOURCE_DATE_EPOCH of the steps; NULL = unset */
	bool ignore_signatures, network, debug;
	struct store *store;
	struct pool *pool;
	struct http *http;		/* NULL with a rootfs */
};
struct room {
	const char *guest;		/* root directory */
	struct strs locked;		/* "name=version" of its packages; none with a rootfs */
	struct guest_ids ids;
	struct sandbox *sandbox;
};
/* Finds or makes the guest of `env`; texts live in the arena. */
bool room_guest(const struct room_req *req, struct imgconf *env, struct arena *a, struct room *ret,
	struct err *err) must_check;
/* Opens the sandbox, as the user that env's run-as names. */
bool room_open(const struct room_req *req, const struct imgconf *env, struct arena *a,
	struct room *r, struct err *err) must_check;
void room_close(const struct room_req *req, struct room *r);
