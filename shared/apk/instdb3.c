#include "shared/apk/instdb.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>

/* Records of v3 packages, as apk-tools writes them. */

struct row {
	struct str dir, base;	/* base empty: the directory itself */
	size_t i;
};

static int cmp_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = str_cmp(x->dir, y->dir);

	return c ? c : str_cmp(x->base, y->base);
}

static struct row row_of(const struct apk_entry *e, size_t i)
{
	long slash = str_rchr(e->name, '/');

	if (e->type == '5')
		return (struct row){ e->name, STR_NONE, i };
	return (struct row){ str_sub(e->name, 0, slash < 0 ? 0 : (size_t)slash),
		str_from(e->name, (size_t)(slash + 1)), i };
}

static int cmp_xattrs(const void *a, const void *b)
{
	const struct tree_xattr *x = *(const struct tree_xattr *const *)a;
	const struct tree_xattr *y = *(const struct tree_xattr *const *)b;

	return str_cmp(x->name, y->name);
}

static void add_counted(struct digest *d, struct str s)
{
	uint32_t n = htobe32((uint32_t)s.n);

	digest_add(d, &n, sizeof(n));
	digest_add(d, s.p, s.n);
}

/* ":Q1..." over names and values in the order of names. */
static void add_xattr_hash(const struct apk_entry *e, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_digest struct digest d = { 0 };
	const struct tree_xattr **v = arena_array(&a, const struct tree_xattr *, e->n_xattrs + 1);
	uint8_t md[SHA1_SIZE];

	if (!e->n_xattrs)
		return;
	for (size_t i = 0; i < e->n_xattrs; i++)
		v[i] = &e->xattrs[i];
	qsort(v, e->n_xattrs, sizeof(v[0]), cmp_xattrs);
	digest_init(&d, DIGEST_SHA1);
	for (size_t i = 0; i < e->n_xattrs; i++) {
		add_counted(&d, v[i]->name);
		add_counted(&d, v[i]->val);
	}
	digest_final(&d, md);
	buf_printf(out, ":Q1%s", base64_encode(&a, md, sizeof(md)));
}

static void add_acl(const struct apk_entry *e, const struct owners *who, char letter,
	uint32_t plain, struct buf *out)
{
	int64_t uid = owners_user(who, e->uname), gid = owners_group(who, e->gname);

	if (uid == 0 && gid == 0 && e->mode == plain && !e->n_xattrs)
		return;
	buf_printf(out, "%c:%" PRId64 ":%" PRId64 ":%o", letter, uid, gid, e->mode);
	add_xattr_hash(e, out);
	buf_addc(out, '\n');
}

static void add_file(const struct apk_file *f, const struct row *r, const struct owners *who,
	struct buf *out)
{
	const struct apk_entry *e = &f->entries[r->i];
	auto_arena struct arena a = ARENA_INIT;

	buf_printf(out, "R:%.*s\n", STR_ARG(r->base));
	add_acl(e, who, 'a', 0644, out);
	if (e->type <= '2')
		buf_printf(out, "Z:Q1%s\n", base64_encode(&a, f->sums[r->i], SHA1_SIZE));
}

static void add_entries(const struct apk_file *f, const bool *kept, const struct owners *who,
	struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	struct row *rows = arena_array(&a, struct row, f->n_entries + 1);
	struct str dir = STR_NONE;
	bool open = false;
	size_t n = 0;

	for (size_t i = 0; i < f->n_entries; i++)
		if (kept[i])
			rows[n++] = row_of(&f->entries[i], i);
	if (n)
		qsort(rows, n, sizeof(rows[0]), cmp_rows);
	for (size_t i = 0; i < n; i++) {
		const struct apk_entry *e = &f->entries[rows[i].i];
		if (!open || !str_eq(dir, rows[i].dir))
			buf_printf(out, "F:%.*s\n", STR_ARG(rows[i].dir));
		open = true;
		dir = rows[i].dir;
		if (e->type == '5')
			add_acl(e, who, 'M', 0755, out);
		else
			add_file(f, &rows[i], who, out);
	}
}

static void add_line(struct buf *out, const char *letter, struct str value)
{
	buf_printf(out, "%s%.*s\n", letter, STR_ARG(value));
}

static void add_text(struct buf *out, const char *letter, struct str value)
{
	if (value.n)
		add_line(out, letter, value);
}

static void add_number(struct buf *out, const char *letter, int64_t n)
{
	if (n)
		buf_printf(out, "%s%" PRId64 "\n", letter, n);
}

static void add_info(const struct apk_pkg *p, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;

	add_line(out, "C:", apk_pkg_q(p, &a));
	add_line(out, "P:", p->name);
	add_line(out, "V:", p->version);
	add_text(out, "A:", p->arch);
	buf_printf(out, "S:%" PRIu64 "\nI:%" PRIu64 "\n", p->file_size, p->installed_size);
	add_line(out, "T:", p->desc);
	add_line(out, "U:", p->url);
	add_line(out, "L:", p->license);
	add_text(out, "o:", p->origin);
	add_text(out, "m:", p->maintainer);
	add_number(out, "t:", p->build_time);
	add_text(out, "c:", p->commit);
	add_number(out, "k:", p->provider_priority);
	add_text(out, "D:", p->depends);
	add_text(out, "p:", p->provides);
	add_text(out, "i:", p->install_if);
	add_text(out, "g:", p->tags);
	add_text(out, "r:", p->replaces);
	add_number(out, "q:", p->replaces_priority);
}

void instdb_record_v3(const struct apk_file *f, const bool *kept, const struct owners *who,
	struct buf *out)
{
	bool files = false;

	add_info(&f->info, out);
	for (size_t i = 0; i < f->n_entries; i++)
		files = files || f->entries[i].type <= '2';
	if (files)
		buf_adds(out, "f:S\n");
	add_entries(f, kept, who, out);
	buf_addc(out, '\n');
}
