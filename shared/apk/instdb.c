#include "shared/apk/instdb.h"

#include <stdlib.h>

/* Entries in the order of the record: files of a directory by name, then its subdirectories. */
struct row {
	struct str dir, base;
	const struct apk_entry *e;
};

static int cmp_paths(struct str a, struct str b)
{
	struct str x, y;
	bool more_a = a.n > 0, more_b = b.n > 0;
	if (!more_a || !more_b)
		return more_a - more_b;
	for (;;) {
		bool got_a = str_next(&a, '/', &x), got_b = str_next(&b, '/', &y);
		if (!got_a || !got_b)
			return got_a - got_b;
		int c = str_cmp(x, y);
		if (c)
			return c;
	}
}

/* A directory's own row comes before its files. */
static int cmp_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = cmp_paths(x->dir, y->dir);
	return c ? c : str_cmp(x->base, y->base);
}

static struct row row_of(const struct apk_entry *e)
{
	long slash = str_rchr(e->name, '/');
	if (e->type == '5')
		return (struct row){ e->name, STR_NONE, e };
	return (struct row){ str_sub(e->name, 0, slash < 0 ? 0 : (size_t)slash),
		str_from(e->name, (size_t)(slash + 1)), e };
}

static void add_acl(const struct apk_entry *e, char letter, uint32_t plain, struct buf *out)
{
	uint32_t mode = e->type == '2' ? 0777 : e->mode & 07777;
	if (e->uid != 0 || e->gid != 0 || mode != plain)
		buf_printf(out, "%c:%lld:%lld:%04o\n", letter, (long long)e->uid, (long long)e->gid,
			mode);
}

static void add_file(const struct row *r, struct buf *out)
{
	buf_printf(out, "R:%.*s\n", STR_ARG(r->base));
	add_acl(r->e, 'a', 0644, out);
	/* packages record no checksum of hard links, so apko's database has none */
	if (!r->e->has_sha1 || r->e->type == '1')
		return;
	auto_arena struct arena a = ARENA_INIT;
	buf_printf(out, "Z:Q1%s\n", base64_encode(&a, r->e->sha1, SHA1_SIZE));
}

static void add_entries(const struct apk_file *f, const bool *kept, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	struct row *rows = arena_array(&a, struct row, f->n_entries + 1);
	size_t n = 0;
	for (size_t i = 0; i < f->n_entries; i++)
		if (kept[i])
			rows[n++] = row_of(&f->entries[i]);
	if (n)
		qsort(rows, n, sizeof(rows[0]), cmp_rows);
	struct str dir = STR_NONE;
	bool open = false;
	for (size_t i = 0; i < n; i++) {
		if (!open || !str_eq(dir, rows[i].dir)) {
			dir = rows[i].dir;
			open = true;
			buf_printf(out, "F:%.*s\n", STR_ARG(dir));
			if (rows[i].e->type == '5')
				add_acl(rows[i].e, 'M', 0755, out);
		}
		if (rows[i].e->type != '5')
			add_file(&rows[i], out);
	}
}

static void add_line(struct buf *out, char letter, struct str value)
{
	buf_printf(out, "%c:%.*s\n", letter, STR_ARG(value));
}

void instdb_record(const struct apk_file *f, const bool *kept, struct buf *out)
{
	const struct apk_pkg *p = &f->info;
	auto_arena struct arena a = ARENA_INIT;
	add_line(out, 'P', p->name);
	add_line(out, 'V', p->version);
	add_line(out, 'A', p->arch);
	add_line(out, 'L', p->license);
	add_line(out, 'T', p->desc);
	add_line(out, 'o', p->origin);
	add_line(out, 'm', p->maintainer);
	add_line(out, 'U', p->url);
	add_line(out, 'D', p->depends);
	add_line(out, 'p', p->provides);
	if (p->replaces.n)
		add_line(out, 'r', p->replaces);
	add_line(out, 'c', p->commit);
	buf_printf(out, "i:[%.*s]\n", STR_ARG(p->install_if));
	buf_printf(out, "t:%lld\n", (long long)p->build_time);
	buf_printf(out, "S:%llu\n", (unsigned long long)(f->data_range.end + 1));
	buf_printf(out, "I:%llu\n", (unsigned long long)p->installed_size);
	buf_printf(out, "k:%lld\n", (long long)p->provider_priority);
	struct str q = apk_pkg_q(p, &a);
	if (q.n)
		add_line(out, 'C', q);
	add_entries(f, kept, out);
	buf_addc(out, '\n');
}
