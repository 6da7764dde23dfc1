#include "shared/apk/filetree.h"

#include <string.h>

#include "shared/archive/tar.h"
#include "shared/os/path.h"

static bool misplaced(const struct apk_file *f, const struct apk_entry *e, struct err *err)
{
	return err_set(err, EK_PARSE, "package '%.*s': '%.*s' stands where something else is",
		STR_ARG(f->info.name), STR_ARG(e->name));
}

static void fill(struct tree_node *n, const struct apk_file *f, const struct apk_entry *e)
{
	n->mode = e->mode & 07777;
	n->uid = e->uid;
	n->gid = e->gid;
	n->mtime = e->mtime;
	n->link = e->link;
	n->major = e->major;
	n->minor = e->minor;
	n->xattrs = e->xattrs;
	n->n_xattrs = e->n_xattrs;
	if (e->type != '0')
		return;
	n->body->size = e->size;
	n->body->blob = &f->data;
	n->body->off = e->off;
	n->body->bytes = NULL;
	memcpy(n->body->sha1, e->sha1, sizeof(e->sha1));
	n->body->has_sha1 = e->has_sha1;
}

static bool add_entry(struct tree *t, const struct apk_file *f, const struct apk_entry *e,
	struct err *err)
{
	struct tree_node *dir = tree_mkdirs(t, path_dir(e->name), 0755, err);
	if (!dir)
		return err_wrap(err, "package '%.*s'", STR_ARG(f->info.name));
	struct tree_node *n = tree_kid(dir, path_base(e->name));
	if (n && !(n->type == '5' && e->type == '5'))
		return misplaced(f, e, err);
	struct tree_node *first = e->type == '1' ? tree_find(t, e->link, false) : NULL;
	if (e->type == '1' && (!first || first->type != '0'))
		return misplaced(f, e, err);
	if (!n)
		n = tree_add(t, dir, path_base(e->name), first ? '0' : e->type);
	if (first)
		tree_share(n, first);
	fill(n, f, e);
	return true;
}

bool apk_file_tree(const struct apk_file *f, struct tree *t, struct err *err)
{
	for (size_t i = 0; i < f->n_entries; i++)
		if (!add_entry(t, f, &f->entries[i], err))
			return false;
	return true;
}

bool apk_file_control(const struct apk_file *f, const char *name, struct str *ret, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	int more;
	*ret = STR_NONE;
	mem_source_init(&src, f->control);
	tar_reader_init(&r, &src.src, f->data.name, &a);
	while ((more = tar_next(&r, &e, err)) > 0) {
		if (!str_is(e.name, name))
			continue;
		*ret = str_sub(f->control, (size_t)r.at, (size_t)e.size);
		return true;
	}
	return more == 0;
}
