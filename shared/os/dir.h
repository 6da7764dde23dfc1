#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* Directory trees on disk. Walks are sorted bytewise inside each directory, depth first, and
 * never follow links. Trees deeper than 1024 directories are refused, but for removal. */

struct dir_entry {
	const char *path;	/* relative to the root, no leading slash */
	const char *name;	/* last component */
	int dirfd;		/* of the directory that holds it */
	struct stat st;		/* lstat */
	const char *link;	/* target of a symlink, else NULL */
};

/* Calls fn for each entry below root (root itself not), parents first. fn returns false (err
 * set) to stop. A directory's children are skipped when fn sets *skip. */
bool dir_walk(const char *root,
	bool (*fn)(const struct dir_entry *e, bool *skip, void *user, struct err *err),
	void *user, struct err *err) must_check;
/* The same below an open directory, which is borrowed; `name` stands for it in messages. */
bool dir_walk_at(int dirfd, const char *name,
	bool (*fn)(const struct dir_entry *e, bool *skip, void *user, struct err *err),
	void *user, struct err *err) must_check;
/* Creates dir and its missing parents (new ones with mode, umask ignored). */
bool dir_make(const char *path, mode_t mode, struct err *err) must_check;
/* Removes a tree by descriptors, never crossing a link or a mount (which is an error); makes
 * directories writable as needed; a missing root is success. */
bool dir_remove(const char *path, struct err *err) must_check;
/* mkdtemp below $TMPDIR (or /tmp) with this prefix, mode 0700; text lives in the arena. */
char *dir_temp(struct arena *a, const char *prefix, struct err *err) must_check;
/* $XDG_CACHE_HOME or $HOME/.cache; NULL if neither is set. */
char *dir_user_cache(struct arena *a);
/* Sorted names in a directory, without "." and "..". */
bool dir_names(const char *path, struct arena *a, struct strs *ret_names, struct err *err)
	must_check;
