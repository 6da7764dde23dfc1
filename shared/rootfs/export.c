#include "shared/rootfs/export.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/archive/tar.h"
#include "shared/base/map.h"
#include "shared/base/vec.h"
#include "shared/os/fd.h"
#include "shared/rootfs/passwd.h"

#define BLOCK (256u << 10)
#define MAX_ACCOUNTS (16u << 20)

/* Names of ids met so far: most entries have the same few. */
struct owner {
	int64_t id;
	struct str name;
};
struct planning {
	struct tree *t;
	const struct export_opts *opts;
	struct arena *a;
	struct export_plan *plan;
	struct id_names ids;
	VEC(struct owner) users, groups;
	struct map first;	/* address of a shared body to the path of its first name */
	struct buf header;
	struct arena scratch;
};

static bool account_text(struct tree *t, const char *path, struct arena *a, struct str *ret,
	struct err *err)
{
	struct tree_node *n = tree_find(t, str_of(path), true);
	*ret = STR_NONE;
	return !n || n->type != '0' || tree_read(n, a, MAX_ACCOUNTS, ret, err);
}

static struct str owner_name(struct planning *p, bool group, int64_t id)
{
	struct owner *v = group ? p->groups.v : p->users.v;
	size_t n = group ? p->groups.n : p->users.n;
	for (size_t i = 0; i < n; i++)
		if (v[i].id == id)
			return v[i].name;
	struct owner o = { id, group ? id_group(&p->ids, id) : id_user(&p->ids, id) };
	if (group)
		vec_push(p->a, &p->groups, o);
	else
		vec_push(p->a, &p->users, o);
	return o.name;
}

bool export_header(const struct tree_node *n, struct str path, struct str link_to,
	struct str uname, struct str gname, struct buf *out, struct err *err)
{
	struct tar_pax pax[64];
	bool hard = link_to.n > 0;
	auto_arena struct arena a = ARENA_INIT;
	struct tar_entry e = {
		.name = path,
		.type = hard ? '1' : n->type,
		.mode = n->type == '2' ? 0777 : n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.size = n->type == '0' && !hard ? n->body->size : 0,
		.mtime = n->mtime,
		.link = hard ? link_to : n->link,
		.uname = uname,
		.gname = gname,
		.major = n->major,
		.minor = n->minor,
		.pax = { .v = pax },
	};
	if (n->n_xattrs > countof(pax))
		return err_set(err, EK_OTHER, "'%.*s' has %zu extended attributes, more than %zu",
			STR_ARG(path), n->n_xattrs, countof(pax));
	for (size_t i = 0; i < n->n_xattrs && (n->type == '0' || n->type == '5'); i++)
		pax[e.pax.n++] = (struct tar_pax){
			arena_strf(&a, "SCHILY.xattr.%.*s", STR_ARG(n->xattrs[i].name)),
			n->xattrs[i].val };
	return tar_header(&e, out, err);
}

/* The path an earlier name of the same inode was written under; empty for the first. */
static struct str earlier_name(struct planning *p, const struct tree_node *n, struct str path)
{
	if (n->type != '0' || n->body->links < 2)
		return STR_NONE;
	struct str key = str_n(arena_dup(&p->scratch, &n->body, sizeof(n->body)), sizeof(n->body));
	struct str *first = map_get(&p->first, key);
	if (first)
		return *first;
	first = arena_new(&p->scratch, struct str);
	*first = arena_str(&p->scratch, path);
	(void)map_put(&p->first, key, first);
	return STR_NONE;
}

static bool plan_node(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct planning *p = user;
	if (p->opts && p->opts->take && !p->opts->take(n, p->opts->user))
		return true;
	struct str link = earlier_name(p, n, path);
	buf_clear(&p->header);
	if (!export_header(n, path, link, owner_name(p, false, n->uid), owner_name(p, true, n->gid),
			&p->header, err))
		return false;
	struct export_entry e = { n, arena_str(p->a, buf_str(&p->header)), link.n > 0 };
	vec_push(p->a, p->plan, e);
	p->plan->size += e.header.n;
	if (n->type == '0' && !e.is_link)
		p->plan->size += n->body->size + tar_padding(n->body->size);
	return true;
}

bool export_plan(struct tree *t, const struct export_opts *opts, struct arena *a,
	struct export_plan *ret, struct err *err)
{
	struct export_plan plan = { 0 };
	struct planning p = { .t = t, .opts = opts, .a = a, .plan = &plan,
		.header = BUF_INIT(64u << 20), .scratch = ARENA_INIT };
	map_init(&p.first, &p.scratch);
	bool ok = account_text(t, "etc/passwd", &p.scratch, &p.ids.passwd, err) &&
		account_text(t, "etc/group", &p.scratch, &p.ids.group, err) &&
		tree_walk(t, plan_node, &p, err);
	buf_release(&p.header);
	map_release(&p.first);
	arena_release(&p.scratch);
	plan.size += TAR_END_SIZE;
	if (ok)
		*ret = plan;
	return ok;
}

static bool write_range(int fd, off_t at, uint64_t size, const char *name, struct sink *out,
	struct err *err)
{
	char *block = malloc(BLOCK);
	bool ok = block || err_set(err, EK_OTHER, "out of memory");
	while (ok && size) {
		size_t part = size < BLOCK ? (size_t)size : BLOCK;
		ok = fd_pread_all(fd, block, part, at, name, err) && sink_write(out, block, part, err);
		at += (off_t)part;
		size -= part;
	}
	free(block);
	return ok;
}

bool export_body(const struct tree_body *b, struct sink *out, struct err *err)
{
	if (b->blob)
		return write_range(b->blob->fd, (off_t)b->off, b->size, b->blob->name, out, err);
	if (b->bytes)
		return sink_write(out, b->bytes, b->size, err);
	auto_fd int fd = openat(b->dirfd, b->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", b->path);
	return write_range(fd, 0, b->size, b->path, out, err);
}

bool export_tar(const struct export_plan *plan, struct sink *out, struct err *err)
{
	static const char zeros[TAR_END_SIZE];
	for (size_t i = 0; i < plan->n; i++) {
		const struct export_entry *e = &plan->v[i];
		if (!sink_write(out, e->header.p, e->header.n, err))
			return false;
		if (e->node->type != '0' || e->is_link)
			continue;
		if (!export_body(e->node->body, out, err) ||
			!sink_write(out, zeros, tar_padding(e->node->body->size), err))
			return false;
	}
	return sink_write(out, zeros, TAR_END_SIZE, err);
}
