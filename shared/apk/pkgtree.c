#include "shared/apk/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define SMALL_COPY (64u << 10)	/* below this, read and write beat copy_file_range */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

struct unpacker {
	const struct apk_file *file;
	struct arena arena;
	int root;
	struct str dir;		/* the directory opened last */
	int dirfd;		/* -1 = none; may not be `root` */
	VEC(const struct apk_entry *) dirs;
	char buf[SMALL_COPY];
};

static const char *base_of(struct str name)
{
	return path_base(name).p;	/* runs to the name's NUL */
}

static bool fail(const struct unpacker *u, struct str name, struct err *err)
{
	return err_sys(err, "cannot unpack '%.*s' of package '%s'", STR_ARG(name),
		u->file->data.name);
}

/* A directory below `at`, made when missing; never through a link. */
static int enter(int at, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(at, name, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(at, name, 0700) < 0)
		return -1;
	fd = openat(at, name, flags);
	if (fd >= 0)
		(void)fchmod(fd, 0755);
	return fd;
}

static int walk(struct unpacker *u, int from, struct str rest)
{
	auto_fd int fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	struct str part;

	while (rest.n && fd >= 0 && str_next(&rest, '/', &part)) {
		int next = enter(fd, arena_strndup(&u->arena, part.p, part.n));
		fd_close(&fd);
		fd = next;
	}
	return fd_steal(&fd);
}

/* Descriptor of the directory that holds `name`; owned by u. Entries of a directory mostly
 * follow each other. */
static int parent(struct unpacker *u, struct str name)
{
	struct str dir = path_dir(name), rest = dir;

	if (dir.n == 0)
		return u->root;
	if (u->dirfd >= 0 && str_eq(dir, u->dir))
		return u->dirfd;
	bool below = u->dirfd >= 0 && str_skip(&rest, u->dir) && str_skip(&rest, S("/"));
	int fd = walk(u, below ? u->dirfd : u->root, below ? rest : dir);
	fd_close(&u->dirfd);
	u->dirfd = fd;
	u->dir = dir;
	return fd;
}

static bool set_times(int at, const char *name, int64_t mtime)
{
	const struct timespec times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };

	return utimensat(at, name, times, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool copy_content(struct unpacker *u, const struct apk_entry *e, int to, struct err *err)
{
	const struct blob *b = &u->file->data;

	if (e->size > sizeof(u->buf))
		return fd_copy(b->fd, (off_t)e->off, to, (off_t)e->size, b->name, err);
	return fd_pread_all(b->fd, u->buf, e->size, (off_t)e->off, b->name, err) &&
		fd_write_all(to, u->buf, e->size, e->name.p, err);
}

static bool put_file(struct unpacker *u, int at, const struct apk_entry *e, struct err *err)
{
	const struct timespec times[2] = { { .tv_sec = e->mtime }, { .tv_sec = e->mtime } };
	auto_fd int fd = openat(at, base_of(e->name),
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(u, e->name, err);
	if (e->size && !copy_content(u, e, fd, err))
		return false;
	return (fchmod(fd, e->mode & 0777) == 0 && futimens(fd, times) == 0) ||
		fail(u, e->name, err);
}

static bool put_hardlink(struct unpacker *u, int at, const struct apk_entry *e, struct err *err)
{
	auto_fd int from = walk(u, u->root, path_dir(e->link));

	return (from >= 0 && linkat(from, base_of(e->link), at, base_of(e->name), 0) == 0) ||
		fail(u, e->name, err);
}

static bool put_dir(struct unpacker *u, int at, const struct apk_entry *e, struct err *err)
{
	auto_fd int fd = enter(at, base_of(e->name));

	if (fd < 0)
		return fail(u, e->name, err);
	vec_push(&u->arena, &u->dirs, e);
	return true;
}

static bool put_entry(struct unpacker *u, const struct apk_entry *e, struct err *err)
{
	int at = parent(u, e->name);

	if (at < 0)
		return fail(u, e->name, err);
	switch (e->type) {
	case '0':
		return put_file(u, at, e, err);
	case '1':
		return put_hardlink(u, at, e, err);
	case '2':
		return (symlinkat(e->link.p, at, base_of(e->name)) == 0 &&
			       set_times(at, base_of(e->name), e->mtime)) ||
			fail(u, e->name, err);
	case '5':
		return put_dir(u, at, e, err);
	default:
		return true;
	}
}

/* Longest first: what lies below comes before what may shut the way to it. */
static int by_name_down(const void *pa, const void *pb)
{
	const struct apk_entry *const *a = pa, *const *b = pb;

	return str_cmp((*b)->name, (*a)->name);
}

static bool finish_dirs(struct unpacker *u, struct err *err)
{
	if (u->dirs.n)
		qsort(u->dirs.v, u->dirs.n, sizeof(u->dirs.v[0]), by_name_down);
	for (size_t i = 0; i < u->dirs.n; i++) {
		const struct apk_entry *e = u->dirs.v[i];
		const char *base = base_of(e->name);
		int at = parent(u, e->name);
		if (at < 0 || fchmodat(at, base, e->mode & 0777, 0) < 0 ||
		    !set_times(at, base, e->mtime))
			return fail(u, e->name, err);
	}
	return fchmod(u->root, 0755) == 0 || fail(u, S("."), err);
}

static bool unpack_all(struct unpacker *u, struct err *err)
{
	for (size_t i = 0; i < u->file->n_entries; i++)
		if (!put_entry(u, &u->file->entries[i], err))
			return false;
	return finish_dirs(u, err);
}

/* A tree is written without waiting for the disk. Within one boot it is what was written; after
 * another its files are looked at once, for those that a power loss left empty. */

static void marker_key(const struct apk_file *f, char *key, size_t n)
{
	(void)snprintf(key, n, "tree-%s", f->data.id.p);
}

static bool this_boot(struct buf *ret)
{
	auto_err struct err err = ERR_INIT;

	return file_read(BOOT_ID, ret, &err);
}

static bool marked(struct store *st, const struct apk_file *f)
{
	auto_buf struct buf now = BUF_INIT(64), then = BUF_INIT(64);
	auto_err struct err err = ERR_INIT;
	char key[128];

	marker_key(f, key, sizeof(key));
	auto_fd int fd = store_get(st, STORE_PLAN, key);
	return fd >= 0 && this_boot(&now) && fd_read_all(fd, key, &then, &err) &&
		str_eq(buf_str(&now), buf_str(&then));
}

/* Without a mark, the next use looks again: no more. */
static void mark(struct store *st, const struct apk_file *f)
{
	auto_buf struct buf now = BUF_INIT(64);
	auto_err struct err err = ERR_INIT;
	char key[128];

	marker_key(f, key, sizeof(key));
	if (this_boot(&now) && !store_put(st, STORE_PLAN, key, now.p, now.n, &err))
		log_debug("%s", err.msg);
}

static bool survived(int root, const struct apk_file *f)
{
	struct stat st;

	for (size_t i = 0; i < f->n_entries; i++) {
		const struct apk_entry *e = &f->entries[i];
		if (e->type == '3' || e->type == '4' || e->type == '6')
			continue;
		if (fstatat(root, e->name.p, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
		if (e->type == '0' && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size))
			return false;
	}
	return true;
}

static bool there_already(struct store *st, const struct apk_file *f)
{
	const char *key = f->data.id.p;
	auto_fd int fd = store_get(st, STORE_TREE, key);

	if (fd < 0)
		return false;
	if (marked(st, f))
		return true;
	if (survived(fd, f)) {
		mark(st, f);
		return true;
	}
	fd_close(&fd);
	store_drop(st, STORE_TREE, key);
	return false;
}

bool apk_unpack_tree(struct store *st, const struct apk_file *f, struct err *err)
{
	auto_store_new struct store_new new = { .fd = -1, .lock = -1 };
	auto_arena struct arena a = ARENA_INIT;

	if (there_already(st, f))
		return true;
	if (!store_begin_dir(st, &new, err))
		return false;
	struct unpacker *u = arena_new(&a, struct unpacker);
	u->file = f;
	u->root = new.lock;
	u->dirfd = -1;
	bool ok = unpack_all(u, err);
	fd_close(&u->dirfd);
	arena_release(&u->arena);
	if (!ok || !store_commit(&new, STORE_TREE, f->data.id.p, err))
		return false;
	mark(st, f);
	return true;
}
