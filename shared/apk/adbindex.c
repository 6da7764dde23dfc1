#include "shared/apk/adbindex.h"

#include <stdlib.h>
#include <string.h>

#include "shared/apk/adbpkg.h"
#include "shared/os/path.h"

#define MAX_INFLATED ((uint64_t)300 << 20)
#define MAX_SPEC 1024

static uint64_t most(const struct index_read_opts *o)
{
	return o->max_inflated ? o->max_inflated : MAX_INFLATED;
}

bool adb_index_is(struct str bytes)
{
	return str_starts(bytes, S("ADB"));
}

/* What a signature vouches for is its identity: schema and ADB. */
static void identify(const struct adb_head *h, uint8_t ret_digest[SHA256_SIZE])
{
	static const char kind[] = "v3 index";
	auto_digest struct digest d = { 0 };

	digest_init(&d, DIGEST_SHA256);
	digest_add(&d, kind, sizeof(kind));
	digest_add(&d, h->sha512, sizeof(h->sha512));
	digest_final(&d, ret_digest);
}

static bool read_head(struct source *from, const struct index_read_opts *o, struct arena *a,
	struct adb_head *h, struct err *err)
{
	struct adb_file f;

	if (!adb_file_begin(&f, from, o->name, err) ||
	    !adb_head_read(&f, o->keys, most(o), a, h, err))
		return false;
	if (o->keys && !adb_head_trusted(h, o->name, err)) {
		if (!h->n_sigs)
			err_hint(err, "the index is not signed: sign it with 'apk adbsign', or "
				"allow that with --ignore-signatures");
		return false;
	}
	if (h->adb.schema != ADB_SCHEMA_INDEX)
		return err_set(err, EK_PARSE, "%s: not an index: ADB schema 0x%08x", o->name,
			h->adb.schema);
	if (h->more)
		return err_set(err, EK_PARSE, "%s: ADB block error: data in an index", o->name);
	return adb_check(&h->adb, o->name, err);
}

bool adb_index_open(struct str bytes, const struct index_read_opts *opts, struct arena *a,
	struct adb_head *ret, uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	auto_adb_source struct adb_source s = { 0 };
	struct mem_source mem;

	mem_source_init(&mem, bytes);
	if (!adb_source_open(&s, &mem.src, opts->name, err) ||
	    !read_head(&s.src, opts, a, ret, err))
		return false;
	identify(ret, ret_digest);
	return true;
}

static void free_text(void *p)
{
	free(p);
}

static bool add_records(const struct adb_head *h, const struct index_read_opts *o,
	struct buf *out, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct adb_obj root = adb_root(&h->adb);
	struct adb_obj packages = adb_obj(&root, ADB_INDEX_PACKAGES);

	for (uint32_t i = 1; i < packages.n; i++) {
		struct adb_obj info = adb_obj(&packages, i);
		struct apk_pkg p;
		if (!adb_info(&info, o->name, &scratch, &p, err))
			return false;
		if (!p.checksum_n)
			return err_set(err, EK_PARSE, "%s: no checksum of '%.*s'", o->name,
				STR_ARG(p.name));
		index_record(&p, out);
		if (scratch.used > 1u << 20)
			arena_release(&scratch);
	}
	return !out->over || err_set(err, EK_PARSE, "%s: size limit exceeded: limit is %zu bytes",
		o->name, out->max);
}

/* With names as plain as can be it has to lead to a file below the repository, or be a URL. */
static bool spec_ok(struct str spec, const char *name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct apk_pkg plain = { .name = S("a"), .version = S("1"), .arch = S("a"),
		.checksum_n = SHA1_SIZE };
	struct str file;

	if (spec.n <= MAX_SPEC && apk_pkg_file(&plain, spec, &a, &file))
		return true;
	return err_set(err, EK_PARSE, "%s: unusable pkgname-spec '%.*s'", name,
		spec.n <= MAX_SPEC ? (int)spec.n : 0, spec.p);
}

static bool describe(const struct adb_head *h, const char *name, struct arena *a,
	struct str *ret, struct err *err)
{
	struct adb_obj root = adb_root(&h->adb);
	struct str text = adb_blob(&root, ADB_INDEX_DESCRIPTION), rest;
	struct str spec = adb_blob(&root, ADB_INDEX_PKGNAME_SPEC);
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);

	if (spec.n && !spec_ok(spec, name, err))
		return false;
	(void)str_cut(text, '\0', &text, &rest);
	buf_addstr(&b, str_sub(text, 0, INDEX_MAX_DESCRIPTION));
	if (spec.n) {
		buf_addc(&b, 0);
		buf_addstr(&b, spec);
	}
	*ret = arena_str(a, buf_str(&b));
	return true;
}

bool adb_index_text(const struct adb_head *h, const struct index_read_opts *opts,
	struct arena *a, struct str *ret_text, struct str *ret_description, struct err *err)
{
	auto_buf struct buf b = BUF_INIT((size_t)most(opts) * 4);

	if (!describe(h, opts->name, a, ret_description, err) || !add_records(h, opts, &b, err))
		return false;
	*ret_text = buf_str(&b);
	arena_on_release(a, free_text, buf_steal(&b));
	return true;
}
