#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/apk/expand.h"
#include "shared/apk/index.h"
#include "shared/apk/repo.h"
#include "shared/apk/tests/made.h"
#include "shared/apk/tests/repofix.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* Malformed repositories, row by row of the table that test_expand.c has the packages of: each
 * gives one error that names file and reason, and the store stays empty. */

#define Q "C:Q1EyN5AdpAOBJWKMR89pp/C66o+OE=\n"
#define GOOD Q "P:a\nV:1.0-r0\nA:x86_64\nS:100\nI:200\n\n"

/* Indexes */

enum signing { SIGNED, UNSIGNED, KEY_OTHER, KEY_UNKNOWN, BY_HAND };

struct row {
	int row;
	const char *what, *error;	/* NULL: it loads */
	const char *text;		/* NULL: GOOD */
	enum signing how;
	void (*sig)(struct buf *tar);	/* BY_HAND: the signature's archive */
	void (*file)(struct buf *file);
	const char *other;		/* another member of the archive */
	bool ignore;			/* signatures are not asked for */
};

static void member(struct buf *tar, const char *name, struct str text)
{
	auto_err struct err err = ERR_INIT;
	struct tar_entry e = { .name = str_of(name), .type = '0', .mode = 0644, .size = text.n };

	assert_true(tar_header(&e, tar, &err));
	buf_addstr(tar, text);
	buf_addzero(tar, tar_padding(text.n));
}

static void unsigned_index(const struct row *r, struct buf *out)
{
	auto_buf struct buf tar = BUF_INIT(64 << 20);
	auto_err struct err err = ERR_INIT;

	member(&tar, "DESCRIPTION", S("words"));
	if (r->other)
		member(&tar, r->other, S("x"));
	member(&tar, "APKINDEX", str_of(r->text ? r->text : GOOD));
	buf_addzero(&tar, TAR_END_SIZE);
	assert_true(gz_deflate(buf_str(&tar), 6, out, &err));
}

static void signature(struct str bytes, struct buf *ret)
{
	auto_err struct err err = ERR_INIT;
	uint8_t md[SHA256_SIZE];

	digest_once(DIGEST_SHA256, bytes.p, bytes.n, md);
	assert_true(sigkey_sign(repofix_key, DIGEST_SHA256, md, ret, &err));
}

static void sign_by_hand(const struct row *r, struct str bytes, struct buf *out)
{
	auto_buf struct buf sig = BUF_INIT(1 << 20), tar = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;

	signature(bytes, &sig);
	member(&tar, ".SIGN.RSA256.test.rsa.pub", buf_str(&sig));
	r->sig(&tar);
	assert_true(gz_deflate(buf_str(&tar), 6, out, &err));
	buf_addstr(out, bytes);
}

static void make_index(const struct row *r, struct buf *out)
{
	auto_buf struct buf plain = BUF_INIT(64 << 20);
	auto_err struct err err = ERR_INIT;

	unsigned_index(r, &plain);
	if (r->how == UNSIGNED)
		buf_addstr(out, buf_str(&plain));
	else if (r->how == BY_HAND)
		sign_by_hand(r, buf_str(&plain), out);
	else
		assert_true(index_sign(buf_str(&plain), r->how == KEY_OTHER ? repofix_other : repofix_key,
			r->how == KEY_UNKNOWN ? "other.rsa" : "test.rsa", out, &err));
	if (r->file)
		r->file(out);
}

static void with_end(struct buf *tar) { buf_addzero(tar, TAR_END_SIZE); }
static void with_index(struct buf *tar) { member(tar, "APKINDEX", S(Q "P:evil\nV:1\n\n")); }
static void only_large(struct buf *tar)
{
	auto_buf struct buf big = BUF_INIT(1 << 20), good = BUF_INIT(1 << 20);

	/* The good signature stands behind one that is too large. */
	buf_addstr(&good, buf_str(tar));
	buf_clear(tar);
	buf_addzero(&big, 65537);
	member(tar, ".SIGN.RSA256.large.rsa.pub", buf_str(&big));
	buf_addstr(tar, buf_str(&good));
}

static void empty(struct buf *b) { buf_clear(b); }
static void not_gzip(struct buf *b) { b->p[0] = 'P'; }
static void cut(struct buf *b) { b->n -= 20; }
static void cut_early(struct buf *b) { b->n = 30; }
static void flip(struct buf *b) { b->p[b->n - 30] ^= 4; }
static void more(struct buf *b) { buf_adds(b, "more"); }

static char long_line[(1 << 20) + 200];

static const struct row rows[] = {
	{ .row = 0, .what = "good" },
	{ .row = 1, .what = "empty", .error = "unexpected end of file", .file = empty },
	{ .row = 2, .what = "not gzip", .error = "gzip", .file = not_gzip },
	{ .row = 12, .what = "C: no base64", .error = ":1: malformed checksum 'Q1!!'",
	  .text = "C:Q1!!\nP:a\nV:1\n\n" },
	{ .row = 12, .what = "C: short", .error = ":1: malformed checksum 'Q1abcd'",
	  .text = "C:Q1abcd\nP:a\nV:1\n\n" },
	{ .row = 13, .what = "no C:", .error = ":1: no checksum of 'a'",
	  .text = "P:a\nV:1\n\n" },
	{ .row = 14, .what = "C: other prefix", .error = ":1: malformed checksum 'X1",
	  .text = "C:X1EyN5AdpAOBJWKMR89pp/C66o+OE=\nP:a\nV:1\n\n" },
	{ .row = 14, .what = "C: Q2",
	  .text = "C:Q2AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:a\nV:1\n\n" },
	{ .row = 17, .what = "unsigned", .how = UNSIGNED,
	  .error = "failed to find key name in signature file name: DESCRIPTION" },
	{ .row = 17, .what = "unsigned, ignored", .how = UNSIGNED, .ignore = true },
	{ .row = 18, .what = "key mismatch", .how = KEY_OTHER,
	  .error = "signature verification failed for repository index, for all provided keys" },
	{ .row = 18, .what = "key unknown", .how = KEY_UNKNOWN,
	  .error = "no signature with known key (one of: [test.rsa.pub])" },
	{ .row = 18, .what = "changed after signing", .file = flip,
	  .error = "signature verification failed" },
	{ .row = 18, .what = "appended to", .file = more,
	  .error = "signature verification failed" },
	{ .row = 19, .what = "end of archive", .how = BY_HAND, .sig = with_end,
	  .error = "end of archive inside the signature section" },
	{ .row = 19, .what = "smuggled index", .how = BY_HAND, .sig = with_index,
	  .error = "failed to find key name in signature file name: APKINDEX" },
	{ .row = 20, .what = "large signature", .how = BY_HAND, .sig = only_large,
	  .error = "'.SIGN.RSA256.large.rsa.pub' is over the limit of 16384 bytes" },
	{ .row = 47, .what = "S: negative", .error = ":4: cannot parse size field '-1'",
	  .text = Q "P:a\nV:1\nS:-1\n\n" },
	{ .row = 47, .what = "I: no number", .error = ":4: cannot parse installed size field 'x'",
	  .text = Q "P:a\nV:1\nI:x\n\n" },
	{ .row = 48, .what = "no colon", .error = ":4: cannot parse line",
	  .text = Q "P:a\nV:1\nno colon\n\n" },
	{ .row = 48, .what = "long line", .error = ":4: ", .text = long_line },
	{ .row = 49, .what = "unterminated", .text = Q "P:a\nV:1" },
	{ .row = 50, .what = "CRLF", .error = ": carriage return",
	  .text = "C:Q1EyN5AdpAOBJWKMR89pp/C66o+OE=\r\nP:a\r\nV:1\r\n\r\n" },
	{ .row = 51, .what = "cut", .file = cut, .how = UNSIGNED, .ignore = true,
	  .error = "damaged gzip data" },
	{ .row = 51, .what = "cut and signed", .file = cut,
	  .error = "signature verification failed" },
	{ .row = 51, .what = "cut early", .file = cut_early, .error = "" },
	{ .row = 52, .what = "unknown member", .other = "NOTES" },
	{ .row = 54, .what = "invalid version", .text = Q "P:a\nV:v1_foo\n\n" },
	{ .row = 55, .what = "malformed atom", .text = Q "P:a\nV:1\nD:b>> c\n\n" },
	{ .row = 56, .what = "name as path", .error = ":2: bad package name '../a'",
	  .text = Q "P:../a\nV:1\n\n" },
	{ .row = 56, .what = "slash in the name", .error = ":2: bad package name 'a/b'",
	  .text = Q "P:a/b\nV:1\n\n" },
	{ .row = 56, .what = "version as path", .error = ":3: bad version '1/../../x'",
	  .text = Q "P:a\nV:1/../../x\n\n" },
};

static bool load(struct repofix *f, bool ignore, struct apk_indexes *ret, struct err *err)
{
	struct strs list = { 0 };
	const struct repo_opts o = { .keys = &f->keys, .store = f->s,
		.ignore_signatures = ignore };

	strs_push(&f->a, &list, str_of(f->dir));
	return repo_load(&list, S("x86_64"), &o, &f->a, ret, err);
}

static void try_row(struct repofix *f, const struct row *r)
{
	auto_buf struct buf file = BUF_INIT(64 << 20);
	auto_err struct err err = ERR_INIT;
	struct apk_indexes idx = { 0 };

	make_index(r, &file);
	assert_true(file_write(f->v2, file.p ? file.p : "", file.n, 0644, &err));
	bool ok = load(f, r->ignore, &idx, &err);
	if (ok != !r->error || (!ok && !strstr(err.msg, r->error)) ||
	    (!ok && !strstr(err.msg, f->v2)))
		fail_msg("row %d, %s: %s", r->row, r->what, ok ? "loaded" : err.msg);
	if (!ok && repofix_objects(f) != 0)
		fail_msg("row %d, %s: the store has changed", r->row, r->what);
	if (ok)
		assert_int_equal(idx.v[0]->n, 1);
	repofix_clear(f);
}

static void indexes(void **state)
{
	memset(long_line, 'x', sizeof(long_line) - 1);
	memcpy(long_line, Q "P:a\nV:1\nT:", strlen(Q "P:a\nV:1\nT:"));
	for (size_t i = 0; i < countof(rows); i++)
		try_row(*state, &rows[i]);
}

/* Packages of a repository whose index is right: rows 15, 16, 46, 53, 57 and 60. */

static void make_package(struct repofix *f, const struct sigkey *key, const char *key_path,
	struct made *m)
{
	made_package(f->dir, "hello", key, key_path, f->pool, &f->a, m);
}

static void fetch(struct repofix *f, const struct made *m, const char *error)
{
	auto_err struct err err = ERR_INIT;
	const struct apk_fetch how = { .store = f->s, .pool = f->pool, .limits.keys = &f->keys };
	const struct apk_pkg *list = &m->want;
	struct apk_file file;
	bool ok = apk_fetch_all(&how, &list, 1, &f->a, &file, &err);

	if (ok != !error || (!ok && (!strstr(err.msg, error) || !strstr(err.msg, m->path))))
		fail_msg("%s, not %s", ok ? "it came" : err.msg, error ? error : "nothing");
	if (ok)
		apk_file_close(&file);
	else
		assert_int_equal(repofix_objects(f), 0);
}

static void signatures_of_packages(void **state)
{
	struct repofix *f = *state;
	struct made m;

	make_package(f, repofix_key, "test.rsa", &m);
	fetch(f, &m, NULL);
	repofix_clear(f);
	/* Row 15: the index has vouched for it. */
	make_package(f, repofix_other, "unknown.rsa", &m);
	fetch(f, &m, NULL);
	repofix_clear(f);
	make_package(f, NULL, NULL, &m);
	fetch(f, &m, NULL);
	repofix_clear(f);
	/* Row 16 */
	make_package(f, repofix_other, "test.rsa", &m);
	fetch(f, &m, "bad signature: 'test.rsa.pub' did not sign the control section");
}

static void packages_and_their_records(void **state)
{
	struct repofix *f = *state;
	struct made good, m;

	make_package(f, repofix_key, "test.rsa", &good);
	m = good;
	m.want.file_size = 7;			/* row 46 */
	fetch(f, &m, "size mismatch: expected 7 bytes, got ");
	m = good;
	m.want.arch = S("aarch64");		/* row 53 */
	fetch(f, &m, "architecture mismatch: expected 'aarch64', got 'x86_64'");
	m = good;
	m.want.checksum[0] ^= 1;		/* row 11 */
	fetch(f, &m, "control hash mismatch: expected Q1");
	m = good;
	m.want.checksum_n = 0;			/* row 13 */
	fetch(f, &m, "control hash mismatch: expected , got Q1");
	assert_int_equal(unlink(good.path), 0);	/* row 57 */
	fetch(f, &good, "is in the index but not in the repository");
}

/* Row 60: each object in turn is changed, or takes another's place. */

enum { FLIP_FIRST, FLIP_MIDDLE, FLIP_LAST, CUT, EMPTY, SWAP, HOWS };

static void spoil(const char *path, const char *other, int how)
{
	auto_buf struct buf b = BUF_INIT(1 << 20), o = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;

	assert_true(file_read(path, &b, &err));
	switch (how) {
	case FLIP_FIRST: b.p[0] ^= 1; break;
	case FLIP_MIDDLE: b.p[b.n / 2] ^= 1; break;
	case FLIP_LAST: b.p[b.n - 1] ^= 1; break;
	case CUT: b.n--; break;
	case EMPTY: b.n = 0; break;
	default:
		assert_true(file_read(other, &o, &err));
		buf_clear(&b);
		buf_addstr(&b, buf_str(&o));
	}
	assert_int_equal(unlink(path), 0);
	assert_true(file_write(path, b.n ? b.p : "", b.n, 0444, &err));
}

static void expect_hello(struct repofix *f, const struct made *m)
{
	auto_err struct err err = ERR_INIT;
	const struct apk_fetch how = { .store = f->s, .pool = f->pool };
	const struct apk_pkg *list = &m->want;
	struct apk_file file;
	char text[6] = "";

	if (!apk_fetch_all(&how, &list, 1, &f->a, &file, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(file.n_entries, 1);
	assert_true(str_is(file.entries[0].name, "file"));
	assert_int_equal(pread(file.data.fd, text, 5, (off_t)file.entries[0].off), 5);
	assert_string_equal(text, "hello");
	apk_file_close(&file);
}

static char *object(struct repofix *f, enum store_kind kind)
{
	struct strs dirs = { 0 }, names = { 0 };
	auto_err struct err err = ERR_INIT;
	static const char *const folders[] = { [STORE_CONTROL] = "control", [STORE_DATA] = "data",
		[STORE_ENTRIES] = "entries" };
	char *dir = arena_printf(&f->a, "%s/%s", store_dir(f->s), folders[kind]);

	assert_true(dir_names(dir, &f->a, &dirs, &err));
	dir = arena_printf(&f->a, "%s/%.*s", dir, STR_ARG(dirs.v[0]));
	assert_true(dir_names(dir, &f->a, &names, &err));
	return arena_printf(&f->a, "%s/%.*s", dir, STR_ARG(names.v[0]));
}

static void changed_objects(void **state)
{
	static const enum store_kind kinds[] = { STORE_CONTROL, STORE_DATA, STORE_ENTRIES };
	struct repofix *f = *state;
	struct made m;

	make_package(f, repofix_key, "test.rsa", &m);
	for (size_t k = 0; k < countof(kinds); k++)
		for (int how = 0; how < HOWS; how++) {
			expect_hello(f, &m);
			spoil(object(f, kinds[k]), object(f, kinds[(k + 1) % countof(kinds)]), how);
			expect_hello(f, &m);
			repofix_clear(f);
		}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, repofix_setup, repofix_teardown)
	const struct CMUnitTest tests[] = {
		T(indexes), T(signatures_of_packages), T(packages_and_their_records),
		T(changed_objects),
	};

	return cmocka_run_group_tests(tests, repofix_make_keys, repofix_free_keys);
}
