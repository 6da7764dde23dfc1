#include "melange/inspect/pkgdiff.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "shared/archive/tar.h"
#include "shared/base/map.h"
#include "shared/crypto/digest.h"
#include "shared/os/fd.h"
#include "shared/text/udiff.h"

#define MAX_TEXT (256u << 20)	/* of a file whose lines are compared */
#define CHUNK (256u << 10)

/* Both sides of one name; empty is not there. */
struct sides {
	struct str what[2];	/* "0 0644 0:0 SHA-256 ..." */
	struct str text[2];	/* of those whose lines are compared */
};
struct diffing {
	struct arena arena;
	struct map names;	/* to struct sides */
	const char *paths[2];
	struct buf *out;
	int side;
	char *chunk;	/* CHUNK bytes to read into */
};

static struct sides *sides_of(struct diffing *d, struct str name)
{
	struct sides *s = map_get(&d->names, name);
	if (!s) {
		s = arena_new(&d->arena, struct sides);
		(void)map_put(&d->names, arena_str(&d->arena, name), s);
	}
	return s;
}

static struct str hex_of(struct diffing *d, const uint8_t md[SHA256_SIZE])
{
	char *hex = arena_alloc(&d->arena, 2 * SHA256_SIZE + 1);
	hex_encode(md, SHA256_SIZE, hex);
	return str_of(hex);
}

static struct str sum_of(struct diffing *d, struct str bytes)
{
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, bytes.p, bytes.n, md);
	return hex_of(d, md);
}

/* SHA-256 of a part of an open file. */
static bool sum_range(struct diffing *d, int fd, const char *name, uint64_t from, uint64_t n,
	struct str *ret, struct err *err)
{
	auto_digest struct digest md = { 0 };
	uint8_t sum[SHA256_SIZE];
	digest_init(&md, DIGEST_SHA256);
	while (n) {
		size_t part = n < CHUNK ? (size_t)n : CHUNK;
		if (!fd_pread_all(fd, d->chunk, part, (off_t)from, name, err))
			return false;
		digest_add(&md, d->chunk, part);
		from += part;
		n -= part;
	}
	digest_final(&md, sum);
	*ret = hex_of(d, sum);
	return true;
}

static bool add_control(struct diffing *d, const struct pkgfile *f, struct err *err)
{
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	int more;
	mem_source_init(&src, f->file.control);
	tar_reader_init(&r, &src.src, d->paths[d->side], &d->arena);
	while ((more = tar_next(&r, &e, err)) > 0) {
		struct str bytes = str_sub(f->file.control, (size_t)r.at, (size_t)e.size);
		struct sides *s = sides_of(d, e.name);
		s->what[d->side] = arena_strf(&d->arena, "%c %04o %" PRId64 ":%" PRId64 " %.*s", e.type,
			e.mode, e.uid, e.gid, STR_ARG(sum_of(d, bytes)));
		if (str_is(e.name, ".PKGINFO") || str_is(e.name, ".melange.yaml"))
			s->text[d->side] = bytes;
	}
	return more == 0;
}

static struct str xattr_sum(struct diffing *d, const struct tree_node *n)
{
	auto_buf struct buf b = BUF_INIT(MAX_TEXT);
	for (size_t i = 0; i < n->n_xattrs; i++)
		buf_printf(&b, "%.*s=%.*s\n", STR_ARG(n->xattrs[i].name),
			STR_ARG(sum_of(d, n->xattrs[i].val)));
	return n->n_xattrs ? sum_of(d, buf_str(&b)) : S("-");
}

static bool add_node(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct diffing *d = user;
	struct sides *s = sides_of(d, path);
	struct str content = n->type == '2' ? n->link : S("-");
	const struct tree_body *b = n->body;
	if (n->type == '0' && b->blob &&
		!sum_range(d, b->blob->fd, b->blob->name, b->off, b->size, &content, err))
		return false;
	s->what[d->side] = arena_strf(&d->arena,
		"%c %04o %" PRId64 ":%" PRId64 " %" PRId64 " %u,%u %.*s %.*s", n->type, n->mode, n->uid,
		n->gid, n->mtime, n->major, n->minor, STR_ARG(xattr_sum(d, n)), STR_ARG(content));
	bool sbom = n->type == '0' && str_starts(path, S("var/lib/db/sbom/"));
	return !sbom || tree_read(n, &d->arena, MAX_TEXT, &s->text[d->side], err);
}

static bool add_side(struct diffing *d, int side, const struct pkgfile *f, struct err *err)
{
	d->side = side;
	return add_control(d, f, err) && tree_walk((struct tree *)&f->tree, add_node, d, err);
}

static void report(struct diffing *d, struct str name, const struct sides *s)
{
	if (str_eq(s->what[0], s->what[1]))
		return;
	if (!s->what[0].n || !s->what[1].n) {
		bool added = !s->what[0].n;
		buf_printf(d->out, "%s: %.*s (%.*s)\n", added ? "added" : "removed", STR_ARG(name),
			STR_ARG(s->what[added]));
		return;
	}
	buf_printf(d->out, "changed: %.*s (%.*s -> %.*s)\n", STR_ARG(name), STR_ARG(s->what[0]),
		STR_ARG(s->what[1]));
	udiff(arena_printf(&d->arena, "%s:%.*s", d->paths[0], STR_ARG(name)), s->text[0],
		arena_printf(&d->arena, "%s:%.*s", d->paths[1], STR_ARG(name)), s->text[1], d->out);
}

/* Of the control and data sections as they are packed. */
static bool sections_sum(struct diffing *d, const struct pkgfile *f, const char *path,
	struct str *ret, struct err *err)
{
	const struct apk_range *c = &f->file.control_range, *data = &f->file.data_range;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	return sum_range(d, fd, path, c->start, data->end + 1 - c->start, ret, err);
}

static bool compare(struct diffing *d, const struct pkgfile *old, const struct pkgfile *new,
	struct err *err)
{
	struct str sums[2];
	if (!add_side(d, 0, old, err) || !add_side(d, 1, new, err) ||
		!sections_sum(d, old, d->paths[0], &sums[0], err) ||
		!sections_sum(d, new, d->paths[1], &sums[1], err))
		return false;
	for (struct map_entry *e = map_first(&d->names); e; e = map_next(e))
		report(d, map_key(e), map_val(e));
	if (!str_eq(sums[0], sums[1]))
		buf_printf(d->out, "changed: control and data sections (%.*s -> %.*s)\n",
			STR_ARG(sums[0]), STR_ARG(sums[1]));
	return true;
}

bool pkgdiff(const struct pkgfile *old, const char *old_path, const struct pkgfile *new,
	const char *new_path, struct buf *out, struct err *err)
{
	struct diffing d = { .arena = ARENA_INIT, .paths = { old_path, new_path }, .out = out };
	map_init(&d.names, &d.arena);
	d.chunk = arena_alloc(&d.arena, CHUNK);
	bool ok = compare(&d, old, new, err);
	map_release(&d.names);
	arena_release(&d.arena);
	return ok;
}
