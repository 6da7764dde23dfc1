#include "shared/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/base/vec.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/store/store_int.h"

#define INDEXES "indexes"	/* what net/cache keeps there: flat, written beside its place */
#define SWEEP_AGE 86400	/* where locks cannot be had, leftovers are told by age, in seconds */

/* Removing */

static bool remove_tree(struct store *s, const char *rel)
{
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;

	if (dir_remove(arena_printf(&a, "%s/%s", s->dir, rel), &err))
		return true;
	log_debug("%s", err.msg);
	return false;
}

bool store_remove_dir(struct store *s, const char *rel)
{
	char away[STORE_REL_MAX];
	auto_fd int fd = openat(s->fd, rel, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return false;
	store_tmp_rel(s, away);
	return renameat(s->fd, rel, s->fd, away) == 0 && remove_tree(s, away);
}

static void sweep_one(struct store *s, const char *rel)
{
	auto_fd int fd = openat(s->fd, rel, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 &&
	    (errno == EWOULDBLOCK || st.st_ctime > time(NULL) - SWEEP_AGE))
		return;
	if (!store_same(s, rel, fd))
		return;
	log_debug("removing leftover '%s/%s'", s->dir, rel);
	if (S_ISDIR(st.st_mode))
		(void)remove_tree(s, rel);
	else
		(void)unlinkat(s->fd, rel, 0);
}

static DIR *open_dir(int at, const char *rel)
{
	auto_fd int fd = openat(at, rel, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d)
		(void)fd_steal(&fd);
	return d;
}

static const char *next_name(DIR *d)
{
	struct dirent *e;

	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			return e->d_name;
	return NULL;
}

/* Writers of these hold no lock: age alone tells leftovers. */
static void sweep_indexes(struct store *s)
{
	DIR *d = open_dir(s->fd, INDEXES);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, ".tmp-", 5) == 0 &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime <= time(NULL) - SWEEP_AGE)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

void store_sweep(struct store *s)
{
	DIR *d = open_dir(s->fd, "tmp");
	const char *name;
	char rel[STORE_REL_MAX];

	while (d && (name = next_name(d)))
		if ((size_t)snprintf(rel, sizeof(rel), "tmp/%s", name) < sizeof(rel))
			sweep_one(s, rel);
	if (d)
		closedir(d);
	sweep_indexes(s);
}

/* Listing */

struct object {
	enum store_kind kind;
	const char *rel;
	uint64_t bytes;
	time_t used;
};
struct objects {
	struct object *v;
	size_t n, cap;
};

static bool add_size(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	(void)skip;
	(void)err;
	if (S_ISREG(e->st.st_mode))
		*(uint64_t *)user += (uint64_t)e->st.st_size;
	return true;
}

static uint64_t tree_size(struct store *s, const char *rel)
{
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	uint64_t bytes = 0;

	if (!dir_walk(arena_printf(&a, "%s/%s", s->dir, rel), add_size, &bytes, &err))
		log_debug("%s", err.msg);
	return bytes;
}

static void list_path(struct store *s, enum store_kind kind, const char *rel, struct arena *a,
	struct objects *list)
{
	struct stat st;

	if (fstatat(s->fd, rel, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	bool dir = S_ISDIR(st.st_mode);
	vec_push(a, list, (struct object){
		.kind = kind,
		.rel = arena_strdup(a, rel),
		.bytes = dir ? tree_size(s, rel) : (uint64_t)st.st_size,
		.used = st.st_atime > st.st_mtime ? st.st_atime : st.st_mtime,
	});
}

static void list_one(struct store *s, enum store_kind kind, const char *key, struct arena *a,
	struct objects *list)
{
	char rel[STORE_REL_MAX];

	if (store_rel(kind, key, rel))
		list_path(s, kind, rel, a, list);
}

static void list_indexes(struct store *s, struct arena *a, struct objects *list)
{
	DIR *d = open_dir(s->fd, INDEXES);
	const char *name;
	char rel[STORE_REL_MAX];

	while (d && (name = next_name(d)))
		if ((size_t)snprintf(rel, sizeof(rel), INDEXES "/%s", name) < sizeof(rel))
			list_path(s, STORE_HTTP, rel, a, list);
	if (d)
		closedir(d);
}

static void list_kind(struct store *s, enum store_kind kind, struct arena *a,
	struct objects *list)
{
	DIR *outer = open_dir(s->fd, store_kind_names[kind]);
	const char *part, *key;

	while (outer && (part = next_name(outer))) {
		DIR *inner = open_dir(dirfd(outer), part);
		while (inner && (key = next_name(inner)))
			list_one(s, kind, key, a, list);
		if (inner)
			closedir(inner);
	}
	if (outer)
		closedir(outer);
}

static int by_use(const void *pa, const void *pb)
{
	const struct object *a = pa, *b = pb;

	if (a->used != b->used)
		return a->used < b->used ? -1 : 1;
	return strcmp(a->rel, b->rel);
}

static bool remove_object(struct store *s, const struct object *o)
{
	if (store_is_dir(o->kind))
		return store_remove_dir(s, o->rel);
	return unlinkat(s->fd, o->rel, 0) == 0;
}

bool store_clean(struct store *s, const struct store_clean *how, struct store_usage *ret_usage,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct objects list = { 0 };
	struct store_usage u = { 0 };
	time_t now = time(NULL);

	(void)err;
	if (!how->dry_run)
		store_sweep(s);
	for (int kind = 0; kind < STORE_KINDS; kind++)
		list_kind(s, (enum store_kind)kind, &a, &list);
	list_indexes(s, &a, &list);
	for (size_t i = 0; i < list.n; i++)
		u.bytes += list.v[i].bytes;
	u.objects = list.n;
	if (list.n)
		qsort(list.v, list.n, sizeof(list.v[0]), by_use);
	for (size_t i = 0; i < list.n; i++) {
		const struct object *o = &list.v[i];
		bool old = how->max_age && now - o->used > how->max_age;
		bool over = how->max_bytes && u.bytes - u.removed_bytes > how->max_bytes;
		if (!(how->all || old || over) || (!how->dry_run && !remove_object(s, o)))
			continue;
		u.removed_objects++;
		u.removed_bytes += o->bytes;
	}
	*ret_usage = u;
	return true;
}
