#include "apko/build/cpio.h"

#include <sys/stat.h>

#include "shared/base/map.h"

/* An inode of several names: all but the last are written without content. */
struct shared {
	uint32_t ino;
	unsigned links, written;
};
struct writing {
	struct sink *out;
	struct arena arena;
	struct map shared; /* address of a body to its struct shared */
	uint32_t inos;
};

static struct str address(struct tree_body *const *body)
{
	return str_n((const char *)body, sizeof(*body));
}

static void count_names(struct writing *w, const struct export_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct tree_node *n = plan->v[i].node;
		if (n->type != '0')
			continue;
		struct shared *s = map_get(&w->shared, address(&n->body));
		if (!s) {
			s = arena_new(&w->arena, struct shared);
			(void)map_put(&w->shared,
				str_n(arena_dup(&w->arena, &n->body, sizeof(n->body)),
					sizeof(n->body)),
				s);
		}
		s->links++;
	}
}

static mode_t kind_of(char type)
{
	switch (type) {
	case '2':
		return S_IFLNK;
	case '3':
		return S_IFCHR;
	case '4':
		return S_IFBLK;
	case '5':
		return S_IFDIR;
	case '6':
		return S_IFIFO;
	default:
		return S_IFREG;
	}
}

struct header {
	const struct tree_node *node;
	struct str name;
	uint32_t ino;
	unsigned links;
	uint64_t size;
};

static bool pad(struct writing *w, uint64_t n, struct err *err)
{
	return n % 4 == 0 || sink_write(w->out, "\0\0\0", 4 - n % 4, err);
}

static bool write_header(struct writing *w, const struct header *h, struct err *err)
{
	const struct tree_node *n = h->node;
	auto_buf struct buf b = BUF_INIT(64u << 10);
	uint32_t mode = n->type == '2' ? 0777 : n->mode;
	if (n->uid > UINT32_MAX || n->gid > UINT32_MAX || h->size > UINT32_MAX || n->mtime < 0 ||
		n->mtime > UINT32_MAX)
		return err_set(err, EK_OTHER,
			"'%.*s': size, owner or time is out of what a cpio archive can hold",
			STR_ARG(h->name));
	buf_printf(&b, "070701%08x%08x%08x%08x%08x%08x%08x", h->ino, kind_of(n->type) | mode,
		(unsigned)n->uid, (unsigned)n->gid, h->links, (unsigned)n->mtime,
		(unsigned)h->size);
	buf_printf(&b, "%08x%08x%08x%08x%08x%08x%.*s", 0u, 0u, n->major, n->minor,
		(unsigned)h->name.n + 1, 0u, STR_ARG(h->name));
	buf_addc(&b, '\0');
	return sink_write(w->out, b.p, b.n, err) && pad(w, b.n, err);
}

static bool write_entry(
	struct writing *w, const struct tree_node *n, struct str name, struct err *err)
{
	struct header h = {.node = n, .name = name, .links = n->type == '5' ? 2 : 1};
	struct shared *s = n->type == '0' ? map_get(&w->shared, address(&n->body)) : NULL;
	bool full = n->type == '0' && ++s->written == s->links;
	if (s)
		h.links = s->links;
	if (s && s->ino)
		h.ino = s->ino;
	else
		h.ino = ++w->inos;
	if (s)
		s->ino = h.ino;
	h.size = full ? n->body->size : n->type == '2' ? n->link.n : 0;
	if (!write_header(w, &h, err))
		return false;
	if (n->type == '2')
		return sink_write(w->out, n->link.p, n->link.n, err) && pad(w, n->link.n, err);
	return !full || (export_body(n->body, w->out, err) && pad(w, n->body->size, err));
}

static bool write_all(
	struct writing *w, struct tree *t, const struct export_plan *plan, struct err *err)
{
	const struct tree_node end = {.type = '0'};
	count_names(w, plan);
	if (!write_entry(w, t->root, S("."), err))
		return false;
	for (size_t i = 0; i < plan->n; i++)
		if (!write_entry(w, plan->v[i].node, tree_path(plan->v[i].node, &w->arena), err))
			return false;
	return write_header(
		w, &(struct header){.node = &end, .name = S("TRAILER!!!"), .links = 1}, err);
}

bool cpio_write(struct tree *t, const struct export_plan *plan, struct sink *out, struct err *err)
{
	struct writing w = {.out = out};
	map_init(&w.shared, &w.arena);
	bool ok = write_all(&w, t, plan, err);
	map_release(&w.shared);
	arena_release(&w.arena);
	return ok;
}
