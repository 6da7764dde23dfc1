#include "shared/apk/enttab.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "shared/os/path.h"

#define TABLE_MAGIC "apkent\0\1"	/* the last byte is the version */
#define TABLE_MAX ((size_t)512 << 20)
#define XATTR_PREFIX "SCHILY.xattr."

struct head {
	char magic[8];
	uint32_t check;		/* CRC-32 of everything behind it */
	uint32_t data_crc;
	struct enttab_stamp stamp;
	uint64_t n, n_xattrs, n_strings;
};

/* No padding: the bytes of a table depend on its content only. */
struct rec {
	uint64_t size, off;
	int64_t mtime;
	uint32_t uid, gid;
	uint32_t name, name_n, link, link_n;
	uint32_t uname, uname_n, gname, gname_n;
	uint32_t xattr, xattr_n;
	uint32_t mode, major, minor;
	uint8_t sha1[20];
	uint8_t type, has_sha1, zero[6];
};
struct xrec {
	uint32_t name, name_n, val, val_n;
};

_Static_assert(sizeof(struct head) == 72, "padding in struct head");
_Static_assert(sizeof(struct rec) == 112, "padding in struct rec");

/* Writing */

void enttab_init(struct enttab *t)
{
	*t = (struct enttab){ 0 };
	buf_init(&t->recs, TABLE_MAX);
	buf_init(&t->xattrs, TABLE_MAX);
	buf_init(&t->strings, TABLE_MAX);
}

void enttab_release(struct enttab *t)
{
	buf_release(&t->recs);
	buf_release(&t->xattrs);
	buf_release(&t->strings);
}

bool enttab_over(const struct enttab *t)
{
	return t->recs.over || t->xattrs.over || t->strings.over;
}

static uint32_t add_text(struct enttab *t, struct str s)
{
	uint32_t at = (uint32_t)t->strings.n;

	buf_addstr(&t->strings, s);
	buf_addc(&t->strings, 0);
	return at;
}

/* Owners repeat from entry to entry. */
static uint32_t add_owner(struct enttab *t, struct str s, struct str *last, uint32_t *last_at)
{
	if (last->n != s.n || s.n == 0 || memcmp(t->strings.p + *last_at, s.p, s.n) != 0) {
		*last_at = add_text(t, s);
		last->n = s.n;
	}
	return *last_at;
}

static uint32_t add_xattrs(struct enttab *t, const struct tar_paxes *pax)
{
	uint32_t n = 0;

	for (size_t i = 0; i < pax->n; i++) {
		struct str key = pax->v[i].key, val = pax->v[i].val;
		if (!str_skip(&key, S(XATTR_PREFIX)))
			continue;
		struct xrec x = { .name_n = (uint32_t)key.n, .val_n = (uint32_t)val.n };
		x.name = add_text(t, key);
		x.val = add_text(t, val);
		buf_add(&t->xattrs, &x, sizeof(x));
		n++;
	}
	return n;
}

void enttab_add(struct enttab *t, const struct apk_entry *e, const struct tar_paxes *pax)
{
	struct rec r = {
		.size = e->size, .off = e->off, .mtime = e->mtime,
		.uid = (uint32_t)e->uid, .gid = (uint32_t)e->gid,
		.name_n = (uint32_t)e->name.n, .link_n = (uint32_t)e->link.n,
		.uname_n = (uint32_t)e->uname.n, .gname_n = (uint32_t)e->gname.n,
		.mode = e->mode, .major = e->major, .minor = e->minor,
		.type = (uint8_t)e->type, .has_sha1 = e->has_sha1,
		.xattr = (uint32_t)t->n_xattrs,
	};

	r.name = add_text(t, e->name);
	r.link = add_text(t, e->link);
	r.uname = add_owner(t, e->uname, &t->uname, &t->uname_at);
	r.gname = add_owner(t, e->gname, &t->gname, &t->gname_at);
	r.xattr_n = add_xattrs(t, pax);
	memcpy(r.sha1, e->sha1, sizeof(r.sha1));
	buf_add(&t->recs, &r, sizeof(r));
	t->n_xattrs += r.xattr_n;
	t->n++;
}

static uint32_t check_of(const char *bytes, size_t n)
{
	size_t from = offsetof(struct head, data_crc);

	return libdeflate_crc32(0, bytes + from, n - from);
}

void enttab_write(const struct enttab *t, const struct enttab_stamp *stamp, uint32_t crc,
	struct buf *out)
{
	struct head h = {
		.magic = TABLE_MAGIC, .data_crc = crc, .stamp = *stamp,
		.n = t->n, .n_xattrs = t->n_xattrs, .n_strings = t->strings.n,
	};

	buf_clear(out);
	buf_add(out, &h, sizeof(h));
	buf_addstr(out, buf_str(&t->recs));
	buf_addstr(out, buf_str(&t->xattrs));
	buf_addstr(out, buf_str(&t->strings));
	h.check = check_of(out->p, out->n);
	memcpy(out->p, &h, sizeof(h));
}

void enttab_restamp(char *bytes, size_t n, const struct enttab_stamp *stamp)
{
	struct head h;

	memcpy(&h, bytes, sizeof(h));
	h.stamp = *stamp;
	memcpy(bytes, &h, sizeof(h));
	h.check = check_of(bytes, n);
	memcpy(bytes, &h, sizeof(h));
}

/* Reading */

struct loader {
	struct str strings;
	struct str xattrs;
	uint64_t n_xattrs, data_size;
	struct tree_xattr *all;
};

static bool text(const struct loader *l, uint32_t at, uint32_t n, struct str *ret)
{
	if (at >= l->strings.n || n >= l->strings.n - at || l->strings.p[at + n] != 0)
		return false;
	*ret = str_n(l->strings.p + at, n);
	return true;
}

static bool load_xattrs(struct loader *l, struct arena *a)
{
	l->all = arena_array(a, struct tree_xattr, l->n_xattrs + 1);
	for (size_t i = 0; i < l->n_xattrs; i++) {
		struct xrec x;
		memcpy(&x, l->xattrs.p + i * sizeof(x), sizeof(x));
		if (!text(l, x.name, x.name_n, &l->all[i].name) ||
		    !text(l, x.val, x.val_n, &l->all[i].val))
			return false;
	}
	return true;
}

static bool load_entry(const struct loader *l, const struct rec *r, struct apk_entry *e)
{
	if (!r->type || !strchr("0123456", r->type) || r->off > l->data_size ||
	    r->size > l->data_size - r->off || r->xattr > l->n_xattrs ||
	    r->xattr_n > l->n_xattrs - r->xattr)
		return false;
	*e = (struct apk_entry){
		.type = (char)r->type, .has_sha1 = r->has_sha1 != 0, .mode = r->mode,
		.uid = r->uid, .gid = r->gid, .mtime = r->mtime,
		.size = r->size, .off = r->off, .major = r->major, .minor = r->minor,
		.n_xattrs = r->xattr_n,
	};
	e->xattrs = r->xattr_n ? l->all + r->xattr : NULL;
	memcpy(e->sha1, r->sha1, sizeof(e->sha1));
	return text(l, r->name, r->name_n, &e->name) && text(l, r->link, r->link_n, &e->link) &&
		text(l, r->uname, r->uname_n, &e->uname) &&
		text(l, r->gname, r->gname_n, &e->gname) && path_is_safe(e->name);
}

static bool load_head(struct str bytes, struct head *h)
{
	if (bytes.n < sizeof(*h))
		return false;
	memcpy(h, bytes.p, sizeof(*h));
	if (memcmp(h->magic, TABLE_MAGIC, sizeof(h->magic)) != 0 ||
	    h->check != check_of(bytes.p, bytes.n))
		return false;
	size_t left = bytes.n - sizeof(*h);
	if (h->n > left / sizeof(struct rec))
		return false;
	left -= h->n * sizeof(struct rec);
	if (h->n_xattrs > left / sizeof(struct xrec))
		return false;
	left -= h->n_xattrs * sizeof(struct xrec);
	return h->n_strings == left;
}

bool enttab_load(struct str bytes, struct arena *a, struct enttab_loaded *ret)
{
	struct head h;

	if (!load_head(bytes, &h))
		return false;
	const char *recs = bytes.p + sizeof(h), *xattrs = recs + h.n * sizeof(struct rec);
	size_t xattr_bytes = h.n_xattrs * sizeof(struct xrec);
	struct loader l = {
		.xattrs = str_n(xattrs, xattr_bytes),
		.strings = str_n(xattrs + xattr_bytes, h.n_strings),
		.n_xattrs = h.n_xattrs,
		.data_size = h.stamp.size,
	};
	struct apk_entry *entries = arena_array(a, struct apk_entry, h.n + 1);
	if (!load_xattrs(&l, a))
		return false;
	for (size_t i = 0; i < h.n; i++) {
		struct rec r;
		memcpy(&r, recs + i * sizeof(r), sizeof(r));
		if (!load_entry(&l, &r, &entries[i]))
			return false;
	}
	*ret = (struct enttab_loaded){
		.entries = entries, .n = h.n, .stamp = h.stamp, .crc = h.data_crc,
	};
	return true;
}
