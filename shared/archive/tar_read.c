#include "shared/archive/tar.h"

#include <string.h>
#include "shared/archive/ustar.h"
#include "shared/base/num.h"
#include "shared/os/path.h"

#define RECORDS_MAX 256
#define SPECIAL_MAX (1 << 20) /* of pax records and long names of one entry */

int32_t ustar_sum(const struct ustar *h)
{
	const unsigned char *p = (const unsigned char *)h;
	int32_t sum = 0;
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	for (size_t i = 0; i < sizeof(h->chksum); i++)
		sum += ' ' - (unsigned char)h->chksum[i];
	return sum;
}

/* Some old writers summed signed bytes. */
static int32_t ustar_signed_sum(const struct ustar *h)
{
	const signed char *p = (const signed char *)h;
	int32_t sum = ustar_sum(h);
	for (size_t i = 0; i < sizeof(*h); i++) {
		bool in_sum = (const char *)&p[i] >= h->chksum &&
			      (const char *)&p[i] < h->chksum + sizeof(h->chksum);
		if (p[i] < 0 && !in_sum)
			sum -= 256;
	}
	return sum;
}

/* What has been gathered in front of an entry's own header. */
struct ahead {
	struct str name, link; /* GNU long names */
	struct tar_paxes pax;
	size_t special; /* bytes so far, global headers included */
	bool pending;   /* something that needs an entry to follow */
};

void tar_reader_init(
	struct tar_reader *r, struct source *from, const char *name, struct arena *arena)
{
	*r = (struct tar_reader){.from = from, .name = name, .arena = arena};
}

static bool fail_at(const struct tar_reader *r, const char *what, struct err *err)
{
	return err_set(err, EK_PARSE, "'%s': %s near byte %llu of the archive", r->name, what,
		(unsigned long long)r->at);
}

static struct str field(const char *p, size_t n)
{
	return str_n(p, strnlen(p, n));
}
#define FIELD(a) field((a), sizeof(a))

/* Big-endian two's complement after the marking bit. */
static bool parse_base256(const char *p, size_t n, int64_t *ret_v)
{
	const unsigned char *u = (const unsigned char *)p;
	bool negative = u[0] & 0x40;
	unsigned char fill = negative ? 0xff : 0;
	uint64_t v = negative ? UINT64_MAX : 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = i ? u[i] : (unsigned char)((u[0] & 0x7f) | (fill & 0x80));
		if (n - i > 8 && byte != fill)
			return false;
		v = v << 8 | byte;
	}
	if ((v >> 63 != 0) != negative)
		return false;
	*ret_v = (int64_t)v;
	return true;
}

static bool parse_number(const char *p, size_t n, int64_t *ret_v)
{
	if (p[0] & 0x80)
		return parse_base256(p, n, ret_v);
	size_t i = 0;
	int64_t v = 0;
	while (i < n && p[i] == ' ')
		i++;
	/* 12 digits of 3 bits cannot overflow */
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (p[i] - '0');
	for (; i < n; i++)
		if (p[i] != ' ' && p[i] != '\0')
			return false;
	*ret_v = v;
	return true;
}
#define PARSE(a, ret) parse_number((a), sizeof(a), (ret))

/* 1: a header; 0: the archive is over, by end blocks or without; -1: err set. */
static int read_header(struct tar_reader *r, struct ustar *h, struct err *err)
{
	static const struct ustar zero;
	for (unsigned zeros = 0;; zeros++) {
		ssize_t got = source_read(r->from, h, sizeof(*h), err);
		if (got < 0)
			return -1;
		if (got == 0)
			return 0;
		if (!source_read_full(
			    r->from, (char *)h + got, sizeof(*h) - (size_t)got, r->name, err))
			return -1;
		r->at += sizeof(*h);
		if (memcmp(h, &zero, sizeof(zero)) != 0) {
			if (!zeros)
				return 1;
			fail_at(r, "lone zero block", err);
			return -1;
		}
		if (zeros) {
			r->ended = true;
			return 0;
		}
	}
}

static bool check_header(struct tar_reader *r, const struct ustar *h, struct err *err)
{
	static const char none[sizeof(h->magic)];
	int64_t sum;
	if (!PARSE(h->chksum, &sum) || (sum != ustar_sum(h) && sum != ustar_signed_sum(h)))
		return fail_at(r, "wrong header checksum", err);
	if (memcmp(h->magic, USTAR_MAGIC, sizeof(h->magic)) != 0 &&
		memcmp(h->magic, GNU_MAGIC, sizeof(h->magic)) != 0 &&
		memcmp(h->magic, none, sizeof(none)) != 0)
		return fail_at(r, "unknown kind of header", err);
	return true;
}

/* Content of a special entry, in the arena. */
static bool read_special(struct tar_reader *r, const struct ustar *h, struct ahead *ahead,
	struct str *ret_body, struct err *err)
{
	int64_t size;
	if (!PARSE(h->size, &size) || size < 0)
		return fail_at(r, "impossible size", err);
	if (size > SPECIAL_MAX || ahead->special + (size_t)size > SPECIAL_MAX)
		return fail_at(r, "more than 1 MiB of records", err);
	ahead->special += (size_t)size + sizeof(*h);
	char *p = arena_alloc(r->arena, (size_t)size + 1);
	unsigned pad = tar_padding((uint64_t)size);
	if (!source_read_full(r->from, p, (size_t)size, r->name, err) ||
		!source_skip(r->from, pad, r->name, err))
		return false;
	r->at += (uint64_t)size + pad;
	*ret_body = str_n(p, (size_t)size);
	return true;
}

static bool long_name(struct tar_reader *r, struct str body, struct str *ret_name, struct err *err)
{
	struct str name = field(body.p, body.n);
	for (size_t i = name.n; i < body.n; i++)
		if (body.p[i])
			return fail_at(r, "NUL in a long name", err);
	*ret_name = name;
	return true;
}

/* Takes "LEN KEY=VALUE\n" off `rest`. */
static bool next_record(struct str *rest, struct tar_pax *ret_rec)
{
	struct str digits, tail;
	uint64_t len;
	if (!str_cut(str_sub(*rest, 0, 20), ' ', &digits, &tail) || !num_u64(digits, 10, &len))
		return false;
	if (len > rest->n || len < digits.n + 4 || rest->p[len - 1] != '\n')
		return false;
	struct str body = str_sub(*rest, digits.n + 1, (size_t)len - digits.n - 2);
	if (!str_cut(body, '=', &ret_rec->key, &ret_rec->val) || !ret_rec->key.n)
		return false;
	*rest = str_from(*rest, (size_t)len);
	return true;
}

static bool pax_records(
	struct tar_reader *r, struct str body, struct tar_paxes *list, struct err *err)
{
	while (body.n) {
		struct tar_pax rec;
		if (!next_record(&body, &rec))
			return fail_at(r, "malformed pax record", err);
		if (list->n == RECORDS_MAX)
			return fail_at(r, "more than 256 pax records", err);
		vec_push(r->arena, list, rec);
	}
	return true;
}

/* Comments and the like may pass; what would change the meaning of entries may not. */
static bool check_global(struct tar_reader *r, struct str body, struct err *err)
{
	struct tar_paxes list = {0};
	if (!pax_records(r, body, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		if (ustar_key_known(list.v[i].key) && !str_is(list.v[i].key, "mtime"))
			return fail_at(r, "global pax record that changes entries", err);
	return true;
}

/* 1: h was special and is dealt with; 0: h is an entry's own; -1: err set. */
static int take_special(
	struct tar_reader *r, const struct ustar *h, struct ahead *ahead, struct err *err)
{
	struct str body;
	if (!memchr("xgLK", h->typeflag, 4))
		return 0;
	bool ok = read_special(r, h, ahead, &body, err);
	if (ok && h->typeflag == 'x')
		ok = pax_records(r, body, &ahead->pax, err);
	else if (ok && h->typeflag == 'g')
		ok = check_global(r, body, err);
	else if (ok)
		ok = long_name(r, body, h->typeflag == 'L' ? &ahead->name : &ahead->link, err);
	return ok ? 1 : -1;
}

static void fill_names(struct tar_reader *r, const struct ustar *h, struct tar_entry *e)
{
	bool posix = memcmp(h->magic, USTAR_MAGIC, sizeof(h->magic)) == 0;
	struct str name = FIELD(h->name), prefix = FIELD(h->prefix);
	if (posix && prefix.n)
		e->name = arena_strf(r->arena, "%.*s/%.*s", STR_ARG(prefix), STR_ARG(name));
	else
		e->name = arena_str(r->arena, name);
	if (e->type == '1' || e->type == '2')
		e->link = arena_str(r->arena, FIELD(h->linkname));
	if (h->magic[0]) {
		e->uname = arena_str(r->arena, FIELD(h->uname));
		e->gname = arena_str(r->arena, FIELD(h->gname));
	}
}

static bool fill_numbers(
	struct tar_reader *r, const struct ustar *h, struct tar_entry *e, struct err *err)
{
	int64_t mode, size, major = 0, minor = 0;
	bool ok = PARSE(h->mode, &mode) && PARSE(h->uid, &e->uid) && PARSE(h->gid, &e->gid) &&
		  PARSE(h->size, &size) && PARSE(h->mtime, &e->mtime);
	if (ok && (e->type == '3' || e->type == '4') && h->magic[0])
		ok = PARSE(h->devmajor, &major) && PARSE(h->devminor, &minor);
	if (!ok || mode < 0 || size < 0 || e->uid < 0 || e->gid < 0 || major < 0 || minor < 0 ||
		major > UINT32_MAX || minor > UINT32_MAX)
		return fail_at(r, "impossible number in a header", err);
	e->mode = (uint32_t)mode & 07777;
	e->size = (uint64_t)size;
	e->major = (uint32_t)major;
	e->minor = (uint32_t)minor;
	return true;
}

static bool fill_type(
	struct tar_reader *r, const struct ustar *h, struct tar_entry *e, struct err *err)
{
	e->type = h->typeflag;
	if (e->type == '\0')
		e->type = str_ends(FIELD(h->name), S("/")) ? '5' : '0';
	else if (e->type == '7')
		e->type = '0';
	if (e->type < '0' || e->type > '6')
		return fail_at(r, "entry of an unknown type", err);
	return true;
}

static bool parse_mtime(struct str s, int64_t *ret_t)
{
	struct str whole, frac;
	int64_t t;
	if (str_cut(s, '.', &whole, &frac))
		for (size_t i = 0; i < frac.n; i++)
			if (frac.p[i] < '0' || frac.p[i] > '9')
				return false;
	if (!num_i64(whole, &t) || t == INT64_MAX || t == INT64_MIN)
		return false;
	/* half goes up, which below zero means towards it */
	bool negative = whole.n && whole.p[0] == '-';
	bool away = frac.n && frac.p[0] >= (negative ? '6' : '5');
	for (size_t i = 1; negative && i < frac.n && frac.p[0] == '5'; i++)
		away |= frac.p[i] != '0';
	if (away)
		t += negative ? -1 : 1;
	*ret_t = t;
	return true;
}

static bool set_text(struct str *to, struct str val)
{
	if (memchr(val.p, '\0', val.n))
		return false;
	*to = val;
	return true;
}

static bool set_size(struct str val, uint64_t *ret_n)
{
	uint64_t n;
	if (!num_u64(val, 10, &n) || n > INT64_MAX)
		return false;
	*ret_n = n;
	return true;
}

static bool set_id(struct str val, int64_t *ret_n)
{
	uint64_t n;
	if (!set_size(val, &n))
		return false;
	*ret_n = (int64_t)n;
	return true;
}

static const char *const known_keys[] = {
	"path",
	"linkpath",
	"size",
	"uid",
	"gid",
	"uname",
	"gname",
	"mtime",
};

bool ustar_key_known(struct str key)
{
	for (size_t i = 0; i < countof(known_keys); i++)
		if (str_is(key, known_keys[i]))
			return true;
	return false;
}

static bool apply_known(struct tar_entry *e, struct str key, struct str val)
{
	if (!val.n) /* an empty value leaves the header's */
		return true;
	if (str_is(key, "path"))
		return set_text(&e->name, val);
	if (str_is(key, "linkpath"))
		return (e->type != '1' && e->type != '2') || set_text(&e->link, val);
	if (str_is(key, "size"))
		return set_size(val, &e->size);
	if (str_is(key, "uid"))
		return set_id(val, &e->uid);
	if (str_is(key, "gid"))
		return set_id(val, &e->gid);
	if (str_is(key, "uname"))
		return set_text(&e->uname, val);
	if (str_is(key, "gname"))
		return set_text(&e->gname, val);
	return parse_mtime(val, &e->mtime);
}

static bool apply_pax(
	struct tar_reader *r, const struct ahead *ahead, struct tar_entry *e, struct err *err)
{
	if (ahead->name.n)
		e->name = ahead->name;
	if (ahead->link.n && (e->type == '1' || e->type == '2'))
		e->link = ahead->link;
	for (size_t i = 0; i < ahead->pax.n; i++) {
		const struct tar_pax *rec = &ahead->pax.v[i];
		if (str_starts(rec->key, S("GNU.sparse.")))
			return fail_at(r, "sparse file", err);
		if (!ustar_key_known(rec->key))
			vec_push(r->arena, &e->pax, *rec);
		else if (!apply_known(e, rec->key, rec->val))
			return fail_at(r, "impossible value in a pax record", err);
	}
	return true;
}

static bool skip_rest(struct tar_reader *r, struct err *err)
{
	if (!source_skip(r->from, r->left, r->name, err) ||
		!source_skip(r->from, r->pad, r->name, err))
		return false;
	r->at += r->left + r->pad;
	r->left = r->pad = 0;
	return true;
}

static int next_entry(struct tar_reader *r, struct tar_entry *e, struct err *err)
{
	struct ahead ahead = {0};
	struct ustar h;
	if (!skip_rest(r, err))
		return -1;
	for (;;) {
		int got = read_header(r, &h, err);
		if (got == 0 && ahead.pending) {
			fail_at(r, "records without an entry", err);
			return -1;
		}
		if (got <= 0)
			return got;
		if (!check_header(r, &h, err))
			return -1;
		got = take_special(r, &h, &ahead, err);
		if (got < 0)
			return -1;
		if (!got)
			break;
		ahead.pending |= h.typeflag != 'g';
	}
	if (!fill_type(r, &h, e, err) || !fill_numbers(r, &h, e, err))
		return -1;
	fill_names(r, &h, e);
	if (!apply_pax(r, &ahead, e, err))
		return -1;
	if (e->size && e->type != '0') {
		fail_at(r, "content where there can be none", err);
		return -1;
	}
	r->left = e->size;
	r->pad = tar_padding(e->size);
	return 1;
}

int tar_next(struct tar_reader *r, struct tar_entry *ret_entry, struct err *err)
{
	struct tar_entry e = {0};
	if (r->ended)
		return 0;
	if (r->failed) {
		err_set(err, EK_PARSE, "reading '%s' failed before", r->name);
		return -1;
	}
	int got = next_entry(r, &e, err);
	r->failed = got < 0;
	if (got > 0)
		*ret_entry = e;
	return got;
}

ssize_t tar_read(struct tar_reader *r, void *p, size_t n, struct err *err)
{
	if (r->failed) {
		err_set(err, EK_PARSE, "reading '%s' failed before", r->name);
		return -1;
	}
	if (!r->left)
		return 0;
	if (n > r->left)
		n = (size_t)r->left;
	ssize_t got = source_read(r->from, p, n, err);
	if (got == 0)
		err_set(err, EK_PARSE, "unexpected end of '%s'", r->name);
	if (got <= 0) {
		r->failed = true;
		return -1;
	}
	r->left -= (uint64_t)got;
	r->at += (uint64_t)got;
	return got;
}

bool tar_finish(struct tar_reader *r, struct err *err)
{
	char block[4096];
	for (;;) {
		ssize_t got = source_read(r->from, block, sizeof(block), err);
		if (got <= 0)
			return got == 0;
		for (ssize_t i = 0; i < got; i++)
			if (block[i])
				return fail_at(r, "data after the end of the archive", err);
		r->at += (uint64_t)got;
	}
}

bool tar_name_ok(struct str stored, struct str *ret_name)
{
	str_skip(&stored, S("./"));
	str_chop(&stored, S("/"));
	if (!path_is_safe(stored))
		return false;
	*ret_name = stored;
	return true;
}
