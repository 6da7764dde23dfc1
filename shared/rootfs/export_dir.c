#include "shared/rootfs/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/map.h"
#include "shared/os/fd.h"

struct exporting {
	int root;
	const char *dir;
	const struct export_dir_opts *opts;
	struct map first;	/* address of a shared body to the path written first */
	struct arena scratch;
	const void *last_owner;	/* its unpacked tree, open */
	int last_tree;
};

static const char *cstr(struct exporting *x, struct str s)
{
	return arena_strndup(&x->scratch, s.p, s.n);
}

static void set_times(const struct exporting *x, const struct tree_node *n, const char *path)
{
	struct timespec ts[2] = { { n->mtime, 0 }, { n->mtime, 0 } };
	(void)utimensat(x->root, path, ts, AT_SYMLINK_NOFOLLOW);
}

/* The unpacked tree a node's content can be linked from; -1 = none. */
static int tree_of(struct exporting *x, const struct tree_node *n)
{
	if (!x->opts->tree_of || !n->owner)
		return -1;
	if (n->owner == x->last_owner)
		return x->last_tree;
	fd_close(&x->last_tree);
	x->last_owner = n->owner;
	const char *dir = x->opts->tree_of(n->owner, x->opts->user, &x->scratch);
	if (dir)
		x->last_tree = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return x->last_tree;
}

/* Whether the file may be linked: what is linked has the content and mode of the package. */
static bool link_from_tree(struct exporting *x, const struct tree_node *n, struct str path)
{
	if (!n->body->blob)
		return false;
	int tree = tree_of(x, n);
	if (tree < 0)
		return false;
	struct str from = x->opts->path_of ? x->opts->path_of(n, x->opts->user, &x->scratch) : path;
	struct stat st;
	const char *f = cstr(x, from);
	if (from.n == 0 || fstatat(tree, f, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
		(uint64_t)st.st_size != n->body->size || (st.st_mode & 0777) != (n->mode & 0777))
		return false;
	return linkat(tree, f, x->root, cstr(x, path), 0) == 0;
}

static bool write_body(const struct tree_body *b, int fd, const char *name, struct err *err)
{
	if (b->blob)
		return fd_copy(b->blob->fd, (off_t)b->off, fd, (off_t)b->size, name, err);
	if (b->bytes)
		return fd_write_all(fd, b->bytes, b->size, name, err);
	auto_fd int in = openat(b->dirfd, b->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return err_sys(err, "cannot open '%s'", b->path);
	return fd_copy(in, 0, fd, (off_t)b->size, name, err);
}

static bool write_file(struct exporting *x, const struct tree_node *n, struct str path,
	struct err *err)
{
	if (link_from_tree(x, n, path))
		return true;
	const char *p = cstr(x, path);
	auto_fd int fd = openat(x->root, p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "cannot write '%s/%s'", x->dir, p);
	if (!write_body(n->body, fd, p, err))
		return false;
	if (fchmod(fd, n->mode & 0777) != 0)
		return err_sys(err, "cannot set the mode of '%s/%s'", x->dir, p);
	set_times(x, n, p);
	return true;
}

/* Later names of an inode are links to the first. */
static bool export_file(struct exporting *x, const struct tree_node *n, struct str path,
	struct err *err)
{
	if (n->body->links < 2)
		return write_file(x, n, path, err);
	struct str key = str_n(arena_dup(&x->scratch, &n->body, sizeof(n->body)), sizeof(n->body));
	const char *first = map_get(&x->first, key);
	if (!first) {
		(void)map_put(&x->first, key, (void *)cstr(x, path));
		return write_file(x, n, path, err);
	}
	return linkat(x->root, first, x->root, cstr(x, path), 0) == 0 ||
		err_sys(err, "cannot link '%s' in '%s'", first, x->dir);
}

static bool export_node(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct exporting *x = user;
	const char *p = cstr(x, path);
	switch (n->type) {
	case '5':
		/* owner access is needed to fill it; its own mode comes at the end */
		return mkdirat(x->root, p, 0700) == 0 ||
			err_sys(err, "cannot make '%s/%s'", x->dir, p);
	case '2':
		if (symlinkat(cstr(x, n->link), x->root, p) != 0)
			return err_sys(err, "cannot make the link '%s/%s'", x->dir, p);
		set_times(x, n, p);
		return true;
	case '0':
		return export_file(x, n, path, err);
	}
	return true;
}

static bool finish_dir(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct exporting *x = user;
	if (n->type != '5')
		return true;
	const char *p = cstr(x, path);
	if (fchmodat(x->root, p, (n->mode & 01777) | 0700, 0) != 0)
		return err_sys(err, "cannot set the mode of '%s/%s'", x->dir, p);
	set_times(x, n, p);
	return true;
}

bool export_dir(struct tree *t, const char *dir, const struct export_dir_opts *opts,
	struct err *err)
{
	static const struct export_dir_opts none;
	struct exporting x = { .dir = dir, .opts = opts ? opts : &none, .scratch = ARENA_INIT,
		.last_tree = -1 };
	auto_fd int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "cannot open '%s'", dir);
	x.root = root;
	map_init(&x.first, &x.scratch);
	bool ok = fchmod(root, 0755) == 0 || err_sys(err, "cannot set the mode of '%s'", dir);
	ok = ok && tree_walk(t, export_node, &x, err) && tree_walk(t, finish_dir, &x, err);
	map_release(&x.first);
	arena_release(&x.scratch);
	fd_close(&x.last_tree);
	return ok;
}
