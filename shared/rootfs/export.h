#pragma once

#include "shared/archive/stream.h"
#include "shared/rootfs/tree.h"

/* Trees out: as the ordered entries of a layer, as a tar stream, as a directory. */

/* One entry of a layer's tar, in order. The header text holds everything before the content, pax
 * header and padding of it included. */
struct export_entry {
	const struct tree_node *node;
	struct str header;	/* arena text */
	bool is_link;		/* written as a hard link to an earlier entry: no content */
};
struct export_plan {
	struct export_entry *v;
	size_t n, cap;
	uint64_t size;		/* bytes of the whole tar, the end included */
};

struct export_opts {
	/* Which nodes to take; NULL = all. Called in walk order. */
	bool (*take)(const struct tree_node *n, void *user);
	void *user;
};
/* The layer's walk (apko 3.8): depth first, names sorted in each directory, the root left out;
 * owner names from the tree's own passwd and group; the first name of an inode is the file. */
bool export_plan(struct tree *t, const struct export_opts *opts, struct arena *a,
	struct export_plan *ret, struct err *err) must_check;
/* One header as the plan has it, for entries made outside a walk. link_to: the
 * earlier name of a hard link, else empty. */
bool export_header(const struct tree_node *n, struct str path, struct str link_to,
	struct str uname, struct str gname, struct buf *out, struct err *err) must_check;
/* The content of a regular file. */
bool export_body(const struct tree_body *body, struct sink *out, struct err *err) must_check;
/* The tar the plan describes, content and end included. */
bool export_tar(const struct export_plan *plan, struct sink *out, struct err *err) must_check;

struct export_dir_opts {
	/* Directory on disk where the owner (a node's `owner`) has its files unpacked: they are hard-
	 * linked from there. NULL function or result: contents are copied. Arena text. */
	const char *(*tree_of)(const void *owner, void *user, struct arena *a);
	/* Path of a node inside that directory; NULL = its path in the tree. */
	struct str (*path_of)(const struct tree_node *n, void *user, struct arena *a);
	void *user;
};
/* Into an existing empty directory: files with permission bits, directories, links; device nodes
 * and fifos are left out. Nothing outside it is touched. */
bool export_dir(struct tree *t, const char *dir, const struct export_dir_opts *opts,
	struct err *err) must_check;
