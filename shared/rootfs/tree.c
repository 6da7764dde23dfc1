#include "shared/rootfs/tree.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_LINKS 40
#define MAX_DEPTH 512

void tree_init(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena);
	t->root = arena_new(&t->arena, struct tree_node);
	t->root->type = '5';
	t->root->mode = 0755;
	t->root->name = S("");
}

void tree_release(struct tree *t)
{
	arena_release(&t->arena);
	memset(t, 0, sizeof(*t));
}

/* Index of name, or where it would stand. Packages come sorted, so the end is tried first. */
static size_t kid_index(const struct tree_node *dir, struct str name, bool *ret_found)
{
	size_t low = 0, high = dir->n_kids;
	*ret_found = false;
	if (high && str_cmp(dir->kids[high - 1]->name, name) < 0)
		return high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = str_cmp(dir->kids[mid]->name, name);
		if (c == 0) {
			*ret_found = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct tree_node *tree_kid(const struct tree_node *dir, struct str name)
{
	bool found;
	size_t i = kid_index(dir, name, &found);
	return found ? dir->kids[i] : NULL;
}

struct tree_node *tree_add(struct tree *t, struct tree_node *dir, struct str name, char type)
{
	bool found;
	size_t at = kid_index(dir, name, &found);
	if (found || dir->type != '5')
		BUG("tree_add of '%.*s'", STR_ARG(name));
	if (dir->n_kids == dir->cap_kids) {
		size_t cap = dir->cap_kids ? dir->cap_kids * 2 : 4;
		struct tree_node **kids = arena_array(&t->arena, struct tree_node *, cap);
		if (dir->n_kids)
			memcpy(kids, dir->kids, dir->n_kids * sizeof(*kids));
		dir->kids = kids;
		dir->cap_kids = cap;
	}
	memmove(dir->kids + at + 1, dir->kids + at, (dir->n_kids - at) * sizeof(*dir->kids));
	struct tree_node *n = arena_new(&t->arena, struct tree_node);
	n->name = arena_str(&t->arena, name);
	n->parent = dir;
	n->type = type;
	n->mode = type == '5' ? 0755 : type == '2' ? 0777 : 0644;
	if (type == '0') {
		n->body = arena_new(&t->arena, struct tree_body);
		n->body->bytes = "";
		n->body->links = 1;
	}
	dir->kids[at] = n;
	dir->n_kids++;
	t->n_nodes++;
	return n;
}

void tree_remove(struct tree *t, struct tree_node *n)
{
	bool found;
	while (n->n_kids)
		tree_remove(t, n->kids[n->n_kids - 1]);
	struct tree_node *dir = n->parent;
	size_t at = kid_index(dir, n->name, &found);
	memmove(dir->kids + at, dir->kids + at + 1, (dir->n_kids - at - 1) * sizeof(*dir->kids));
	dir->n_kids--;
	t->n_nodes--;
	if (n->body)
		n->body->links--;
}

void tree_share(struct tree_node *n, struct tree_node *file)
{
	n->type = '0';
	if (n->body)
		n->body->links--;
	n->body = file->body;
	n->body->links++;
}

/* One walk along a path; links met are followed by walking their targets from where they stand. */
static struct tree_node *walk(struct tree *t, struct tree_node *from, struct str path, bool follow,
	unsigned *links)
{
	struct tree_node *at = from;
	struct str part;
	if (path.n && path.p[0] == '/')
		at = t->root;
	while (at && str_next(&path, '/', &part)) {
		if (part.n == 0 || str_is(part, "."))
			continue;
		if (str_is(part, "..")) {
			at = at->parent ? at->parent : at;
			continue;
		}
		struct tree_node *dir = at;
		at = at->type == '5' ? tree_kid(at, part) : NULL;
		struct str left = path;
		bool last = path.n == (size_t)-1 || str_trim(left).n == 0;
		if (at && at->type == '2' && (!last || follow)) {
			if (++*links > MAX_LINKS)
				return NULL;
			at = walk(t, dir, at->link, true, links);
		}
	}
	return at;
}

struct tree_node *tree_find(struct tree *t, struct str path, bool follow)
{
	unsigned links = 0;
	return walk(t, t->root, path, follow, &links);
}

struct str tree_path(const struct tree_node *n, struct arena *a)
{
	size_t len = 0;
	for (const struct tree_node *p = n; p->parent; p = p->parent)
		len += p->name.n + 1;
	char *out = arena_alloc(a, len + 1), *end = out + (len ? len - 1 : 0);
	struct str ret = str_n(out, len ? len - 1 : 0);
	for (const struct tree_node *p = n; p->parent; p = p->parent) {
		end -= p->name.n;
		memcpy(end, p->name.p, p->name.n);
		if (p->parent->parent)
			*--end = '/';
	}
	return ret;
}

static bool not_a_directory(struct str path, struct err *err)
{
	return err_set(err, EK_CONFLICT, "'%.*s' is not a directory", STR_ARG(path));
}

struct tree_node *tree_mkdirs(struct tree *t, struct str path, uint32_t mode, struct err *err)
{
	struct tree_node *at = t->root;
	struct str rest = path, part;
	unsigned links = 0, depth = 0;
	while (str_next(&rest, '/', &part)) {
		if (part.n == 0 || str_is(part, "."))
			continue;
		struct tree_node *next = str_is(part, "..") ? (at->parent ? at->parent : at)
			: tree_kid(at, part);
		if (!next) {
			next = tree_add(t, at, part, '5');
			next->mode = mode;
		}
		if (next->type == '2')
			next = walk(t, at, next->link, true, &links);
		if (!next || next->type != '5' || ++depth > MAX_DEPTH) {
			(void)not_a_directory(path, err);
			return NULL;
		}
		at = next;
	}
	return at;
}

/* The directory that `path` is in, made 0755 when missing, and its last component. */
static struct tree_node *parent_of(struct tree *t, struct str path, struct str *ret_name,
	struct err *err)
{
	while (str_chop(&path, S("/")))
		;
	*ret_name = path_base(path);
	if (ret_name->n == 0) {
		(void)err_set(err, EK_OTHER, "the root cannot be replaced");
		return NULL;
	}
	return tree_mkdirs(t, path_dir(path), 0755, err);
}

void tree_set_bytes(struct tree *t, struct tree_node *file, struct str bytes)
{
	struct tree_body *b = file->body;
	b->blob = NULL;
	b->off = 0;
	b->path = NULL;
	b->size = bytes.n;
	b->bytes = arena_dup(&t->arena, bytes.p, bytes.n);
	b->has_sha1 = false;
}

struct tree_node *tree_put(struct tree *t, struct str path, struct str bytes, uint32_t mode,
	struct err *err)
{
	struct str name;
	struct tree_node *n = tree_find(t, path, true), *dir;
	if (n && n->type != '0') {
		(void)err_set(err, EK_CONFLICT, "'%.*s' is not a regular file", STR_ARG(path));
		return NULL;
	}
	if (!n) {
		if (!(dir = parent_of(t, path, &name, err)))
			return NULL;
		if (tree_kid(dir, name)) {
			(void)err_set(err, EK_CONFLICT, "'%.*s' is a link that leads nowhere",
				STR_ARG(path));
			return NULL;
		}
		n = tree_add(t, dir, name, '0');
		n->mode = mode;
	}
	tree_set_bytes(t, n, bytes);
	return n;
}

struct tree_node *tree_symlink(struct tree *t, struct str path, struct str target,
	struct err *err)
{
	struct str name;
	struct tree_node *dir = parent_of(t, path, &name, err);
	if (!dir)
		return NULL;
	if (tree_kid(dir, name)) {
		(void)err_set(err, EK_CONFLICT, "file '%.*s' already exists", STR_ARG(path));
		return NULL;
	}
	struct tree_node *n = tree_add(t, dir, name, '2');
	n->link = arena_str(&t->arena, target);
	return n;
}

static bool read_disk(const struct tree_body *b, char *to, struct err *err)
{
	auto_fd int fd = openat(b->dirfd, b->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", b->path);
	return fd_pread_all(fd, to, b->size, 0, b->path, err);
}

bool tree_read(const struct tree_node *file, struct arena *a, uint64_t max, struct str *ret_bytes,
	struct err *err)
{
	const struct tree_body *b = file->body;
	if (!b)
		return err_set(err, EK_OTHER, "'%.*s' is not a regular file", STR_ARG(file->name));
	if (b->size > max)
		return err_set(err, EK_PARSE, "'%.*s' is longer than %llu bytes", STR_ARG(file->name),
			(unsigned long long)max);
	char *to = arena_alloc(a, b->size + 1);
	if (b->blob) {
		if (!fd_pread_all(b->blob->fd, to, b->size, (off_t)b->off, b->blob->name, err))
			return false;
	} else if (b->bytes) {
		memcpy(to, b->bytes, b->size);
	} else if (!read_disk(b, to, err)) {
		return false;
	}
	*ret_bytes = str_n(to, b->size);
	return true;
}

struct walking {
	bool (*fn)(struct tree_node *n, struct str path, void *user, struct err *err);
	void *user;
	struct buf path;
};

static bool walk_kids(struct walking *w, struct tree_node *dir, struct err *err)
{
	size_t base = w->path.n;
	for (size_t i = 0; i < dir->n_kids; i++) {
		struct tree_node *n = dir->kids[i];
		if (base)
			buf_addc(&w->path, '/');
		buf_addstr(&w->path, n->name);
		if (!w->fn(n, buf_str(&w->path), w->user, err) ||
			(n->type == '5' && !walk_kids(w, n, err)))
			return false;
		w->path.n = base;
		w->path.p[base] = 0;
	}
	return true;
}

bool tree_walk(struct tree *t,
	bool (*fn)(struct tree_node *n, struct str path, void *user, struct err *err), void *user,
	struct err *err)
{
	struct walking w = { .fn = fn, .user = user, .path = BUF_INIT(BUF_NOLIMIT) };
	bool ok = walk_kids(&w, t->root, err);
	buf_release(&w.path);
	return ok;
}
