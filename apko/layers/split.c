#include "apko/layers/split.h"

#include <string.h>

#include "shared/archive/tar.h"
#include "shared/base/map.h"
#include "shared/rootfs/passwd.h"

#define IDB "usr/lib/apk/db/installed"
#define MAX_ACCOUNTS (16u << 20)

/* Directories are numbered as the walk meets them. As none comes back once the walk has left it,
 * a layer has those of the stack that are numbered up to the last one it got. */
struct open_dir {
	const struct tree_node *node;
	size_t number;
};
struct splitting {
	struct tree *t;
	struct arena *a;
	const struct layer_groups *groups;
	struct id_names ids;
	VEC(struct open_dir) stack;
	size_t n_dirs;
	struct export_plan *plans;	/* one per group and the top */
	size_t *last_dir;		/* of each plan */
	struct map layer_of;		/* address of a package to one of `plans` */
	struct map first;		/* body and plan to the path of the first name there */
	const struct tree_node *idb;
	struct buf header;
};

static struct str key_of(struct splitting *s, const void *p, const void *q)
{
	const void *pair[2] = { p, q };
	return str_n(arena_dup(s->a, pair, sizeof(pair)), sizeof(pair));
}

static void add(struct splitting *s, struct export_plan *plan, struct export_entry e)
{
	vec_push(s->a, plan, e);
	plan->size += e.header.n;
	if (e.node->type == '0' && !e.is_link)
		plan->size += e.node->body->size + tar_padding(e.node->body->size);
}

/* An entry whose header is not that of the one walk over everything. */
static bool add_made(struct splitting *s, struct export_plan *plan, const struct tree_node *n,
	struct str path, struct str link_to, struct err *err)
{
	buf_clear(&s->header);
	if (!export_header(n, path, link_to, id_user(&s->ids, n->uid), id_group(&s->ids, n->gid),
			&s->header, err))
		return false;
	add(s, plan,
		(struct export_entry){ n, arena_str(s->a, buf_str(&s->header)), link_to.n > 0 });
	return true;
}

static void enter_dir(struct splitting *s, const struct tree_node *dir)
{
	while (s->stack.n && s->stack.v[s->stack.n - 1].node != dir->parent)
		s->stack.n--;
	vec_push(s->a, &s->stack, (struct open_dir){ dir, ++s->n_dirs });
}

/* The directories that a file of this time needs. Those the walk entered last are all taken to be
 * needed, even where the file lies above them: that is how layers have always been split. */
static bool add_dirs(struct splitting *s, struct export_plan *plan, int64_t mtime, struct err *err)
{
	size_t *last = &s->last_dir[plan - s->plans];
	for (size_t i = 0; i < s->stack.n; i++) {
		const struct open_dir *d = &s->stack.v[i];
		if (d->number <= *last)
			continue;
		struct tree_node *made = arena_dup(s->a, d->node, sizeof(*made));
		made->mtime = mtime;
		if (!add_made(s, plan, made, tree_path(d->node, s->a), STR_NONE, err))
			return false;
		*last = d->number;
	}
	return true;
}

static bool add_idb(struct splitting *s, size_t group, struct err *err)
{
	struct export_plan *plan = &s->plans[group];
	const struct layer_group *g = &s->groups->v[group];
	struct tree_node *made = arena_dup(s->a, s->idb, sizeof(*made));
	auto_buf struct buf text = BUF_INIT(BUF_NOLIMIT);
	for (size_t i = 0; i < g->n; i++)
		buf_addstr(&text, g->v[i]->text);
	made->body = arena_new(s->a, struct tree_body);
	made->body->size = text.n;
	made->body->bytes = arena_str(s->a, buf_str(&text)).p;
	made->body->links = 1;
	return add_dirs(s, plan, s->idb->mtime, err) &&
		add_made(s, plan, made, S(IDB), STR_NONE, err);
}

static struct export_plan *plan_of(struct splitting *s, const struct tree_node *n)
{
	struct export_plan *top = &s->plans[s->groups->n], *plan = NULL;
	if (n->owner && (n->type == '0' || n->type == '2'))
		plan = map_get(&s->layer_of, key_of(s, n->owner, NULL));
	return plan ? plan : top;
}

static bool add_shared(struct splitting *s, struct export_plan *plan, const struct tree_node *n,
	struct err *err)
{
	struct str path = tree_path(n, s->a), key = key_of(s, n->body, plan);
	struct str *first = map_get(&s->first, key);
	if (first)
		return add_made(s, plan, n, path, *first, err);
	first = arena_new(s->a, struct str);
	*first = path;
	(void)map_put(&s->first, key, first);
	return add_made(s, plan, n, path, STR_NONE, err);
}

static bool add_entry(struct splitting *s, const struct export_entry *e, struct err *err)
{
	const struct tree_node *n = e->node;
	struct export_plan *top = &s->plans[s->groups->n], *plan = plan_of(s, n);
	if (n->type == '5') {
		enter_dir(s, n);
		add(s, top, *e);
		return true;
	}
	for (size_t i = 0; n == s->idb && i < s->groups->n; i++)
		if (!add_idb(s, i, err))
			return false;
	if (plan != top && !add_dirs(s, plan, n->mtime, err))
		return false;
	if (n->type == '0' && n->body->links > 1)
		return add_shared(s, plan, n, err);
	add(s, plan, *e);
	return true;
}

static bool account_text(struct splitting *s, const char *path, struct str *ret, struct err *err)
{
	const struct tree_node *n = tree_find(s->t, str_of(path), true);
	return !n || n->type != '0' || tree_read(n, s->a, MAX_ACCOUNTS, ret, err);
}

static void map_packages(struct splitting *s)
{
	for (size_t i = 0; i < s->groups->n; i++)
		for (size_t k = 0; k < s->groups->v[i].n; k++)
			(void)map_put(&s->layer_of,
				key_of(s, s->groups->v[i].v[k]->file, NULL), &s->plans[i]);
}

static bool split(struct splitting *s, const struct export_plan *all, struct err *err)
{
	map_packages(s);
	if (!account_text(s, "etc/passwd", &s->ids.passwd, err) ||
		!account_text(s, "etc/group", &s->ids.group, err))
		return false;
	s->idb = tree_find(s->t, S(IDB), false);
	if (s->idb && s->idb->type != '0')
		s->idb = NULL;
	for (size_t i = 0; i < all->n; i++)
		if (!add_entry(s, &all->v[i], err))
			return false;
	for (size_t i = 0; i <= s->groups->n; i++)
		s->plans[i].size += TAR_END_SIZE;
	return true;
}

bool layer_split(struct tree *t, const struct layer_groups *groups, struct arena *a,
	struct layer_plans *ret, struct err *err)
{
	struct export_plan *all = arena_new(a, struct export_plan);
	if (!export_plan(t, NULL, a, all, err))
		return false;
	if (!groups) {
		*ret = (struct layer_plans){ all, 1 };
		return true;
	}
	struct splitting s = { .t = t, .a = a, .groups = groups, .header = BUF_INIT(64u << 20) };
	s.plans = arena_array(a, struct export_plan, groups->n + 1);
	s.last_dir = arena_array(a, size_t, groups->n + 1);
	map_init(&s.layer_of, a);
	map_init(&s.first, a);
	bool ok = split(&s, all, err);
	map_release(&s.first);
	map_release(&s.layer_of);
	buf_release(&s.header);
	if (ok)
		*ret = (struct layer_plans){ s.plans, groups->n + 1 };
	return ok;
}
