#include "shared/os/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_DEPTH 1024
#define KEPT_OPEN 32 /* deepest directories held by descriptor */

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted names of an open directory; takes fd. */
static bool list_fd(int fd, const char *path, struct arena *a, char ***ret_names, size_t *ret_n,
	struct err *err)
{
	DIR *d = fdopendir(fd);
	if (!d) {
		fd_close(&fd);
		return err_sys(err, "cannot read the directory '%s'", path);
	}
	VEC(char *) names = {0};
	struct dirent *e;
	while (errno = 0, (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		vec_push(a, &names, arena_strdup(a, e->d_name));
	}
	bool ok = errno == 0 || err_sys(err, "cannot read the directory '%s'", path);
	closedir(d);
	if (names.n)
		qsort(names.v, names.n, sizeof(names.v[0]), name_cmp);
	*ret_names = names.v;
	*ret_n = names.n;
	return ok;
}

bool dir_names(const char *path, struct arena *a, struct strs *ret_names, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the directory '%s'", path);
	char **names;
	size_t n;
	if (!list_fd(fd, path, a, &names, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		strs_push(a, ret_names, str_of(names[i]));
	return true;
}

/* A directory on the way down. */
struct level {
	int fd; /* -1 while it is put aside */
	dev_t dev;
	ino_t ino;
	size_t base;         /* length of its path */
	struct arena memory; /* of the names */
	char **names;
	size_t n, at;
};

/* The way down, on the heap and with few descriptors, so that deep trees exhaust neither. A
 * directory put aside is opened again from below, and must then still be the same. */
struct descent {
	struct level *v;
	size_t n;
	struct buf path; /* relative, of what is being visited */
	const char *root;
};

static void descent_init(struct descent *d, const char *root)
{
	*d = (struct descent){.path = BUF_INIT(BUF_NOLIMIT), .root = root};
	d->v = calloc(MAX_DEPTH + 1, sizeof(*d->v));
	if (!d->v)
		BUG("out of memory");
	buf_adds(&d->path, "");
}

static void level_release(struct level *l)
{
	fd_close(&l->fd);
	arena_release(&l->memory);
}

static void descent_release(struct descent *d)
{
	while (d->n)
		level_release(&d->v[--d->n]);
	free(d->v);
	buf_release(&d->path);
}

static struct level *descent_top(struct descent *d)
{
	return &d->v[d->n - 1];
}

/* Goes into the directory at d->path; takes fd. */
static bool descend(struct descent *d, int fd, struct err *err)
{
	auto_fd int owned = fd;
	struct stat st;
	if (d->n > MAX_DEPTH)
		return err_set(
			err, EK_OTHER, "'%s' is more than %d directories deep", d->root, MAX_DEPTH);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0 || fstat(fd, &st) != 0) {
		fd_close(&copy);
		return err_sys(err, "cannot read the directory '%s/%s'", d->root, d->path.p);
	}
	struct level *l = &d->v[d->n++];
	*l = (struct level){
		.fd = fd_steal(&owned), .dev = st.st_dev, .ino = st.st_ino, .base = d->path.n};
	if (d->n > KEPT_OPEN)
		fd_close(&d->v[d->n - KEPT_OPEN].fd);
	return list_fd(copy, d->root, &l->memory, &l->names, &l->n, err);
}

/* Leaves the deepest directory for the one above it. */
static bool ascend(struct descent *d, struct err *err)
{
	struct level *from = descent_top(d), *to = from - 1;
	struct stat st;
	bool ok = true;
	if (d->n > 1 && to->fd < 0) {
		to->fd = openat(from->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (to->fd < 0 || fstat(to->fd, &st) != 0)
			ok = err_sys(err, "cannot go back up in '%s'", d->root);
		else if (st.st_dev != to->dev || st.st_ino != to->ino)
			ok = err_set(
				err, EK_OTHER, "'%s' was moved about while it was read", d->root);
	}
	level_release(from);
	d->n--;
	return ok;
}

/* The next name in the deepest directory, with d->path set to it, or NULL at its end. */
static const char *next_name(struct descent *d)
{
	struct level *l = descent_top(d);
	d->path.n = l->base;
	d->path.p[l->base] = 0;
	if (l->at == l->n)
		return NULL;
	if (l->base)
		buf_addc(&d->path, '/');
	buf_adds(&d->path, l->names[l->at]);
	return l->names[l->at++];
}

struct walking {
	struct descent d;
	bool (*fn)(const struct dir_entry *e, bool *skip, void *user, struct err *err);
	void *user;
};

static bool walk_entry(struct walking *w, const char *name, struct err *err)
{
	struct dir_entry e = {.path = w->d.path.p, .name = name};
	const char *root = w->d.root;
	char target[PATH_MAX];
	e.dirfd = descent_top(&w->d)->fd;
	if (fstatat(e.dirfd, name, &e.st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(err, "cannot look at '%s/%s'", root, e.path);
	if (S_ISLNK(e.st.st_mode)) {
		ssize_t n = readlinkat(e.dirfd, name, target, sizeof(target) - 1);
		if (n < 0)
			return err_sys(err, "cannot read the link '%s/%s'", root, e.path);
		target[n] = 0;
		e.link = target;
	}
	bool skip = false;
	if (!w->fn(&e, &skip, w->user, err))
		return false;
	if (skip || !S_ISDIR(e.st.st_mode))
		return true;
	int fd = openat(e.dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the directory '%s/%s'", root, e.path);
	return descend(&w->d, fd, err);
}

bool dir_walk(const char *root,
	bool (*fn)(const struct dir_entry *e, bool *skip, void *user, struct err *err), void *user,
	struct err *err)
{
	return dir_walk_at(AT_FDCWD, root, fn, user, err);
}

bool dir_walk_at(int dirfd, const char *name,
	bool (*fn)(const struct dir_entry *e, bool *skip, void *user, struct err *err), void *user,
	struct err *err)
{
	int fd = openat(dirfd, dirfd == AT_FDCWD ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the directory '%s'", name);
	struct walking w = {.fn = fn, .user = user};
	descent_init(&w.d, name);
	bool ok = descend(&w.d, fd, err);
	while (ok && w.d.n) {
		const char *next = next_name(&w.d);
		ok = next ? walk_entry(&w, next, err) : ascend(&w.d, err);
	}
	descent_release(&w.d);
	return ok;
}

static bool make_one(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	if (mkdir(path, 0700) == 0) {
		auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return (fd >= 0 && fchmod(fd, mode) == 0) ||
		       err_sys(err, "cannot set the mode of '%s'", path);
	}
	if (errno == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return true;
		errno = ENOTDIR;
	}
	return err_sys(err, "cannot make the directory '%s'", path);
}

bool dir_make(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	auto_arena struct arena a = ARENA_INIT;
	char *part = arena_strdup(&a, path);
	for (char *p = part; *p; p++) {
		if (*p != '/' || p == part || p[-1] == '/')
			continue;
		*p = 0;
		if (!make_one(part, mode, err))
			return false;
		*p = '/';
	}
	return make_one(path, mode, err);
}

/* Tells mounts apart, bind mounts of the same file system as well. */
static bool mount_of(int fd, uint64_t *ret_id)
{
	struct statx sx;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) != 0)
		return false;
	*ret_id = sx.stx_mask & STATX_MNT_ID ? sx.stx_mnt_id
					     : makedev(sx.stx_dev_major, sx.stx_dev_minor);
	return true;
}

/* Opens a directory to empty it; one that does not let us in, or out, is opened up first. */
static int open_for_removal(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = openat(dirfd, name, flags);
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(dirfd, name, flags);
	/* Should it fail, so will what follows, with a better message. */
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700);
	return fd;
}

struct removing {
	struct descent d;
	uint64_t mount;
	int root;	/* open; -1 before it is entered */
	unsigned moved; /* trees moved up into the root, for the next pass */
};

static bool remove_failed(const struct removing *r, struct err *err)
{
	const char *path = r->d.path.p;
	return err_sys(err, "cannot remove '%s%s%s'", r->d.root, *path ? "/" : "", path);
}

/* Whatever the depth it can be removed: a tree too far down comes up to the root first. */
static bool move_up(struct removing *r, int dirfd, const char *name, struct err *err)
{
	char up[32];
	do {
		snprintf(up, sizeof(up), ".deep-%u", r->moved++);
	} while (faccessat(r->root, up, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	return renameat(dirfd, name, r->root, up) == 0 || remove_failed(r, err);
}

/* Removes what is no directory; goes down into what is one. */
static bool remove_entry(struct removing *r, int dirfd, const char *name, struct err *err)
{
	uint64_t mount;
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return true;
	int why = errno;
	if (why != EISDIR && why != EPERM)
		return remove_failed(r, err);
	auto_fd int fd = open_for_removal(dirfd, name);
	if (fd < 0 && errno == ENOTDIR)
		errno = why;
	if (fd < 0 || !mount_of(fd, &mount))
		return remove_failed(r, err);
	if (r->d.n == 0) {
		r->mount = mount;
		r->root = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	if (r->d.n == MAX_DEPTH && mount == r->mount)
		return move_up(r, dirfd, name, err);
	if (mount != r->mount)
		return err_set(err, EK_OTHER, "cannot remove '%s/%s': it is a mount point",
			r->d.root, r->d.path.p);
	return descend(&r->d, fd_steal(&fd), err);
}

/* Removes the emptied directory and goes on above it. */
static bool remove_left(struct removing *r, struct err *err)
{
	if (!ascend(&r->d, err))
		return false;
	struct level *up = r->d.n ? descent_top(&r->d) : NULL;
	if (!up && r->moved)
		return true;
	const char *name = up ? up->names[up->at - 1] : r->d.root;
	if (unlinkat(up ? up->fd : AT_FDCWD, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	return remove_failed(r, err);
}

static bool remove_pass(const char *root, bool *ret_again, struct err *err)
{
	struct removing r = {.root = -1};
	descent_init(&r.d, root);
	bool ok = remove_entry(&r, AT_FDCWD, root, err);
	while (ok && r.d.n) {
		const char *name = next_name(&r.d);
		ok = name ? remove_entry(&r, descent_top(&r.d)->fd, name, err)
			  : remove_left(&r, err);
	}
	descent_release(&r.d);
	fd_close(&r.root);
	*ret_again = r.moved > 0;
	return ok;
}

bool dir_remove(const char *path, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str whole = str_of(path);
	/* a slash at the end would have a link followed */
	while (whole.n > 1 && str_chop(&whole, S("/"))) {
	}
	struct str last = path_base(whole);
	if (last.n == 0 || str_is(last, ".") || str_is(last, ".."))
		return err_set(
			err, EK_OTHER, "cannot remove '%s': it has no name of its own", path);
	const char *root = arena_strndup(&a, whole.p, whole.n);
	bool again = true;
	while (again)
		if (!remove_pass(root, &again, err))
			return false;
	return true;
}

char *dir_temp(struct arena *a, const char *prefix, struct err *err)
{
	const char *base = getenv("TMPDIR");
	if (!base || base[0] != '/')
		base = "/tmp";
	char *path = arena_printf(a, "%s/%sXXXXXX", base, prefix);
	if (mkdtemp(path))
		return path;
	(void)err_sys(err, "cannot make a temporary directory in '%s'", base);
	(void)err_hint(err, "set TMPDIR to a directory that can be written");
	return NULL;
}

char *dir_user_cache(struct arena *a)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (cache && cache[0] == '/')
		return arena_strdup(a, cache);
	if (home && home[0] == '/')
		return arena_printf(a, "%s/.cache", home);
	return NULL;
}
