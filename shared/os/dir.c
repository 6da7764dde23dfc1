#include "shared/os/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_DEPTH 1000

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
	VEC(char *) names = { 0 };
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

struct walking {
	bool (*fn)(const struct dir_entry *e, bool *skip, void *user, struct err *err);
	void *user;
	struct buf path;	/* relative, of what is being visited */
	const char *root;
};

static bool walk_dir(struct walking *w, int dirfd, unsigned depth, struct err *err);

static bool walk_entry(struct walking *w, int dirfd, const char *name, unsigned depth,
	struct err *err)
{
	struct dir_entry e = { .path = w->path.p, .name = name, .dirfd = dirfd };
	char target[PATH_MAX];
	if (fstatat(dirfd, name, &e.st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(err, "cannot look at '%s/%s'", w->root, w->path.p);
	if (S_ISLNK(e.st.st_mode)) {
		ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);
		if (n < 0)
			return err_sys(err, "cannot read the link '%s/%s'", w->root, w->path.p);
		target[n] = 0;
		e.link = target;
	}
	bool skip = false;
	if (!w->fn(&e, &skip, w->user, err))
		return false;
	if (skip || !S_ISDIR(e.st.st_mode))
		return true;
	auto_fd int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the directory '%s/%s'", w->root, w->path.p);
	return walk_dir(w, fd, depth + 1, err);
}

static bool walk_dir(struct walking *w, int dirfd, unsigned depth, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	char **names;
	size_t n, base = w->path.n;
	if (depth > MAX_DEPTH)
		return err_set(err, EK_OTHER, "'%s/%s' is more than %d directories deep", w->root,
			w->path.p, MAX_DEPTH);
	int copy = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return err_sys(err, "cannot read the directory '%s'", w->root);
	if (!list_fd(copy, w->root, &a, &names, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (base)
			buf_addc(&w->path, '/');
		buf_adds(&w->path, names[i]);
		if (!walk_entry(w, dirfd, names[i], depth, err))
			return false;
		w->path.n = base;
		w->path.p[base] = 0;
	}
	return true;
}

bool dir_walk(const char *root,
	bool (*fn)(const struct dir_entry *e, bool *skip, void *user, struct err *err), void *user,
	struct err *err)
{
	auto_fd int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the directory '%s'", root);
	struct walking w = { .fn = fn, .user = user, .path = BUF_INIT(BUF_NOLIMIT), .root = root };
	bool ok = walk_dir(&w, fd, 0, err);
	buf_release(&w.path);
	return ok;
}

static bool make_one(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	if (mkdir(path, 0700) == 0)
		return chmod(path, mode) == 0 || err_sys(err, "cannot set the mode of '%s'", path);
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
	for (char *p = part + 1; *p; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = 0;
		if (!make_one(part, mode, err))
			return false;
		*p = '/';
	}
	return make_one(path, mode, err);
}

static bool empty_dir(int dirfd, unsigned depth, const char *root, struct err *err);

/* A directory that does not let us in is opened up first. */
static int open_for_removal(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, fd;
	fd = openat(dirfd, name, flags);
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, flags);
	return fd;
}

static bool remove_entry(int dirfd, const char *name, unsigned depth, const char *root,
	struct err *err)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || err_sys(err, "cannot look at '%s' in '%s'", name, root);
	bool is_dir = S_ISDIR(st.st_mode);
	if (is_dir) {
		auto_fd int fd = open_for_removal(dirfd, name);
		if (fd < 0)
			return err_sys(err, "cannot open '%s' in '%s'", name, root);
		if (!empty_dir(fd, depth + 1, root, err))
			return false;
	}
	if (unlinkat(dirfd, name, is_dir ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return true;
	return err_sys(err, "cannot remove '%s' in '%s'", name, root);
}

static bool empty_dir(int dirfd, unsigned depth, const char *root, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	char **names;
	size_t n;
	struct stat st;
	if (depth > MAX_DEPTH)
		return err_set(err, EK_OTHER, "'%s' is more than %d directories deep", root, MAX_DEPTH);
	if (fstat(dirfd, &st) == 0 && (st.st_mode & 0700) != 0700)
		(void)fchmod(dirfd, 0700);
	int copy = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return err_sys(err, "cannot read the directory '%s'", root);
	if (!list_fd(copy, root, &a, &names, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!remove_entry(dirfd, names[i], depth, root, err))
			return false;
	return true;
}

bool dir_remove(const char *path, struct err *err)
{
	return remove_entry(AT_FDCWD, path, 0, path, err);
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
