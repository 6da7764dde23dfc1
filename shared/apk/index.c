#include "shared/apk/index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/apk/adbindex.h"
#include "shared/apk/index_int.h"
#include "shared/apk/stamp.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/ids.h"
#include "shared/base/log.h"
#include "shared/base/vec.h"
#include "shared/crypto/digest.h"
#include "shared/os/fd.h"

#define MAX_INFLATED ((uint64_t)300 << 20)
#define MAX_FILE ((size_t)256 << 20)

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
	*ret = more ? arena_str(a, e.name) : STR_NONE;
	return true;
}

/* An index file: its signature section is what `first` bytes hold, 0 when it has none. */
struct index_file {
	const struct index_read_opts *o;
	struct str bytes;
	size_t first;
	struct str head;	/* the tar of the first member, and the name of its first entry */
	struct str name;
};

/* Of all behind the signature section. */
static bool digest_rest(void *ctx, enum digest_alg alg, uint8_t *ret_md, struct err *err)
{
	const struct index_file *s = ctx;
	struct str rest = str_from(s->bytes, s->first);
	(void)err;
	digest_once(alg, rest.p, rest.n, ret_md);
	return true;
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

static bool look(struct str bytes, const struct index_read_opts *o, struct arena *a,
	struct index_file *ret, struct err *err)
{
	auto_buf struct buf tar = BUF_INIT(o->max_inflated ? o->max_inflated : MAX_INFLATED);
	*ret = (struct index_file){ .o = o, .bytes = bytes };
	if (!bytes.n)
		return err_set(err, EK_PARSE, "%s: unexpected end of file: it is empty", o->name);
	if (!gz_inflate_member(bytes, o->name, &tar, &ret->first, err) ||
		!first_name(buf_str(&tar), o->name, a, &ret->name, err))
		return false;
	if (str_starts(ret->name, S(".SIGN.")))
		ret->head = arena_str(a, buf_str(&tar));
	else
		ret->first = 0;
	return true;
}

/* Verifies the signature, when there are keys to ask. */
static bool verify(const struct index_file *s, struct arena *a, uint8_t ret_digest[SHA256_SIZE],
	struct err *err)
{
	const struct index_read_opts *o = s->o;
	struct apk_sig *sigs;
	struct apk_verified v;
	size_t n;
	if (!o->keys) {
		digest_once(DIGEST_SHA256, s->bytes.p, s->bytes.n, ret_digest);
		return true;
	}
	if (!keyring_check(o->keys, err))
		return false;
	if (!s->first) {
		(void)err_set(err, EK_TRUST,
			"%s: failed to find key name in signature file name: %.*s", o->name,
			STR_ARG(s->name));
		return err_hint(err, "the index is not signed: sign it with 'melange sign-index', "
				     "or allow that with --ignore-signatures");
	}
	if (!apk_sigs_parse(s->head, o->name, a, &sigs, &n, err) ||
		!keyring_verify_digest(o->keys, sigs, n, digest_rest, (void *)(uintptr_t)s,
			o->name, &v, err))
		return false;
	identify(&v, ret_digest);
	return true;
}

static void free_text(void *p)
{
	free(p);
}

/* The archive; it lives as long as the arena. */
static bool unpack(const struct index_file *s, struct arena *a, struct str *ret_tar,
	struct err *err)
{
	auto_buf struct buf tar = BUF_INIT(s->o->max_inflated ? s->o->max_inflated : MAX_INFLATED);
	if (!inflate_all(str_from(s->bytes, s->first), s->o->name, &tar, err))
		return false;
	*ret_tar = buf_str(&tar);
	arena_on_release(a, free_text, buf_steal(&tar));
	return true;
}

/* Verified text of an index of either format. */
static bool read_text(struct str bytes, const struct index_read_opts *o, struct arena *a,
	struct members *ret, uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct index_file s;
	struct adb_head h;
	struct str tar;
	if (adb_index_is(bytes))
		return adb_index_open(bytes, o, &scratch, &h, ret_digest, err) &&
		       adb_index_text(&h, o, a, &ret->text, &ret->description, err);
	return look(bytes, o, &scratch, &s, err) && verify(&s, &scratch, ret_digest, err) &&
	       unpack(&s, a, &tar, err) && read_members(tar, o->name, a, ret, err);
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
	struct ids at;	/* by their place: in v, + 1 */
	struct {
		struct apk_pkg **v;
		size_t n, cap;
	} pkgs;
};

static void free_made(void *p)
{
	struct apk_made *m = p;
	arena_release(&m->arena);
	free(m);
}

const struct apk_pkg *apk_index_pkg(const struct apk_index *idx, size_t i)
{
	if (idx->pkgs)
		return &idx->pkgs[i];
	struct apk_made *m = idx->made;
	uint32_t *at = ids_at(&m->at, &m->arena, (uint32_t)i);
	if (*at)
		return m->pkgs.v[*at - 1];
	struct apk_pkg *p = arena_new(&m->arena, struct apk_pkg);
	vec_push(&m->arena, &m->pkgs, p);
	*at = (uint32_t)m->pkgs.n;
	if (pack_pkg_ok(idx->pack, (uint32_t)i) && pack_record_ok(idx->pack, (uint32_t)i))
		index_read_record(pack_str(idx->pack, idx->pack->pkgs[i].record), p);
	else
		p->unusable = "its cached record is damaged";
	p->index = idx;
	p->order = (uint32_t)i;
	return p;
}

static void use_pack(struct apk_index *idx, const struct pack *k, struct arena *a)
{
	idx->pack = k;
	idx->n = k->n_pkgs;
	describe(idx, pack_str(k, k->description));
	idx->made = calloc(1, sizeof(*idx->made));
	if (!idx->made)
		BUG("out of memory");
	arena_on_release(a, free_made, idx->made);
}

/* What the limit would not let in is not taken from the cache. */
static bool within(const struct pack *k, const struct index_read_opts *o)
{
	return k && k->text_n <= (o->max_inflated ? o->max_inflated : MAX_INFLATED);
}

static const struct pack *make_pack(const struct members *m, const struct index_read_opts *o,
	struct store *store, struct arena *a, const uint8_t digest[SHA256_SIZE], struct err *err)
{
	auto_err struct err unsaved = ERR_INIT;
	const struct pack *k = index_pack_text(m->text, m->description, o->name, a, err);
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
	if (o->keys && !keyring_check(o->keys, err))
		return NULL;
	if (!adb_index_open(bytes, o, &scratch, &h, ret_digest, err))
		return NULL;
	const struct pack *k = store ? pack_open(store, ret_digest, a) : NULL;
	if (within(k, o))
		return k;
	if (!adb_index_text(&h, o, a, &m.text, &m.description, err))
		return NULL;
	return make_pack(&m, o, store, a, ret_digest, err);
}

/* Frees the bytes as soon as it can do without. */
static const struct pack *v2_pack(struct buf *bytes, const struct index_read_opts *o,
	struct store *store, struct arena *a, uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct members m = { 0 };
	struct index_file s;
	struct str tar;
	if (!look(buf_str(bytes), o, &scratch, &s, err) || !verify(&s, &scratch, ret_digest, err))
		return NULL;
	const struct pack *k = store ? pack_open(store, ret_digest, a) : NULL;
	if (within(k, o))
		return k;
	if (!unpack(&s, a, &tar, err))
		return NULL;
	buf_release(bytes);
	if (!read_members(tar, o->name, a, &m, err))
		return NULL;
	return make_pack(&m, o, store, a, ret_digest, err);
}

static const struct pack *open_verified(const struct stat *st, const struct index_read_opts *o,
	struct store *store, struct arena *a, uint8_t ret_digest[SHA256_SIZE])
{
	if (!stamp_find(store, st, o->keys, ret_digest))
		return NULL;
	const struct pack *k = pack_open(store, ret_digest, a);
	return within(k, o) ? k : NULL;
}

static const struct pack *verify_pack(int fd, const struct index_read_opts *o,
	struct store *store, struct arena *a, uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(MAX_FILE);
	if (lseek(fd, 0, SEEK_SET) < 0 || !fd_read_all(fd, o->name, &bytes, err))
		return NULL;
	if (adb_index_is(buf_str(&bytes)))
		return v3_pack(buf_str(&bytes), o, store, a, ret_digest, err);
	return v2_pack(&bytes, o, store, a, ret_digest, err);
}

bool index_open(int fd, const struct index_read_opts *opts, struct store *store, struct arena *a,
	struct apk_index *ret, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_sys(err, "cannot read '%s'", opts->name);
	const struct pack *k = store ? open_verified(&st, opts, store, a, ret->digest) : NULL;
	if (!k) {
		k = verify_pack(fd, opts, store, a, ret->digest, err);
		if (!k)
			return false;
		if (store)
			stamp_save(store, fd, &st, opts->keys, ret->digest);
	}
	use_pack(ret, k, a);
	return true;
}
