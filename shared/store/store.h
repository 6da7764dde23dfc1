#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* Content-addressed objects on disk, shared by both programs and any number of processes. An
 * object is complete or absent: it is written under a temporary name and renamed. Losing the
 * race to another writer of the same key is success. Anything may be deleted at any time by
 * anyone; a descriptor once got stays good. The directory is 0700 and only the user's.
 *
 * Layout: DIR/KIND/xx/KEY, xx being the key's first two characters; DIR/tmp holds what is being
 * written, with the writer's lock on it, so that leftovers of killed runs can be told and
 * removed. DIR/indexes is net/cache's, for indexes as they came; store_clean and the sweeping of
 * leftovers take it in. */

enum store_kind {
	STORE_CONTROL,	/* control section of a package: key = checksum */
	STORE_DATA,	/* its uncompressed data tar: key = datahash */
	STORE_ENTRIES,	/* entry table of a data tar: key = datahash */
	STORE_PIECE,	/* deflate pieces */
	STORE_INDEX,	/* parsed indexes */
	STORE_HTTP,	/* bodies and validators */
	STORE_LAYER,	/* finished layer blobs: key = plan hash */
	STORE_PLAN,	/* small results by plan hash */
	STORE_TREE,	/* unpacked package trees (directories): key = datahash */
	STORE_GUEST,	/* guest root directories: key = plan hash */
	STORE_KINDS
};

struct store;
#define auto_store cleanup_with(store_closep)

/* dir NULL: $XDG_CACHE_HOME/apko (or $HOME/.cache/apko); where none is set or it can't be
 * written, a temporary one that store_close removes. A read-only directory is used for reading,
 * new objects going to a temporary one. */
struct store *store_open(const char *dir, struct err *err) must_check;
void store_close(struct store *s);
void store_closep(struct store **s);
const char *store_dir(const struct store *s);

/* Keys: 2 to 200 of [A-Za-z0-9._-], the first not '.'. Returns a descriptor, or -1 when absent
 * (no error). That of a directory holds a shared lock: store_clean leaves it alone meanwhile. */
int store_get(struct store *s, enum store_kind kind, const char *key);
/* Path of an object, whether or not it exists. */
char *store_path(struct store *s, enum store_kind kind, const char *key, struct arena *a);
bool store_has(struct store *s, enum store_kind kind, const char *key);
/* Removes an object that proved bad. */
void store_drop(struct store *s, enum store_kind kind, const char *key);

struct store_new {
	struct store *store;
	int fd;		/* write here; -1 for directories */
	int lock;	/* of a directory: tells others that its writer lives */
	char *path;	/* owned; of the temporary file or directory */
};
#define auto_store_new cleanup_with(store_abort)
bool store_begin(struct store *s, struct store_new *ret_new, struct err *err) must_check;
bool store_begin_dir(struct store *s, struct store_new *ret_new, struct err *err) must_check;
/* Makes it an object; fd stays open for reading until store_abort. */
bool store_commit(struct store_new *n, enum store_kind kind, const char *key, struct err *err)
	must_check;
void store_abort(struct store_new *n);	/* also after commit; removes what was not committed */
/* Small objects at once. */
bool store_put(struct store *s, enum store_kind kind, const char *key, const void *p, size_t n,
	struct err *err) must_check;

struct store_clean {
	uint64_t max_bytes;	/* keep at most; 0 = no bound, UINT64_MAX with max_age 0 = nothing */
	int64_t max_age;	/* seconds since last use; 0 = no bound */
	bool all, dry_run;
};
/* objects and bytes: what was found; removed_...: the part of it that went (or would go). */
struct store_usage {
	uint64_t objects, bytes, removed_objects, removed_bytes;
};
bool store_clean(struct store *s, const struct store_clean *how, struct store_usage *ret_usage,
	struct err *err) must_check;
