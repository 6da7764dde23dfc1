#include "shared/os/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/os/fd.h"

#define MAX_LINKS 40

struct str path_clean(struct arena *a, struct str path)
{
	bool rooted = path.n && path.p[0] == '/';
	char *out = arena_alloc(a, path.n + 2);
	size_t n = 0, floor = 0; /* floor: what ".." may not remove */
	if (rooted)
		out[n++] = '/';
	floor = n;
	struct str rest = path, part;
	while (str_next(&rest, '/', &part)) {
		if (part.n == 0 || str_is(part, "."))
			continue;
		if (str_is(part, "..")) {
			if (n > floor) {
				while (n > floor && out[n - 1] != '/')
					n--;
				if (n > floor)
					n--;
				continue;
			}
			if (rooted)
				continue;
			if (n)
				out[n++] = '/';
			memcpy(out + n, "..", 2);
			n += 2;
			floor = n;
			continue;
		}
		if (n && out[n - 1] != '/')
			out[n++] = '/';
		memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	if (n == 0)
		out[n++] = '.';
	out[n] = 0;
	return str_n(out, n);
}

struct str path_join(struct arena *a, struct str dir, struct str rest)
{
	if (dir.n == 0)
		return rest.n ? path_clean(a, rest) : STR_NONE;
	return path_clean(a, arena_strf(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(rest)));
}

struct str path_base(struct str path)
{
	long slash = str_rchr(path, '/');
	return slash < 0 ? path : str_from(path, (size_t)slash + 1);
}

struct str path_dir(struct str path)
{
	long slash = str_rchr(path, '/');
	return slash < 0 ? STR_NONE : str_sub(path, 0, (size_t)slash);
}

char *path_abs(struct arena *a, const char *path)
{
	if (path[0] == '/')
		return (char *)path_clean(a, str_of(path)).p;
	char *cwd = getcwd(NULL, 0);
	struct str out = path_join(a, str_of(cwd ? cwd : "/"), str_of(path));
	free(cwd);
	return (char *)out.p;
}

bool path_is_safe(struct str path)
{
	struct str rest = path, part;
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f)
			return false;
	while (str_next(&rest, '/', &part))
		if (part.n == 0 || str_is(part, ".") || str_is(part, ".."))
			return false;
	return true;
}

static bool walk_forced;

void path_force_walk(bool on)
{
	walk_forced = on;
}

static int open_kernel(int dirfd, const char *path, int flags, mode_t mode)
{
	/* O_TMPFILE includes O_DIRECTORY; the kernel refuses a mode that is not needed */
	bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = {
		.flags = (uint64_t)flags,
		.mode = creates ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

/* The descriptors of the directories walked through, root first, so that ".." is a pop. */
struct walk {
	int fds[PATH_MAX / 2];
	size_t n;
};

static void walk_pop(struct walk *w, size_t keep)
{
	while (w->n > keep)
		close(w->fds[--w->n]);
}

/* The target of link `name` in dir, or -1; *ret_n 0 when it is no link. */
static int read_link(int dir, const char *name, char *target, size_t size, size_t *ret_n)
{
	ssize_t n = readlinkat(dir, name, target, size - 1);
	*ret_n = 0;
	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -1;
	if ((size_t)n == size - 1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	target[n] = 0;
	*ret_n = (size_t)n;
	return 0;
}

static int walk_enter(struct walk *w, const char *name)
{
	if (w->n == sizeof(w->fds) / sizeof(w->fds[0])) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = openat(w->fds[w->n - 1], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	w->fds[w->n++] = fd;
	return 0;
}

/* Takes the first component off *rest with the slashes around it. ret_last: nothing follows;
 * ret_slash: slashes stood behind it. */
static struct str take_component(struct str *rest, bool *ret_last, bool *ret_slash)
{
	struct str part;
	while (str_skip(rest, S("/"))) {
	}
	*ret_slash = str_cut(*rest, '/', &part, rest);
	while (str_skip(rest, S("/"))) {
	}
	*ret_last = rest->n == 0;
	return part;
}

/* The root, "." or "..": a directory that is open already. */
static int open_self(const struct walk *w, int flags)
{
	if (flags & O_CREAT) {
		errno = EISDIR;
		return -1;
	}
	return openat(w->fds[w->n - 1], ".", flags);
}

/* A slash at the end asks for a directory and follows links, as the kernel has it. */
static bool follows(bool last, bool slash, int flags)
{
	return !last || slash || !((flags & O_NOFOLLOW) || ((flags & O_CREAT) && (flags & O_EXCL)));
}

static int open_last(const struct walk *w, const char *name, bool slash, int flags, mode_t mode)
{
	if (slash && (flags & O_CREAT)) {
		errno = EISDIR;
		return -1;
	}
	return openat(w->fds[w->n - 1], name, flags | O_NOFOLLOW | (slash ? O_DIRECTORY : 0), mode);
}

/* Resolves `rest` component by component; links are spliced into what is left. */
static int walk_open(struct walk *w, struct arena *a, struct str rest, int flags, mode_t mode)
{
	char *target = arena_alloc(a, PATH_MAX);
	int links = 0;
	for (;;) {
		bool last, slash;
		struct str part = take_component(&rest, &last, &slash);
		size_t n = 0;
		if (str_is(part, "..") && w->n > 1)
			walk_pop(w, w->n - 1);
		if (part.n == 0 || str_is(part, ".") || str_is(part, "..")) {
			if (last)
				return open_self(w, flags);
			continue;
		}
		char *name = arena_strndup(a, part.p, part.n);
		if (follows(last, slash, flags) &&
			read_link(w->fds[w->n - 1], name, target, PATH_MAX, &n) != 0)
			return -1;
		if (n && ++links > MAX_LINKS) {
			errno = ELOOP;
			return -1;
		}
		if (n) {
			if (target[0] == '/')
				walk_pop(w, 1);
			rest = arena_strf(a, "%s%s%.*s", target, slash ? "/" : "", STR_ARG(rest));
		} else if (last) {
			return open_last(w, name, slash, flags, mode);
		} else if (walk_enter(w, name) != 0) {
			return -1;
		}
	}
}

static int open_walking(int dirfd, const char *path, int flags, mode_t mode)
{
	auto_arena struct arena a = ARENA_INIT;
	struct walk *w = arena_new(&a, struct walk);
	if (!path[0]) {
		errno = ENOENT;
		return -1;
	}
	int root = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	w->fds[w->n++] = root;
	int fd = walk_open(w, &a, str_of(path), flags, mode);
	int keep = errno;
	walk_pop(w, 0);
	errno = keep;
	return fd;
}

int path_open_in(int dirfd, const char *path, int flags, mode_t mode, struct err *err)
{
	int fd = -1;
	if (!walk_forced)
		fd = open_kernel(dirfd, path, flags, mode);
	if (walk_forced || (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN)))
		fd = open_walking(dirfd, path, flags, mode);
	if (fd < 0)
		(void)err_sys(err, "cannot open '%s'", path);
	return fd;
}
