#include "shared/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/store/store_int.h"

#define TOUCH_AGE 86400		/* a use is recorded at most this often, in seconds */

const char *const store_kind_names[STORE_KINDS] = {
	[STORE_CONTROL] = "control",
	[STORE_DATA] = "data",
	[STORE_ENTRIES] = "entries",
	[STORE_PIECE] = "piece",
	[STORE_INDEX] = "index",
	[STORE_HTTP] = "http",
	[STORE_LAYER] = "layer",
	[STORE_PLAN] = "plan",
	[STORE_TREE] = "tree",
	[STORE_GUEST] = "guest",
};

bool store_is_dir(enum store_kind kind)
{
	return kind == STORE_TREE || kind == STORE_GUEST;
}

static bool key_ok(const char *key)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t n = strlen(key);

	return n >= 2 && n <= 200 && key[0] != '.' && strspn(key, allowed) == n;
}

bool store_rel(enum store_kind kind, const char *key, char ret_rel[STORE_REL_MAX])
{
	if (!key_ok(key))
		return false;
	(void)snprintf(ret_rel, STORE_REL_MAX, "%s/%.2s/%s", store_kind_names[kind], key, key);
	return true;
}

void store_tmp_rel(struct store *s, char ret_rel[STORE_REL_MAX])
{
	unsigned random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (unsigned)time(NULL);
	(void)snprintf(ret_rel, STORE_REL_MAX, "tmp/%ld.%u.%08x", (long)getpid(),
		atomic_fetch_add(&s->seq, 1), random);
}

bool store_same(const struct store *s, const char *rel, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(s->fd, rel, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
		a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Opening */

static bool only_ours(int fd, const char *dir, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot look at '%s'", dir);
	if (st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0)
		return err_set(err, EK_TRUST, "cache directory '%s' belongs to another user", dir);
	if (!(st.st_mode & 022))
		return true;
	if (!(st.st_mode & S_ISVTX) && st.st_uid == geteuid() &&
	    fchmod(fd, st.st_mode & 07755) == 0)
		return true;
	(void)err_set(err, EK_TRUST, "cache directory '%s' can be written by other users", dir);
	return err_hint(err, "name a directory of your own");
}

/* 1: dir can be written; 0: only read; -1: neither. */
static int open_root(const char *dir, int *ret_fd, struct err *err)
{
	auto_fd int fd = -1;

	if (!dir_make(dir, 0700, err))
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		(void)err_sys(err, "cannot open cache directory '%s'", dir);
		return -1;
	}
	if (!only_ours(fd, dir, err))
		return -1;
	bool writable = (mkdirat(fd, "tmp", 0700) == 0 || errno == EEXIST) &&
		faccessat(fd, "tmp", W_OK | X_OK, AT_EACCESS) == 0 &&
		faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
	*ret_fd = fd_steal(&fd);
	return writable;
}

static bool open_temporary(struct store *s, struct err *err)
{
	s->dir = dir_temp(&s->arena, "apko-store-", err);
	if (!s->dir)
		return false;
	s->temporary = true;
	return open_root(s->dir, &s->fd, err) == 1 ||
		(err->kind == EK_NONE &&
		 err_set(err, EK_OTHER, "cannot write to temporary directory '%s'", s->dir));
}

static bool open_dirs(struct store *s, const char *dir, struct err *err)
{
	bool given = dir != NULL;
	int fd = -1;

	if (!given) {
		const char *base = dir_user_cache(&s->arena);
		if (!base)
			return open_temporary(s, err);
		dir = arena_printf(&s->arena, "%s/apko", base);
	}
	switch (open_root(dir, &fd, err)) {
	case 1:
		s->dir = arena_strdup(&s->arena, dir);
		s->fd = fd;
		return true;
	case 0:
		s->ro_dir = arena_strdup(&s->arena, dir);
		s->ro_fd = fd;
		log_debug("cache directory '%s' cannot be written, new objects are temporary", dir);
		return open_temporary(s, err);
	default:
		if (given)
			return false;
		log_debug("%s; caching in a temporary directory", err->msg);
		err_release(err);
		return open_temporary(s, err);
	}
}

struct store *store_open(const char *dir, struct err *err)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		BUG("out of memory");
	arena_init(&s->arena);
	s->fd = s->ro_fd = -1;
	if (!open_dirs(s, dir, err)) {
		store_close(s);
		return NULL;
	}
	store_sweep(s);
	return s;
}

void store_close(struct store *s)
{
	auto_err struct err err = ERR_INIT;

	if (!s)
		return;
	fd_close(&s->fd);
	fd_close(&s->ro_fd);
	if (s->temporary && !dir_remove(s->dir, &err))
		log_debug("%s", err.msg);
	arena_release(&s->arena);
	free(s);
}

void store_closep(struct store **s)
{
	store_close(*s);
	*s = NULL;
}

const char *store_dir(const struct store *s)
{
	return s->dir;
}

/* Reading */

static void touch(int fd, const struct stat *st)
{
	time_t now = time(NULL);
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };

	if (st->st_atime < now - TOUCH_AGE || st->st_atime > now + TOUCH_AGE)
		(void)futimens(fd, times);
}

static bool is_object(enum store_kind kind, mode_t mode)
{
	return store_is_dir(kind) ? S_ISDIR(mode) : S_ISREG(mode);
}

static int get_from(int root, enum store_kind kind, const char *rel)
{
	auto_fd int fd = openat(root, rel, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st, again;

	if (fd < 0 || fstat(fd, &st) < 0 || !is_object(kind, st.st_mode))
		return -1;
	if (store_is_dir(kind)) {
		if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			return -1;
		if (fstatat(root, rel, &again, AT_SYMLINK_NOFOLLOW) < 0 ||
		    again.st_ino != st.st_ino)
			return -1;
	}
	touch(fd, &st);
	return fd_steal(&fd);
}

int store_get(struct store *s, enum store_kind kind, const char *key)
{
	char rel[STORE_REL_MAX];

	if (!store_rel(kind, key, rel))
		return -1;
	int fd = get_from(s->fd, kind, rel);
	return fd < 0 && s->ro_fd >= 0 ? get_from(s->ro_fd, kind, rel) : fd;
}

static bool has_in(int root, enum store_kind kind, const char *rel)
{
	struct stat st;

	return fstatat(root, rel, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_object(kind, st.st_mode);
}

char *store_path(struct store *s, enum store_kind kind, const char *key, struct arena *a)
{
	char rel[STORE_REL_MAX];

	if (!store_rel(kind, key, rel))
		BUG("'%s' is not a key of the store", key);
	bool from_ro = s->ro_fd >= 0 && !has_in(s->fd, kind, rel) && has_in(s->ro_fd, kind, rel);
	return arena_printf(a, "%s/%s", from_ro ? s->ro_dir : s->dir, rel);
}

bool store_has(struct store *s, enum store_kind kind, const char *key)
{
	auto_fd int fd = store_get(s, kind, key);

	return fd >= 0;
}

void store_drop(struct store *s, enum store_kind kind, const char *key)
{
	char rel[STORE_REL_MAX];

	if (!store_rel(kind, key, rel))
		return;
	log_debug("dropping '%s' from the cache", rel);
	if (store_is_dir(kind))
		(void)store_remove_dir(s, rel);
	else
		(void)unlinkat(s->fd, rel, 0);
}

/* Writing */

/* The lock is taken after the name exists: a sweeper may have come between, so the name is
 * looked at again. */
static bool lock_new(struct store *s, const char *rel, int fd)
{
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			break;
	return store_same(s, rel, fd);
}

static int make_tmp(struct store *s, bool dir, const char *rel)
{
	if (!dir)
		return openat(s->fd, rel, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (mkdirat(s->fd, rel, 0700) < 0)
		return -1;
	return openat(s->fd, rel, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool begin(struct store *s, bool dir, struct store_new *ret_new, struct err *err)
{
	char rel[STORE_REL_MAX];

	for (int tries = 0; tries < 32; tries++) {
		store_tmp_rel(s, rel);
		auto_fd int fd = make_tmp(s, dir, rel);
		if (fd < 0 && (errno == EEXIST || (dir && errno == ENOENT)))
			continue;
		if (fd < 0)
			return err_sys(err, "cannot create '%s/%s'", s->dir, rel);
		if (!lock_new(s, rel, fd))
			continue;
		struct store_new n = { .store = s, .fd = -1, .lock = -1 };
		if (asprintf(&n.path, "%s/%s", s->dir, rel) < 0)
			BUG("out of memory");
		*(dir ? &n.lock : &n.fd) = fd_steal(&fd);
		*ret_new = n;
		return true;
	}
	return err_set(err, EK_OTHER, "cannot create a temporary name below '%s/tmp'", s->dir);
}

bool store_begin(struct store *s, struct store_new *ret_new, struct err *err)
{
	return begin(s, false, ret_new, err);
}

bool store_begin_dir(struct store *s, struct store_new *ret_new, struct err *err)
{
	return begin(s, true, ret_new, err);
}

static const char *rel_of(const struct store_new *n)
{
	return n->path + strlen(n->store->dir) + 1;
}

static bool make_parents(struct store *s, const char *rel)
{
	char part[STORE_REL_MAX];

	for (const char *p = strchr(rel, '/'); p; p = strchr(p + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - rel), rel);
		if (mkdirat(s->fd, part, 0700) < 0 && errno != EEXIST)
			return false;
	}
	return true;
}

bool store_commit(struct store_new *n, enum store_kind kind, const char *key, struct err *err)
{
	struct store *s = n->store;
	bool dir = n->fd < 0;
	char rel[STORE_REL_MAX];

	if (!store_rel(kind, key, rel) || dir != store_is_dir(kind))
		return err_set(err, EK_OTHER, "'%s' cannot name a cache object of kind '%s'", key,
			store_kind_names[kind]);
	if (!dir && fchmod(n->fd, 0444) < 0)
		return err_sys(err, "cannot set the mode of '%s'", n->path);
	int rc = renameat(s->fd, rel_of(n), s->fd, rel);
	if (rc < 0 && errno == ENOENT && make_parents(s, rel))
		rc = renameat(s->fd, rel_of(n), s->fd, rel);
	if (rc < 0 && dir && (errno == ENOTEMPTY || errno == EEXIST)) {
		store_abort(n);	/* another writer was first */
		return true;
	}
	if (rc < 0)
		return err_sys(err, "cannot rename '%s' to '%s/%s'", n->path, s->dir, rel);
	free(n->path);
	n->path = NULL;
	return true;
}

void store_abort(struct store_new *n)
{
	auto_err struct err err = ERR_INIT;

	if (!n->store)
		return;
	if (n->path && n->fd >= 0)
		(void)unlinkat(n->store->fd, rel_of(n), 0);
	else if (n->path && !dir_remove(n->path, &err))
		log_debug("%s", err.msg);
	fd_close(&n->fd);
	fd_close(&n->lock);
	free(n->path);
	n->path = NULL;
	n->store = NULL;
}

bool store_put(struct store *s, enum store_kind kind, const char *key, const void *p, size_t n,
	struct err *err)
{
	auto_store_new struct store_new new = { .fd = -1, .lock = -1 };

	return store_begin(s, &new, err) && fd_write_all(new.fd, p, n, new.path, err) &&
		store_commit(&new, kind, key, err);
}
