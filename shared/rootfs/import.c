#include "shared/rootfs/import.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shared/base/map.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

struct importing {
	struct tree *t;
	int dirfd;
	const char *name;
	const struct import_opts *opts;
	struct map inodes;	/* "dev:ino" of files with several names to the first node */
	struct arena scratch;
};

static const char *const dropped_xattrs[] = { "com.apple.provenance", "security.csm",
	"security.selinux", "com.docker.grpcfuse.ownership", "trusted.SGI_ACL_FILE",
	"trusted.SGI_ACL_DEFAULT" };

static bool keep_xattr(const char *name)
{
	for (size_t i = 0; i < countof(dropped_xattrs); i++)
		if (strcmp(name, dropped_xattrs[i]) == 0)
			return false;
	return true;
}

static bool add_xattr(struct importing *im, struct tree_node *n, const char *path, const char *name,
	struct err *err)
{
	ssize_t size = lgetxattr(path, name, NULL, 0);
	if (size < 0)
		return err_sys(err, "cannot read the attribute '%s' of '%s'", name, path);
	if (strchr(name, '='))
		return err_set(err, EK_OTHER,
			"the attribute '%s' of '%s' has '=' in its name, which no archive can hold",
			name, path);
	char *val = arena_alloc(&im->t->arena, (size_t)size + 1);
	size = lgetxattr(path, name, val, (size_t)size);
	if (size < 0)
		return err_sys(err, "cannot read the attribute '%s' of '%s'", name, path);
	struct tree_xattr *grown = arena_array(&im->t->arena, struct tree_xattr, n->n_xattrs + 1);
	if (n->n_xattrs)
		memcpy(grown, n->xattrs, n->n_xattrs * sizeof(*grown));
	grown[n->n_xattrs++] = (struct tree_xattr){
		arena_str(&im->t->arena, str_of(name)), str_n(val, (size_t)size) };
	n->xattrs = grown;
	return true;
}

static bool read_xattrs(struct importing *im, struct tree_node *n, const struct dir_entry *e,
	struct err *err)
{
	if (!im->opts->xattrs || e->link || n->type == '5')
		return true;
	char path[PATH_MAX + 64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", e->dirfd, e->name);
	char names[4096];
	ssize_t size = llistxattr(path, names, sizeof(names));
	if (size < 0)
		return errno == ENOTSUP || errno == EPERM || errno == EACCES ||
			err_sys(err, "cannot list the attributes of '%s/%s'", im->name, e->path);
	for (const char *p = names; p < names + size; p += strlen(p) + 1)
		if (keep_xattr(p) && !add_xattr(im, n, path, p, err))
			return false;
	return true;
}

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	}
	return 0;
}

static int64_t mapped(int64_t id, const int64_t zero[2])
{
	return id == zero[0] || id == zero[1] ? 0 : id;
}

static void file_body(struct importing *im, struct tree_node *n, const struct dir_entry *e)
{
	if (e->st.st_nlink > 1) {
		struct str key = arena_strf(&im->scratch, "%llu:%llu", (unsigned long long)e->st.st_dev,
			(unsigned long long)e->st.st_ino);
		struct tree_node *first = map_put(&im->inodes, key, n);
		if (first) {
			(void)map_put(&im->inodes, key, first);
			tree_share(n, first);
			return;
		}
	}
	n->body->bytes = NULL;
	n->body->dirfd = im->dirfd;
	n->body->path = arena_strdup(&im->t->arena, e->path);
	n->body->size = (uint64_t)e->st.st_size;
}

static bool import_entry(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	(void)skip;
	struct importing *im = user;
	char type = type_of(e->st.st_mode);
	if (!type)
		return err_set(err, EK_OTHER, "'%s/%s' is a socket, which a package cannot hold\n"
			"hint: remove it at the end of the pipeline", im->name, e->path);
	long slash = str_rchr(str_of(e->path), '/');
	struct str dir = str_sub(str_of(e->path), 0, slash < 0 ? 0 : (size_t)slash);
	struct tree_node *parent = tree_find(im->t, dir, false);
	struct tree_node *n = tree_add(im->t, parent, str_of(e->name), type);
	n->mode = e->st.st_mode & 07777;
	n->uid = mapped(e->st.st_uid, im->opts->zero_uids);
	n->gid = mapped(e->st.st_gid, im->opts->zero_gids);
	n->mtime = e->st.st_mtim.tv_sec;
	n->major = major(e->st.st_rdev);
	n->minor = minor(e->st.st_rdev);
	if (type == '2')
		n->link = arena_str(&im->t->arena, str_of(e->link));
	if (type == '0')
		file_body(im, n, e);
	return read_xattrs(im, n, e, err);
}

bool import_dir(struct tree *t, int dirfd, const char *name, const struct import_opts *opts,
	struct err *err)
{
	struct importing im = { .t = t, .dirfd = dirfd, .name = name, .opts = opts,
		.scratch = ARENA_INIT };
	map_init(&im.inodes, &im.scratch);
	bool ok = dir_walk_at(dirfd, name, import_entry, &im, err);
	map_release(&im.inodes);
	arena_release(&im.scratch);
	return ok;
}
