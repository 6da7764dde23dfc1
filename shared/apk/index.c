#include "shared/apk/index.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/apk/adbindex.h"
#include "shared/apk/pack.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/log.h"
#include "shared/base/num.h"
#include "shared/base/vec.h"
#include "shared/crypto/digest.h"
#include "shared/os/fd.h"

#define MAX_INFLATED ((uint64_t)300 << 20)
#define MAX_LINE (1u << 20)
#define MAX_PACKAGES 2000000
#define MAX_FILE ((size_t)256 << 20)
#define CHUNK ((size_t)64 << 10)

struct parse {
	struct str text;
	const char *name;	/* for messages */
	struct err *err;
	struct apk_pkg pkg;	/* the record being read */
	uint64_t seen;		/* its letters, one bit each */
	const char *record;	/* where it starts */
	size_t n;		/* records before it */
	void (*take)(void *ctx, const struct apk_pkg *p, struct str record);
	void *ctx;
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

static bool end_record(struct parse *p, const char *end)
{
	if (!p->seen)
		return true;
	if (!check_record(p))
		return false;
	if (p->n++ == MAX_PACKAGES)
		return fail_at(p, p->record, "too many packages at", p->pkg.name);
	p->take(p->ctx, &p->pkg, str_n(p->record, (size_t)(end - p->record)));
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

static bool parse_text(struct parse *p)
{
	const char *at = p->text.p, *end = p->text.n ? p->text.p + p->text.n : p->text.p;
	if (p->text.n && !check_bytes(p))
		return false;
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at);
		if (n ? !parse_line(p, at, n) : !end_record(p, at))
			return false;
		at += n + (nl != NULL);
	}
	return end_record(p, at);
}

struct pkgs {
	struct apk_pkg *v;
	size_t n, cap;
	const struct apk_index *idx;
	struct arena *a;
};

static void push(void *ctx, const struct apk_pkg *p, struct str record)
{
	struct pkgs *list = ctx;
	(void)record;
	vec_push(list->a, list, *p);
	list->v[list->n - 1].order = (uint32_t)list->n - 1;
	list->v[list->n - 1].index = list->idx;
}

bool index_parse(struct str text, const char *name, struct arena *a, struct apk_index *ret,
	struct err *err)
{
	/* records of real indexes are 350 to 550 bytes; untouched room costs nothing */
	struct pkgs list = { .cap = text.n / 300 + 16, .idx = ret, .a = a };
	struct parse p = { .text = text, .name = name, .err = err, .take = push, .ctx = &list };
	list.v = arena_array(a, struct apk_pkg, list.cap);
	if (!parse_text(&p))
		return false;
	ret->pkgs = list.v;
	ret->n = list.n;
	return true;
}

static void pack_one(void *ctx, const struct apk_pkg *p, struct str record)
{
	pack_add(ctx, p, record);
}

/* text must live as long as the arena. */
static const struct pack *pack_text(struct str text, struct str description, const char *name,
	struct arena *a, struct err *err)
{
	struct parse p = { .text = text, .name = name, .err = err, .take = pack_one };
	struct pack_build *b = pack_begin(text);
	p.ctx = b;
	if (parse_text(&p))
		return pack_end(b, description, a, err);
	pack_abort(b);
	return NULL;
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
			struct str rest; /* behind a NUL would be what only v3 has */
			(void)str_cut(content, '\0', &content, &rest);
			ret->description = str_sub(content, 0, INDEX_MAX_DESCRIPTION);
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

/* An index file, in memory or by descriptor. */
struct index_file {
	const struct index_read_opts *o;
	struct str bytes;	/* all, or the beginning */
	int fd;			/* -1: bytes are all */
	size_t first;		/* bytes of the first member */
};

static bool digest_stream(int fd, size_t at, const char *name, enum digest_alg alg,
	uint8_t *ret_md, struct err *err)
{
	auto_digest struct digest d = { 0 };
	auto_buf struct buf b = BUF_INIT(CHUNK);
	char *p = buf_room(&b, CHUNK);
	digest_init(&d, alg);
	for (;;) {
		ssize_t n = pread(fd, p, CHUNK, (off_t)at);
		if (n < 0)
			return err_sys(err, "cannot read '%s'", name);
		if (!n)
			break;
		digest_add(&d, p, (size_t)n);
		at += (size_t)n;
	}
	digest_final(&d, ret_md);
	return true;
}

/* Of all behind the first member. */
static bool digest_rest(void *ctx, enum digest_alg alg, uint8_t *ret_md, struct err *err)
{
	const struct index_file *s = ctx;
	if (s->fd >= 0)
		return digest_stream(s->fd, s->first, s->o->name, alg, ret_md, err);
	struct str rest = str_from(s->bytes, s->first);
	digest_once(alg, rest.p, rest.n, ret_md);
	return true;
}

static bool digest_all(struct index_file *s, uint8_t *ret_md, struct err *err)
{
	size_t first = s->first;
	s->first = 0;
	bool ok = digest_rest(s, DIGEST_SHA256, ret_md, err);
	s->first = first;
	return ok;
}

/* What a verified signature says of the file is its identity. */
static void identify(const struct apk_verified *v, uint8_t ret_digest[SHA256_SIZE])
{
	auto_digest struct digest d = { 0 };
	const char kind[] = "signed index", alg = (char)v->alg;
	digest_init(&d, DIGEST_SHA256);
	digest_add(&d, kind, sizeof(kind));
	digest_add(&d, &alg, 1);
	digest_add(&d, v->md, digest_size(v->alg));
	digest_final(&d, ret_digest);
}

static bool verify_signed(struct index_file *s, struct str tar, struct arena *a,
	uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	struct apk_sig *sigs;
	struct apk_verified v;
	size_t n;
	if (!apk_sigs_parse(tar, s->o->name, a, &sigs, &n, err) ||
		!keyring_verify_digest(s->o->keys, sigs, n, digest_rest, s, s->o->name, &v, err))
		return false;
	identify(&v, ret_digest);
	return true;
}

/* Verifies the signature, when there are keys to ask. *ret_at is where the archive begins. */
static bool verify(struct index_file *s, struct arena *a, size_t *ret_at,
	uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	const struct index_read_opts *o = s->o;
	auto_buf struct buf tar = BUF_INIT(o->max_inflated ? o->max_inflated : MAX_INFLATED);
	struct str name;
	if (!s->bytes.n)
		return err_set(err, EK_PARSE, "%s: unexpected end of file: it is empty", o->name);
	if (!gz_inflate_member(s->bytes, o->name, &tar, &s->first, err) ||
		!first_name(buf_str(&tar), o->name, a, &name, err))
		return false;
	bool is_signed = str_starts(name, S(".SIGN."));
	*ret_at = is_signed ? s->first : 0;
	if (!o->keys)
		return digest_all(s, ret_digest, err);
	if (is_signed)
		return verify_signed(s, buf_str(&tar), a, ret_digest, err);
	(void)err_set(err, EK_TRUST, "%s: failed to find key name in signature file name: %.*s",
		o->name, STR_ARG(name));
	return err_hint(err, "the index is not signed: sign it with 'melange sign-index', or "
		"allow that with --ignore-signatures");
}

static void free_text(void *p)
{
	free(p);
}

/* The archive's members; their texts live as long as the arena. */
static bool unpack_index(struct str bytes, const struct index_read_opts *o, struct arena *a,
	struct members *ret, struct err *err)
{
	auto_buf struct buf tar = BUF_INIT(o->max_inflated ? o->max_inflated : MAX_INFLATED);
	if (!inflate_all(bytes, o->name, &tar, err))
		return false;
	struct str text = buf_str(&tar);
	arena_on_release(a, free_text, buf_steal(&tar));
	return read_members(text, o->name, a, ret, err);
}

/* Verified text of an index of either format. */
static bool read_text(struct str bytes, const struct index_read_opts *o, struct arena *a,
	struct members *ret, uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	struct index_file s = { .o = o, .bytes = bytes, .fd = -1 };
	auto_arena struct arena scratch = ARENA_INIT;
	struct adb_head h;
	size_t at;
	if (adb_index_is(bytes))
		return adb_index_open(bytes, o, &scratch, &h, ret_digest, err) &&
		       adb_index_text(&h, o, a, &ret->text, &ret->description, err);
	return verify(&s, a, &at, ret_digest, err) &&
	       unpack_index(str_from(bytes, at), o, a, ret, err);
}

static void describe(struct apk_index *idx, struct str description)
{
	(void)str_cut(description, '\0', &idx->description, &idx->pkgname_spec);
}

bool index_read(struct str bytes, const struct index_read_opts *opts, struct arena *a,
	struct apk_index *ret, struct err *err)
{
	struct members m = { 0 };
	uint8_t digest[SHA256_SIZE];
	if (!read_text(bytes, opts, a, &m, digest, err) ||
		!index_parse(m.text, opts->name, a, ret, err))
		return false;
	describe(ret, arena_str(a, m.description));
	memcpy(ret->digest, digest, sizeof(digest));
	return true;
}

struct apk_made {
	struct arena arena;
	struct apk_pkg *v[];
};

static void free_made(void *p)
{
	struct apk_made *m = p;
	arena_release(&m->arena);
	free(m);
}

/* A record that was read without complaint before. */
static void read_record(struct str record, struct apk_pkg *ret)
{
	struct str line;
	while (str_next(&record, '\n', &line))
		if (line.n > 1)
			(void)set_field(ret, line.p[0], str_from(line, 2));
}

const struct apk_pkg *apk_index_pkg(const struct apk_index *idx, size_t i)
{
	if (idx->pkgs)
		return &idx->pkgs[i];
	struct apk_pkg **at = &idx->made->v[i];
	if (*at)
		return *at;
	*at = arena_new(&idx->made->arena, struct apk_pkg);
	if (pack_pkg_ok(idx->pack, (uint32_t)i) && pack_record_ok(idx->pack, (uint32_t)i))
		read_record(pack_str(idx->pack, idx->pack->pkgs[i].record), *at);
	else
		(*at)->unusable = "its cached record is damaged";
	(*at)->index = idx;
	(*at)->order = (uint32_t)i;
	return *at;
}

static void use_pack(struct apk_index *idx, const struct pack *k, struct arena *a)
{
	idx->pack = k;
	idx->n = k->n_pkgs;
	describe(idx, pack_str(k, k->description));
	/* untouched room costs nothing */
	idx->made = calloc(1, sizeof(*idx->made) + k->n_pkgs * sizeof(struct apk_pkg *));
	if (!idx->made)
		BUG("out of memory");
	arena_on_release(a, free_made, idx->made);
}

/* What the limit would not let in is not taken from the cache. */
static bool within(const struct pack *k, const struct index_read_opts *o)
{
	return k && k->text_n <= (o->max_inflated ? o->max_inflated : MAX_INFLATED);
}

/* With the beginning of the file, the digest of the rest and a pack nothing else is needed. What
 * is wrong with the file is for build_pack to say. */
static const struct pack *open_pack(int fd, const struct index_read_opts *o, struct store *store,
	struct arena *a, uint8_t ret_digest[SHA256_SIZE])
{
	auto_buf struct buf head = BUF_INIT(CHUNK);
	auto_err struct err ignored = ERR_INIT;
	size_t at;
	ssize_t n = pread(fd, buf_room(&head, CHUNK), CHUNK, 0);
	struct index_file s = { .o = o, .bytes = str_n(head.p, n < 0 ? 0 : (size_t)n), .fd = fd };
	if (!verify(&s, a, &at, ret_digest, &ignored))
		return NULL;
	const struct pack *k = pack_open(store, ret_digest, a);
	return within(k, o) ? k : NULL;
}

static const struct pack *make_pack(const struct members *m, const struct index_read_opts *o,
	struct store *store, struct arena *a, const uint8_t digest[SHA256_SIZE], struct err *err)
{
	auto_err struct err unsaved = ERR_INIT;
	const struct pack *k = pack_text(m->text, m->description, o->name, a, err);
	if (k && store && !pack_save(k, store, digest, &unsaved))
		log_debug("%s: not cached: %s", o->name, unsaved.msg);
	return k;
}

/* The signature of a v3 index is over inflated bytes, so that nothing of it can be left unread. */
static const struct pack *v3_pack(struct str bytes, const struct index_read_opts *o,
	struct store *store, struct arena *a, uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct members m = { 0 };
	struct adb_head h;
	if (!adb_index_open(bytes, o, &scratch, &h, ret_digest, err))
		return NULL;
	const struct pack *k = store ? pack_open(store, ret_digest, a) : NULL;
	if (within(k, o))
		return k;
	if (!adb_index_text(&h, o, a, &m.text, &m.description, err))
		return NULL;
	return make_pack(&m, o, store, a, ret_digest, err);
}

static const struct pack *build_pack(int fd, const struct index_read_opts *o, struct store *store,
	struct arena *a, uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(MAX_FILE);
	struct members m = { 0 };
	if (lseek(fd, 0, SEEK_SET) < 0 || !fd_read_all(fd, o->name, &bytes, err))
		return NULL;
	if (adb_index_is(buf_str(&bytes)))
		return v3_pack(buf_str(&bytes), o, store, a, ret_digest, err);
	if (!read_text(buf_str(&bytes), o, a, &m, ret_digest, err))
		return NULL;
	buf_release(&bytes);
	return make_pack(&m, o, store, a, ret_digest, err);
}

static bool is_v3(int fd)
{
	char magic[4];
	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       adb_index_is(str_n(magic, sizeof(magic)));
}

bool index_open(int fd, const struct index_read_opts *opts, struct store *store, struct arena *a,
	struct apk_index *ret, struct err *err)
{
	const struct pack *k = NULL;
	if (store && !is_v3(fd))
		k = open_pack(fd, opts, store, a, ret->digest);
	if (!k)
		k = build_pack(fd, opts, store, a, ret->digest, err);
	if (!k)
		return false;
	use_pack(ret, k, a);
	return true;
}

bool index_open_verified(const uint8_t digest[32], struct store *store, struct arena *a,
	struct apk_index *ret)
{
	const struct pack *k = pack_open(store, digest, a);
	if (!k)
		return false;
	memcpy(ret->digest, digest, sizeof(ret->digest));
	use_pack(ret, k, a);
	return true;
}
