#include "shared/archive/tar.h"

#include <stdlib.h>
#include <string.h>
#include "shared/archive/ustar.h"
#include "shared/os/path.h"

#define NAME_SIZE 100
#define PREFIX_SIZE 155
#define OCTAL7 07777777 /* what 7 digits hold; 8-byte fields end in NUL */
#define OCTAL11 077777777777

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* Copies the ASCII bytes of s, at most n; returns how many s has. */
static size_t put_ascii(char *to, size_t n, struct str s)
{
	size_t len = 0;
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			continue;
		if (len < n)
			to[len] = s.p[i];
		len++;
	}
	return len;
}

/* A text cut at the field's end must not end in a slash there: readers of the plain header would
 * take a file for a directory. */
static void put_text(char *to, size_t n, struct str s)
{
	if (put_ascii(to, n, s) <= n || to[n - 1] != '/')
		return;
	size_t end = n;
	while (end && to[end - 1] == '/')
		end--;
	to[end] = '\0';
}

static void put_octal(char *to, size_t n, int64_t value, int64_t max)
{
	if (value < 0 || value > max)
		value = 0;
	to[n - 1] = '\0';
	for (size_t i = n - 1; i > 0; i--, value >>= 3)
		to[i - 1] = (char)('0' + (value & 7));
}

static void put_checksum(struct ustar *h)
{
	memset(h->chksum, ' ', sizeof(h->chksum));
	put_octal(h->chksum, 7, ustar_sum(h), OCTAL7);
}

/* Where a long name is cut in two for the ustar header: the prefix's length, 0 for nowhere. */
static size_t split_at(struct str name)
{
	if (name.n <= NAME_SIZE || !is_ascii(name))
		return 0;
	size_t n = name.n;
	if (n > PREFIX_SIZE + 1)
		n = PREFIX_SIZE + 1;
	else if (name.p[n - 1] == '/')
		n--;
	long slash = str_rchr(str_sub(name, 0, n), '/');
	if (slash <= 0)
		return 0;
	size_t rest = name.n - (size_t)slash - 1;
	return rest && rest <= NAME_SIZE ? (size_t)slash : 0;
}

struct records {
	struct arena *arena;
	struct tar_paxes list;
};

static void add_record(struct records *r, const char *key, struct str val)
{
	vec_push(r->arena, &r->list, (struct tar_pax){str_of(key), val});
}

static void add_text(struct records *r, const char *key, struct str val, size_t max)
{
	if (val.n > max || !is_ascii(val))
		add_record(r, key, val);
}

static void add_number(struct records *r, const char *key, int64_t val, int64_t max)
{
	if (val < 0 || val > max)
		add_record(r, key, arena_strf(r->arena, "%lld", (long long)val));
}

/* The records the encoding needs; the path's only counts where the name cannot be split. */
static void own_records(const struct tar_entry *e, struct records *r)
{
	add_text(r, "path", e->name, NAME_SIZE);
	add_text(r, "linkpath", e->link, NAME_SIZE);
	add_text(r, "uname", e->uname, sizeof(((struct ustar *)0)->uname));
	add_text(r, "gname", e->gname, sizeof(((struct ustar *)0)->gname));
	add_number(r, "uid", e->uid, OCTAL7);
	add_number(r, "gid", e->gid, OCTAL7);
	add_number(r, "size", (int64_t)e->size, OCTAL11);
	add_number(r, "mtime", e->mtime, OCTAL11);
}

static int record_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct tar_pax *)a)->key, ((const struct tar_pax *)b)->key);
}

static bool has_nul(struct str s)
{
	return s.n && memchr(s.p, '\0', s.n);
}

static bool check_records(const struct tar_entry *e, struct err *err)
{
	for (size_t i = 0; i < e->pax.n; i++) {
		struct str key = e->pax.v[i].key;
		if (!key.n || has_nul(key) || str_chr(key, '=') >= 0 || ustar_key_known(key))
			return err_set(err, EK_OTHER,
				"tar entry '%.*s': '%.*s' cannot be the key of a record",
				STR_ARG(e->name), STR_ARG(key));
	}
	return true;
}

static bool check_entry(const struct tar_entry *e, struct err *err)
{
	const char *what = NULL;
	if (!e->name.n || has_nul(e->name))
		what = "its name is empty or holds a NUL";
	else if (e->type < '0' || e->type > '6')
		what = "its type cannot be stored";
	else if (has_nul(e->link) || has_nul(e->uname) || has_nul(e->gname))
		what = "a text of it holds a NUL";
	else if (e->mode > 07777)
		what = "its mode holds more than permissions";
	else if (e->uid < 0 || e->gid < 0)
		what = "its owner is negative";
	else if (e->size > INT64_MAX || (e->size && e->type != '0'))
		what = "its size is impossible";
	else if (e->major > OCTAL7 || e->minor > OCTAL7)
		what = "its device number is too large";
	if (what)
		return err_set(err, EK_OTHER, "cannot store '%.*s' in a tar archive: %s",
			STR_ARG(e->name), what);
	return check_records(e, err);
}

static void put_record(struct buf *out, const struct tar_pax *rec)
{
	/* blank, equals sign and newline; then the length counts its own digits */
	size_t body = rec->key.n + rec->val.n + 3, digits = 1, power = 10;
	while (body + digits >= power) {
		digits++;
		power *= 10;
	}
	buf_printf(out, "%zu ", body + digits);
	buf_addstr(out, rec->key);
	buf_addc(out, '=');
	buf_addstr(out, rec->val);
	buf_addc(out, '\n');
}

static struct str pax_name(struct str name, struct arena *a)
{
	struct str dir = path_dir(name);
	struct str base = str_from(name, (size_t)(str_rchr(name, '/') + 1));
	struct str rest = arena_strf(a, "PaxHeaders.0/%.*s", STR_ARG(base));
	if (path_is_safe(dir) && !str_is(base, ".") && !str_is(base, ".."))
		return arena_strf(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(rest));
	/* dir of "/x" is empty for path_dir, and "/" here */
	if (name.p[0] == '/' && !dir.n)
		dir = S("/");
	return dir.n ? path_join(a, dir, rest) : path_clean(a, rest);
}

static void put_pax_header(struct buf *out, struct str name, const struct records *r)
{
	size_t at = out->n;
	buf_addzero(out, sizeof(struct ustar));
	for (size_t i = 0; i < r->list.n; i++)
		put_record(out, &r->list.v[i]);
	if (out->over)
		return;
	size_t size = out->n - at - sizeof(struct ustar);
	buf_addzero(out, tar_padding(size));
	if (out->over)
		return;

	struct ustar h = {.typeflag = 'x'};
	size_t n = put_ascii(h.name, sizeof(h.name), pax_name(name, r->arena));
	if (n > sizeof(h.name))
		n = sizeof(h.name);
	while (n && h.name[n - 1] == '/')
		h.name[--n] = '\0';
	put_octal(h.mode, sizeof(h.mode), 0, OCTAL7);
	put_octal(h.uid, sizeof(h.uid), 0, OCTAL7);
	put_octal(h.gid, sizeof(h.gid), 0, OCTAL7);
	put_octal(h.size, sizeof(h.size), (int64_t)size, OCTAL11);
	put_octal(h.mtime, sizeof(h.mtime), 0, OCTAL11);
	memcpy(h.magic, USTAR_MAGIC, sizeof(h.magic));
	put_checksum(&h);
	memcpy(out->p + at, &h, sizeof(h));
}

static void put_main_header(struct buf *out, const struct tar_entry *e, size_t split)
{
	struct ustar h = {.typeflag = e->type};
	put_text(h.prefix, sizeof(h.prefix), str_sub(e->name, 0, split));
	put_text(h.name, sizeof(h.name), split ? str_from(e->name, split + 1) : e->name);
	put_text(h.linkname, sizeof(h.linkname), e->link);
	put_text(h.uname, sizeof(h.uname), e->uname);
	put_text(h.gname, sizeof(h.gname), e->gname);
	put_octal(h.mode, sizeof(h.mode), e->mode, OCTAL7);
	put_octal(h.uid, sizeof(h.uid), e->uid, OCTAL7);
	put_octal(h.gid, sizeof(h.gid), e->gid, OCTAL7);
	put_octal(h.size, sizeof(h.size), (int64_t)e->size, OCTAL11);
	put_octal(h.mtime, sizeof(h.mtime), e->mtime, OCTAL11);
	put_octal(h.devmajor, sizeof(h.devmajor), e->major, OCTAL7);
	put_octal(h.devminor, sizeof(h.devminor), e->minor, OCTAL7);
	memcpy(h.magic, USTAR_MAGIC, sizeof(h.magic));
	put_checksum(&h);
	buf_add(out, &h, sizeof(h));
}

bool tar_header(const struct tar_entry *e, struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct records r = {.arena = &a};
	size_t at = out->n, split = split_at(e->name);
	if (!check_entry(e, err))
		return false;
	own_records(e, &r);
	if (!e->pax.n && r.list.n == (split ? 1 : 0)) {
		put_main_header(out, e, split);
	} else {
		for (size_t i = 0; i < e->pax.n; i++)
			vec_push(&a, &r.list, e->pax.v[i]);
		qsort(r.list.v, r.list.n, sizeof(r.list.v[0]), record_cmp);
		put_pax_header(out, e->name, &r);
		put_main_header(out, e, 0);
	}
	if (!out->over)
		return true;
	out->n = at;
	return err_set(err, EK_OTHER, "tar entry '%.*s': no room for its header", STR_ARG(e->name));
}
