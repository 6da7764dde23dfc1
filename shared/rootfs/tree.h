#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/str.h"

/* A file tree in memory: what an image or a guest will hold. Contents are not copied: a node
 * points at bytes in an arena or at a range of an open file. Every path is resolved beneath the
 * root, whatever links stand in it; nothing here touches the disk.
 *
 * One thread owns a tree. Nodes live in the tree's arena until it is released. */

/* An open file that nodes borrow their content from, e.g. a package's data tar. */
struct blob {
	int fd;
	const char *name;	/* for messages */
	struct str id;		/* identity of the bytes, e.g. the data hash in hex; "" = none */
};

struct tree_xattr {
	struct str name, val;
};

struct tree_node {
	struct str name;
	struct tree_node *parent;	/* NULL for the root */
	char type;			/* tar type: '0' '2' '3' '4' '5' '6' ('1' never) */
	bool from_header_owner;		/* uid/gid below came from a package header */
	uint32_t mode;			/* permission and special bits */
	int64_t uid, gid;
	int64_t mtime;
	uint32_t major, minor;
	struct str link;		/* symlink target */
	/* Regular files that are one inode share a body. */
	struct tree_body *body;
	struct tree_xattr *xattrs;
	size_t n_xattrs;
	const void *owner;		/* the package that brought it; NULL = none */
	const void *entry;		/* its entry in that package */
	/* Children of a directory, sorted bytewise by name. */
	struct tree_node **kids;
	size_t n_kids, cap_kids;
};

struct tree_body {
	uint64_t size;
	const struct blob *blob;	/* content is blob[off .. off+size) ... */
	uint64_t off;
	const char *bytes;		/* ... or these, when blob is NULL ... */
	int dirfd;			/* ... or, when bytes is NULL too, the file at `path` */
	const char *path;		/* beneath dirfd (borrowed) */
	uint8_t sha1[20];
	bool has_sha1;
	unsigned links;			/* nodes that share it */
};

struct tree {
	struct arena arena;
	struct tree_node *root;		/* type '5', 0755, 0:0 */
	size_t n_nodes;
};

void tree_init(struct tree *t);
void tree_release(struct tree *t);

/* The node at path, NULL if none. Links in the middle are followed; the last one only with
 * follow. Leading slashes are allowed, ".." stops at the root; 40 links at most. */
struct tree_node *tree_find(struct tree *t, struct str path, bool follow);
struct tree_node *tree_kid(const struct tree_node *dir, struct str name);
/* Path from the root without leading slash; arena text. */
struct str tree_path(const struct tree_node *n, struct arena *a);

/* Adds a node to a directory (name is copied). The name must be free. */
struct tree_node *tree_add(struct tree *t, struct tree_node *dir, struct str name, char type);
void tree_remove(struct tree *t, struct tree_node *n);	/* with all below */
/* The directory at path, made with its missing parents (mode, 0:0, mtime 0); links in the way
 * are followed. Fails if something else stands there. */
struct tree_node *tree_mkdirs(struct tree *t, struct str path, uint32_t mode, struct err *err)
	must_check;
/* A regular file with these bytes (copied), made or replaced in content; an existing node keeps
 * mode, owner and mtime. Parents are made 0755. */
struct tree_node *tree_put(struct tree *t, struct str path, struct str bytes, uint32_t mode,
	struct err *err) must_check;
struct tree_node *tree_symlink(struct tree *t, struct str path, struct str target,
	struct err *err) must_check;
void tree_set_bytes(struct tree *t, struct tree_node *file, struct str bytes);
/* Makes `n` another name of `file`'s body. */
void tree_share(struct tree_node *n, struct tree_node *file);
/* Content of a regular file as bytes (read from its blob into the arena, at most max). */
bool tree_read(const struct tree_node *file, struct arena *a, uint64_t max, struct str *ret_bytes,
	struct err *err) must_check;
/* Depth first, names sorted, parents before children, the root itself left out. */
bool tree_walk(struct tree *t,
	bool (*fn)(struct tree_node *n, struct str path, void *user, struct err *err), void *user,
	struct err *err) must_check;
