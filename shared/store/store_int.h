#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include "shared/base/arena.h"
#include "shared/store/store.h"

/* Shared by the files of this folder only. */

struct store {
	struct arena arena;	/* only used while opening */
	const char *dir;	/* written to, and read first */
	int fd;
	const char *ro_dir;	/* read second; NULL = none */
	int ro_fd;
	bool temporary;		/* dir goes when the store is closed */
	atomic_uint seq;	/* makes temporary names differ */
};

#define STORE_REL_MAX 256	/* KIND/xx/KEY or tmp/NAME */

extern const char *const store_kind_names[STORE_KINDS];

bool store_is_dir(enum store_kind kind);
/* KIND/xx/KEY; false when the key is not one. */
bool store_rel(enum store_kind kind, const char *key, char ret_rel[STORE_REL_MAX]);
/* A fresh tmp/NAME. */
void store_tmp_rel(struct store *s, char ret_rel[STORE_REL_MAX]);
/* Whether `rel` still names what fd is. */
bool store_same(const struct store *s, const char *rel, int fd);
/* Moves a directory object out of sight and removes it. False when it is in use. */
bool store_remove_dir(struct store *s, const char *rel);
/* Removes what killed writers left below tmp. */
void store_sweep(struct store *s);
