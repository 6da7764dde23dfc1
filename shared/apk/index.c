#include "shared/apk/index.h"

#include <stdlib.h>
#include <string.h>
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/log.h"
#include "shared/base/map.h"
#include "shared/base/num.h"
#include "shared/crypto/digest.h"

#define MAX_INFLATED ((uint64_t)300 << 20)
#define MAX_LINE (1u << 20)
#define MAX_PACKAGES 2000000
#define MAX_DESCRIPTION (64u << 10)
#define GZIP_LEVEL 6

struct parse {
	struct str text;
	const char *name;	/* for messages */
	struct err *err;
	struct apk_pkg pkg;	/* the record being read */
	uint64_t seen;		/* its letters, one bit each */
	const char *record;	/* where it starts */
};

static bool fail_at(const struct parse *p, const char *at, const char *what, struct str value)
{
	size_t line = 1;
	const char *c = p->text.p;
	while ((c = memchr(c, '\n', (size_t)(at - c)))) {
		line++;
		c++;
	}
	if (value.n > 200)
		value.n = 200;
	return err_set(p->err, EK_PARSE, "%s:%zu: %s '%.*s'", p->name, line, what, STR_ARG(value));
}

static bool number(struct str s, uint64_t *ret)
{
	uint64_t n = 0;
	if (!s.n || s.n > 19)
		return num_u64(s, 10, ret);
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)((unsigned char)s.p[i] - '0');
		if (d > 9)
			return false;
		n = n * 10 + d;
	}
	*ret = n;
	return true;
}

static bool signed_number(struct str s, bool negative_too, int64_t *ret)
{
	bool minus = negative_too && str_skip(&s, S("-"));
	uint64_t n;
	if (!number(s, &n) || n > INT64_MAX)
		return false;
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

/* Fit for a file name: no '/', blank or control character. */
static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/' || s.p[i] == 0x7f)
			return false;
	return true;
}

/* What is wrong with the value, NULL if nothing. */
static const char *set_field(struct apk_pkg *p, char letter, struct str v)
{
	switch (letter) {
	case 'C':
		return apk_q_parse(v, p->checksum, &p->checksum_n) ? NULL : "malformed checksum";
	case 'P':
		p->name = v;
		return apk_name_ok(v) ? NULL : "bad package name";
	case 'V':
		p->version = v;
		return v.n && is_word(v) ? NULL : "bad version";
	case 'A':
		p->arch = v;
		return is_word(v) ? NULL : "bad architecture";
	case 'S':
		return number(v, &p->file_size) ? NULL : "cannot parse size field";
	case 'I':
		return number(v, &p->installed_size) ? NULL : "cannot parse installed size field";
	case 't':
		return signed_number(v, true, &p->build_time) ? NULL
							      : "cannot parse build time field";
	case 'k':
		return signed_number(v, false, &p->provider_priority)
			       ? NULL
			       : "cannot parse provider priority field";
	case 'T':
		p->desc = v;
		return NULL;
	case 'U':
		p->url = v;
		return NULL;
	case 'L':
		p->license = v;
		return NULL;
	case 'o':
		p->origin = v;
		return NULL;
	case 'm':
		p->maintainer = v;
		return NULL;
	case 'c':
		p->commit = v;
		return NULL;
	case 'D':
		p->depends = v;
		return NULL;
	case 'p':
		p->provides = v;
		return NULL;
	case 'r':
		p->replaces = v;
		return NULL;
	case 'i':
		p->install_if = v;
		return NULL;
	default:
		return NULL;
	}
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool parse_line(struct parse *p, const char *line, size_t n)
{
	if (n < 2 || line[1] != ':' || !is_letter(line[0]))
		return fail_at(p, line, "cannot parse line: expected \":\" not found:",
			str_n(line, n));
	if (n > MAX_LINE)
		return fail_at(p, line, "line is too long:", str_n(line, 2));
	uint64_t bit = (uint64_t)1 << (line[0] - 'A');
	if (p->seen & bit)
		return fail_at(p, line, "repeated field", str_n(line, 1));
	if (!p->seen)
		p->record = line;
	p->seen |= bit;
	const char *wrong = set_field(&p->pkg, line[0], str_n(line + 2, n - 2));
	return wrong ? fail_at(p, line, wrong, str_n(line + 2, n - 2)) : true;
}

/* The record is complete: nothing that it must have is missing. */
static bool check_record(const struct parse *p)
{
	if (!p->pkg.name.n)
		return fail_at(p, p->record, "record without field", S("P"));
	if (!p->pkg.version.n)
		return fail_at(p, p->record, "no version of", p->pkg.name);
	if (!p->pkg.checksum_n)
		return fail_at(p, p->record, "no checksum of", p->pkg.name);
	return true;
}

struct pkgs {
	struct apk_pkg *v;
	size_t n, cap;
};

static void push(struct pkgs *list, const struct apk_pkg *p, struct arena *a)
{
	if (list->n == list->cap) {
		struct apk_pkg *old = list->v;
		list->cap = list->cap * 2;
		list->v = arena_array(a, struct apk_pkg, list->cap);
		memcpy(list->v, old, list->n * sizeof(*old));
	}
	list->v[list->n] = *p;
	list->v[list->n].order = (uint32_t)list->n;
	list->n++;
}

static bool end_record(struct parse *p, struct apk_index *idx, struct pkgs *list, struct arena *a)
{
	if (!p->seen)
		return true;
	if (!check_record(p))
		return false;
	if (list->n == MAX_PACKAGES)
		return fail_at(p, p->record, "too many packages at", p->pkg.name);
	p->pkg.index = idx;
	push(list, &p->pkg, a);
	memset(&p->pkg, 0, sizeof(p->pkg));
	p->seen = 0;
	return true;
}

/* CR ends no line here, and a NUL would cut texts short wherever they are used as C strings. */
static bool check_bytes(const struct parse *p)
{
	const char *at = memchr(p->text.p, '\r', p->text.n);
	if (at)
		return fail_at(p, at, "carriage return in an index: lines must end in", S("\\n"));
	at = memchr(p->text.p, '\0', p->text.n);
	return at ? fail_at(p, at, "NUL in an index", STR_NONE) : true;
}

bool index_parse(struct str text, const char *name, struct arena *a, struct apk_index *ret,
	struct err *err)
{
	struct parse p = { .text = text, .name = name, .err = err };
	if (text.n && !check_bytes(&p))
		return false;
	/* records of real indexes are 350 to 550 bytes; untouched room costs nothing */
	struct pkgs list = { .cap = text.n / 300 + 16 };
	list.v = arena_array(a, struct apk_pkg, list.cap);
	const char *at = text.p, *end = text.n ? text.p + text.n : text.p;
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at);
		if (n ? !parse_line(&p, at, n) : !end_record(&p, ret, &list, a))
			return false;
		at += n + (nl != NULL);
	}
	if (!end_record(&p, ret, &list, a))
		return false;
	ret->pkgs = list.v;
	ret->n = list.n;
	return true;
}

struct members {
	struct str text, description;
	bool has_text;
};

/* The two members of an index archive; their contents are slices of the tar. */
static bool read_members(struct str tar, const char *name, struct arena *a, struct members *ret,
	struct err *err)
{
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	int more;
	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, name, a);
	while ((more = tar_next(&r, &e, err)) > 0) {
		struct str content = str_sub(tar, r.at, e.size);
		if (content.n != e.size)
			return err_set(err, EK_PARSE, "unexpected end of %s", name);
		if (str_is(e.name, "APKINDEX")) {
			if (ret->has_text)
				return err_set(err, EK_PARSE, "%s: two 'APKINDEX' members", name);
			ret->text = content;
			ret->has_text = true;
		} else if (str_is(e.name, "DESCRIPTION")) {
			ret->description = str_sub(content, 0, MAX_DESCRIPTION);
		} else {
			log_warn("%s: unexpected member '%.*s' ignored", name, STR_ARG(e.name));
		}
	}
	if (more < 0)
		return false;
	if (!ret->has_text)
		return err_set(err, EK_PARSE, "%s: no member 'APKINDEX'", name);
	return tar_finish(&r, err);
}

/* Appends every gzip member of `bytes`. */
static bool inflate_all(struct str bytes, const char *name, struct buf *out, struct err *err)
{
	while (bytes.n) {
		size_t n;
		if (!gz_inflate_member(bytes, name, out, &n, err))
			return false;
		bytes = str_from(bytes, n);
	}
	return true;
}

static bool first_name(struct str tar, const char *name, struct arena *a, struct str *ret,
	struct err *err)
{
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, name, a);
	int more = tar_next(&r, &e, err);
	if (more < 0)
		return false;
	*ret = more ? e.name : STR_NONE;
	return true;
}

/* The archive's tar in arena memory, of verified bytes only when there are keys to ask. */
static bool open_index(struct str bytes, const struct index_read_opts *o, struct arena *a,
	struct str *ret_tar, struct err *err)
{
	auto_buf struct buf tar = BUF_INIT(o->max_inflated ? o->max_inflated : MAX_INFLATED);
	size_t first;
	struct str name;
	if (!bytes.n)
		return err_set(err, EK_PARSE, "%s: unexpected end of file: it is empty", o->name);
	if (!gz_inflate_member(bytes, o->name, &tar, &first, err) ||
		!first_name(buf_str(&tar), o->name, a, &name, err))
		return false;
	struct str rest = str_from(bytes, first);
	if (str_starts(name, S(".SIGN."))) {
		struct apk_sig *sigs;
		size_t n;
		if (o->keys && (!apk_sigs_parse(buf_str(&tar), o->name, a, &sigs, &n, err) ||
				!keyring_verify(o->keys, sigs, n, rest, o->name, err)))
			return false;
		buf_clear(&tar);
	} else if (o->keys) {
		err_set(err, EK_TRUST,
			"%s: failed to find key name in signature file name: %.*s", o->name,
			STR_ARG(name));
		return err_hint(err, "the index is not signed: sign it with 'melange sign-index', or "
			"allow that with --ignore-signatures");
	}
	if (!inflate_all(rest, o->name, &tar, err))
		return false;
	*ret_tar = str_n(arena_dup(a, tar.p, tar.n), tar.n);
	return true;
}

bool index_read(struct str bytes, const struct index_read_opts *opts, struct arena *a,
	struct apk_index *ret, struct err *err)
{
	struct str tar;
	struct members m = { 0 };
	if (!open_index(bytes, opts, a, &tar, err) ||
		!read_members(tar, opts->name, a, &m, err) ||
		!index_parse(m.text, opts->name, a, ret, err))
		return false;
	ret->description = arena_str(a, m.description);
	digest_once(DIGEST_SHA256, bytes.p, bytes.n, ret->digest);
	return true;
}

static struct str merge_key(const struct apk_pkg *p, struct arena *a)
{
	return arena_strf(a, "%.*s %.*s %.*s", STR_ARG(p->name), STR_ARG(p->version),
		STR_ARG(p->arch));
}

void index_merge(struct apk_index *idx, const struct apk_pkg *pkgs, size_t n, struct arena *a)
{
	auto_map struct map at;
	map_init(&at, a);
	struct pkgs list = { .v = arena_array(a, struct apk_pkg, idx->n + n + 1),
		.cap = idx->n + n + 1 };
	for (size_t i = 0; i < idx->n + n; i++) {
		const struct apk_pkg *p = i < idx->n ? &idx->pkgs[i] : &pkgs[i - idx->n];
		struct str key = merge_key(p, a);
		struct apk_pkg *old = map_get(&at, key);
		if (!old) {
			(void)map_put(&at, key, &list.v[list.n]);
			push(&list, p, a);
			continue;
		}
		uint32_t order = old->order;
		*old = *p;
		old->order = order;
	}
	for (size_t i = 0; i < list.n; i++)
		list.v[i].index = idx;
	idx->pkgs = list.v;
	idx->n = list.n;
}

static void add_text(struct buf *out, char letter, struct str s)
{
	if (!s.n)
		return;
	buf_addc(out, letter);
	buf_addc(out, ':');
	buf_addstr(out, s);
	buf_addc(out, '\n');
}

static void add_number(struct buf *out, char letter, int64_t n)
{
	buf_printf(out, "%c:%lld\n", letter, (long long)n);
}

void index_record(const struct apk_pkg *p, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str q = apk_pkg_q(p, &a);
	buf_printf(out, "C:%.*s\nP:%.*s\nV:%.*s\n", STR_ARG(q), STR_ARG(p->name),
		STR_ARG(p->version));
	add_text(out, 'A', p->arch);
	if (p->file_size)
		buf_printf(out, "S:%llu\n", (unsigned long long)p->file_size);
	if (p->installed_size)
		buf_printf(out, "I:%llu\n", (unsigned long long)p->installed_size);
	buf_printf(out, "T:%.*s\n", STR_ARG(p->desc));
	add_text(out, 'U', p->url);
	add_text(out, 'L', p->license);
	add_text(out, 'o', p->origin);
	add_text(out, 'm', p->maintainer);
	add_number(out, 't', p->build_time);
	add_text(out, 'c', p->commit);
	add_text(out, 'D', p->depends);
	add_text(out, 'i', p->install_if);
	add_text(out, 'p', p->provides);
	if (p->provider_priority)
		add_number(out, 'k', p->provider_priority);
	buf_addc(out, '\n');
}

static bool add_member(struct buf *tar, struct str name, struct str content, struct err *err)
{
	struct tar_entry e = { .name = name, .type = '0', .mode = 0644, .size = content.n };
	if (!tar_header(&e, tar, err))
		return false;
	buf_addstr(tar, content);
	buf_addzero(tar, tar_padding(content.n));
	return true;
}

bool index_sign(struct str bytes, const struct sigkey *key, const char *key_path,
	struct buf *out, struct err *err)
{
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, bytes.p, bytes.n, md);
	if (!apk_sign_member(key, key_path, md, 0, out, err))
		return false;
	buf_addstr(out, bytes);
	return true;
}

bool index_write(const struct apk_index *idx, const struct sigkey *key, const char *key_path,
	struct buf *out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_INFLATED);
	auto_buf struct buf tar = BUF_INIT(MAX_INFLATED + (1u << 20));
	auto_buf struct buf gz = BUF_INIT(MAX_INFLATED + (1u << 20));
	for (size_t i = 0; i < idx->n; i++)
		index_record(&idx->pkgs[i], &text);
	if (!add_member(&tar, S("APKINDEX"), buf_str(&text), err) ||
		!add_member(&tar, S("DESCRIPTION"), idx->description, err))
		return false;
	buf_addzero(&tar, TAR_END_SIZE);
	if (text.over || tar.over)
		return err_set(err, EK_OTHER, "the index of %zu packages is too large", idx->n);
	if (!gz_deflate(buf_str(&tar), GZIP_LEVEL, key ? &gz : out, err))
		return false;
	return key ? index_sign(buf_str(&gz), key, key_path, out, err) : true;
}
