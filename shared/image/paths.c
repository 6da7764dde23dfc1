#include "shared/image/paths.h"

static bool problem(const struct imgconf_path *p, const char *what, struct err *err)
{
	struct pos at = p->at ? p->at->pos : (struct pos){0};
	(void)err_at(
		err, at, "paths: %.*s '%.*s': %s", STR_ARG(p->type.s), STR_ARG(p->path.s), what);
	err->kind = EK_CONFLICT;
	return false;
}

static bool wrap(const struct imgconf_path *p, struct err *err)
{
	return err_wrap(err, "paths: %.*s '%.*s'", STR_ARG(p->type.s), STR_ARG(p->path.s));
}

/* Every missing directory on the way gets the permissions. */
static bool make_directory(struct tree *t, const struct imgconf_path *p, struct err *err)
{
	uint32_t mode = p->permissions.set ? (uint32_t)p->permissions.n & 07777 : 0755;
	return tree_mkdirs(t, p->path.s, mode, err) || wrap(p, err);
}

static bool make_empty_file(struct tree *t, const struct imgconf_path *p, struct err *err)
{
	return tree_put(t, p->path.s, S(""), 0644, err) || wrap(p, err);
}

static struct str last_part(struct str path)
{
	while (str_chop(&path, S("/")))
		;
	return str_from(path, (size_t)(str_rchr(path, '/') + 1));
}

static struct str dir_part(struct str path)
{
	while (str_chop(&path, S("/")))
		;
	long slash = str_rchr(path, '/');
	return str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
}

static bool make_hardlink(struct tree *t, const struct imgconf_path *p, struct err *err)
{
	struct tree_node *source = tree_find(t, p->source.s, true);
	struct tree_node *dir = tree_mkdirs(t, dir_part(p->path.s), 0755, err);
	if (!dir)
		return wrap(p, err);
	if (!source || source->type != '0')
		return problem(p, "its source does not exist or is not a regular file", err);
	struct tree_node *old = tree_kid(dir, last_part(p->path.s));
	if (old && old->type == '5')
		return problem(p, "a directory stands there", err);
	if (old == source)
		return true;
	if (old)
		tree_remove(t, old);
	struct tree_node *n = tree_add(t, dir, last_part(p->path.s), '0');
	tree_share(n, source);
	n->mode = source->mode;
	n->uid = source->uid;
	n->gid = source->gid;
	n->mtime = source->mtime;
	n->xattrs = source->xattrs;
	n->n_xattrs = source->n_xattrs;
	return true;
}

static bool make_symlink(struct tree *t, const struct imgconf_path *p, struct err *err)
{
	return tree_symlink(t, p->path.s, p->source.s, err) || wrap(p, err);
}

static bool only_permissions(struct tree *t, const struct imgconf_path *p, struct err *err)
{
	return tree_find(t, p->path.s, true) || problem(p, "the path does not exist", err);
}

static const struct {
	const char *type;
	bool (*apply)(struct tree *t, const struct imgconf_path *p, struct err *err);
} types[] = {
	{"directory", make_directory},
	{"empty-file", make_empty_file},
	{"hardlink", make_hardlink},
	{"symlink", make_symlink},
	{"permissions", only_permissions},
};

static void set_owner(struct tree_node *n, const struct imgconf_path *p)
{
	if (!p->uid.set && !p->gid.set)
		return;
	n->uid = p->uid.set ? p->uid.n : 0;
	n->gid = p->gid.set ? p->gid.n : 0;
}

static void set_below(struct tree_node *n, const struct imgconf_path *p)
{
	if (p->permissions.set && n->type != '2')
		n->mode = (uint32_t)p->permissions.n & 07777;
	set_owner(n, p);
	for (size_t i = 0; p->recursive && i < n->n_kids; i++)
		set_below(n->kids[i], p);
}

static bool set_permissions(struct tree *t, const struct imgconf_path *p, struct err *err)
{
	bool follow = !str_is(p->type.s, "symlink");
	struct tree_node *n = tree_find(t, p->path.s, follow);
	if (!n)
		return problem(p, "the path does not exist", err);
	set_below(n, p);
	return true;
}

static bool apply_one(struct tree *t, const struct imgconf_path *p, struct err *err)
{
	for (size_t i = 0; i < countof(types); i++)
		if (str_is(p->type.s, types[i].type))
			return types[i].apply(t, p, err) && set_permissions(t, p, err);
	return problem(p,
		"unsupported mutation type\n"
		"hint: use directory, empty-file, hardlink, symlink or permissions",
		err);
}

bool paths_apply(struct tree *t, const struct bind_list *paths, struct err *err)
{
	const struct imgconf_path *p = paths->v;
	for (size_t i = 0; i < paths->n; i++)
		if (!apply_one(t, &p[i], err))
			return false;
	return true;
}
