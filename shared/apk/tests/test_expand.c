#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "shared/apk/tests/recipe.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"

/* Malformed packages, row by row of apk-format 8. */

/* Damage */

static void fix_sum(char *header)
{
	unsigned sum = 0;

	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + 148, 8, "%06o", sum);
}

/* The last header of the tar made of one entry without pax records. */
static void bad_sum(struct buf *tar) { tar->p[148] ^= 1; }
static void bad_magic(struct buf *tar) { memcpy(tar->p + 257, "ustax", 5); fix_sum(tar->p); }
static void bad_type(struct buf *tar) { tar->p[156] = 'Z'; fix_sum(tar->p); }
static void negative_size(struct buf *tar)
{
	memcpy(tar->p + 124, "-0000000005", 11);
	fix_sum(tar->p);
}

static void negative_base256(struct buf *tar) { memset(tar->p + 124, 0xff, 12); fix_sum(tar->p); }
static void huge_size(struct buf *tar) { memcpy(tar->p + 124, "77777777777", 11); fix_sum(tar->p); }
static void cut_tar(struct buf *tar) { tar->n = 600; }
static void half_end(struct buf *tar) { tar->n -= 512; }
static void more_zeros(struct buf *tar) { buf_addzero(tar, 9000); }
static void bytes_after_end(struct buf *tar) { buf_adds(tar, "x"); }
static void tar_after_end(struct buf *tar) { recipe_add_entries(tar, recipe_plain); }
static void lying_pax(struct buf *tar) { memcpy(tar->p + 512, "99", 2); }
static void no_equals(struct buf *tar)
{
	char *at = memmem(tar->p, tar->n, "pbth=usr/x", 10);

	assert_non_null(at);
	at[1] = 'a';
	at[4] = '!';
}

static void nul_in_pax(struct buf *tar)
{
	char *at = memmem(tar->p, tar->n, "pbth=usr/x", 10);

	assert_non_null(at);
	at[1] = 'a';
	at[8] = '\0';
}

static void empty_tar(struct buf *tar) { buf_clear(tar); }

static void gz_crc(struct buf *gz) { gz->p[gz->n - 6] ^= 1; }
static void gz_isize(struct buf *gz) { gz->p[gz->n - 3] ^= 1; }
static void gz_isize_high(struct buf *gz) { gz->p[gz->n - 1] ^= 0x7f; }
static void gz_trailing(struct buf *gz) { buf_adds(gz, "trailing"); }
static void gz_zeros(struct buf *gz) { buf_addzero(gz, 512); }
static void gz_again(struct buf *gz)
{
	auto_buf struct buf copy = BUF_INIT(1 << 20);

	buf_addstr(&copy, buf_str(gz));
	buf_addstr(gz, buf_str(&copy));
}
static void gz_not(struct buf *gz) { memset(gz->p, 'x', gz->n); }
static void gz_none(struct buf *gz) { buf_clear(gz); }

static void empty(struct buf *apk) { buf_clear(apk); }
static void not_gzip(struct buf *apk) { apk->p[0] = 'P'; }
static void cut_control(struct buf *apk) { apk->n = 60; }
static void cut_data(struct buf *apk) { apk->n -= 20; }
static void flip_data(struct buf *apk) { apk->p[apk->n - 30] ^= 0x10; }

#define OTHER_SHA1 "bbf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"

static const struct recipe recipes[] = {
	{ .what = "plain" },
	{ .what = "row 1", .error = "unexpected end of file", .kind = EK_PARSE, .apk = empty },
	{ .what = "row 2", .error = "control section", .kind = EK_PARSE, .apk = not_gzip },
	{ .what = "row 3", .error = "control section", .kind = EK_PARSE, .apk = cut_control },
	{ .what = "row 4", .error = "data hash mismatch", .apk = cut_data },
	{ .what = "row 4, no data", .error = "unexpected end of file", .gz = gz_none },
	{ .what = "row 5, crc", .error = "data section", .gz = gz_crc },
	{ .what = "row 5, length", .error = "data section", .gz = gz_isize },
	{ .what = "row 5, length far off", .error = "data section", .gz = gz_isize_high },
	{ .what = "row 6", .error = "no '.PKGINFO'", .no_pkginfo = true,
	  .control = E(BARE(".trigger", "x")) },
	{ .what = "row 7", .error = "duplicate '.PKGINFO'",
	  .control = E(BARE(".PKGINFO", "pkgname = evil\n")) },
	{ .what = "row 8", .error = "data hash mismatch", .kind = EK_TRUST,
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = "
		     "0000000000000000000000000000000000000000000000000000000000000000\n" },
	{ .what = "row 8, flipped bit", .error = "data hash mismatch",
	  .kind = EK_TRUST, .apk = flip_data },
	{ .what = "row 9", .error = "no datahash",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\n" },
	{ .what = "row 10, short", .error = "datahash",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = abcdef\n" },
	{ .what = "row 10, not hex", .error = "datahash",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = "
		     "x000000000000000000000000000000000000000000000000000000000000000\n" },
	{ .what = "row 11",
	  .error = "control hash mismatch: expected Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=, got Q1",
	  .kind = EK_TRUST, .q = "Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
	{ .what = "row 11, SHA-256", .error = "control hash mismatch: expected Q2",
	  .kind = EK_TRUST,
	  .q = "Q2AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
	{ .what = "row 13", .error = "control hash mismatch: expected , got Q1", .kind = EK_TRUST,
	  .expect_index = true },
	{ .what = "signed", .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature")) },
	{ .what = "row 19, end", .error = "end-of-archive",
	  .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature")),
	  .sig_end = true },
	{ .what = "row 19, entry", .error = "'evil' in signature section",
	  .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature"), BARE("evil", "x")) },
	{ .what = "two signature sections", .error = "'.SIGN.x' in control section",
	  .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature")), .no_pkginfo = true,
	  .control = E(SIG(".SIGN.x", "x")) },
	{ .what = "control, path", .error = "v2 package format error",
	  .control = E(BARE("../x", "x")) },
	{ .what = "control, no dot", .error = "v2 package format error",
	  .control = E(BARE("x", "x")) },
	{ .what = "control, link", .error = "v2 package format error", .control = E(L(".x", "y")) },
	{ .what = "control, old", .error = "'.INSTALL' is obsolete",
	  .control = E(BARE(".INSTALL", "x")) },
	{ .what = "row 21, bytes", .error = "trailing data", .gz = gz_trailing },
	{ .what = "row 21, zeros", .error = "trailing data", .gz = gz_zeros },
	{ .what = "row 21, stream", .error = "trailing data", .gz = gz_again },
	{ .what = "data is not gzip", .error = "data section", .gz = gz_not },
	{ .what = "row 22", .data_no_end = true },
	{ .what = "row 22, half", .tar = half_end },
	{ .what = "padded to records", .tar = more_zeros },
	{ .what = "nothing at all", .tar = empty_tar },
	{ .what = "row 23, byte", .error = "data section", .tar = bytes_after_end },
	{ .what = "row 23, tar", .error = "data section", .tar = tar_after_end },
	/* The same attacks in melange-build 8: X01 X02 X03 X04 X05 X06 X08 X09 X10. */
	{ .what = "X08, dots inside a name", .data = E(F("foo..bar", "x")) },
	{ .what = "row 24", .error = "unsafe name '../evil'", .data = E(F("../evil", "x")) },
	{ .what = "row 25", .error = "unsafe name '../evil'", .data = E(D("../evil")) },
	{ .what = "row 25, itself", .error = "unsafe name '..'", .data = E(D("..")) },
	{ .what = "row 26", .error = "unsafe name 'a/../../evil'",
	  .data = E(F("a/../../evil", "x")) },
	{ .what = "row 27", .error = "unsafe name '/etc/x'", .data = E(F("/etc/x", "x")) },
	{ .what = "row 28", .data = E(D("./"), D("./usr"), F("./usr/x", "x")) },
	{ .what = "row 28, twice", .error = "unsafe name", .data = E(F("././usr", "x")) },
	{ .what = "inner dot", .error = "unsafe name", .data = E(F("usr/./x", "x")) },
	{ .what = "inner empty", .error = "unsafe name", .data = E(F("usr//x", "x")) },
	{ .what = "row 29", .error = "'evil/x' lies beneath the symlink 'evil'",
	  .data = E(L("evil", "/"), F("evil/x", "x")) },
	{ .what = "row 29, later", .error = "'evil/x' lies beneath the symlink 'evil'",
	  .data = E(F("evil/x", "x"), L("evil", "/")) },
	{ .what = "row 29, deeper", .error = "'a/l/b/c/x' lies beneath the symlink 'a/l'",
	  .data = E(D("a"), L("a/l", "/"), F("a/l/b/c/x", "x")) },
	{ .what = "row 29, beneath a file", .error = "'f/x' lies beneath the file 'f'",
	  .data = E(F("f", "x"), F("f/x", "x")) },
	{ .what = "row 30, absent", .error = "no hard link target 'gone'",
	  .data = E(H("h", "gone")) },
	{ .what = "row 30, later", .error = "no hard link target 'f'",
	  .data = E(H("h", "f"), F("f", "x")) },
	{ .what = "row 30, absolute", .error = "no hard link target '/f'",
	  .data = E(F("f", "x"), H("h", "/f")) },
	{ .what = "row 30, directory", .error = "no hard link target 'd'",
	  .data = E(D("d"), H("h", "d")) },
	{ .what = "row 30, symlink", .error = "no hard link target 'l'",
	  .data = E(L("l", "x"), H("h", "l")) },
	{ .what = "hard link, wrong sum", .error = "checksum mismatch: 'h'",
	  .data = E(F("f", "hello"), { "h", '1', "f", OTHER_SHA1, NULL, NULL, 0644 }) },
	{ .what = "row 31", .error = "duplicate path 'x'", .data = E(F("x", "x"), F("x", "x")) },
	{ .what = "row 31, spelt otherwise", .error = "duplicate path 'x'",
	  .data = E(F("x", "x"), F("./x", "x")) },
	{ .what = "row 32", .error = "duplicate path 'x'", .data = E(F("x", "x"), D("x/")) },
	{ .what = "row 33", .data = E(F("no/such/parent", "x")) },
	{ .what = "row 35", .error = "unsafe name 'a?b'", .data = E(F("a\nb", "x")) },
	{ .what = "row 36, path", .error = "data section", .tar = nul_in_pax,
	  .data = E({ "x", '0', "hello", NULL, "pbth", "usr/x", 0644 }) },
	{ .what = "row 36, link", .error = "data section", .tar = nul_in_pax,
	  .data = E({ "l", '2', "t", NULL, "linkpbth", "usr/x", 0777 }) },
	{ .what = "row 37",
	  .error = "checksum mismatch: 'usr/x' header was " OTHER_SHA1 ", computed " HELLO_SHA1,
	  .kind = EK_TRUST, .data = E({ "usr/x", '0', "hello", OTHER_SHA1, NULL, NULL, 0644 }) },
	{ .what = "row 37, symlink", .error = "checksum mismatch: 'l'",
	  .data = E({ "l", '2', "hello", OTHER_SHA1, NULL, NULL, 0777 }) },
	{ .what = "row 37, malformed", .error = "malformed checksum of 'x'",
	  .data = E({ "x", '0', "hello", "zz", NULL, NULL, 0644 }) },
	{ .what = "checksum as Q1", .data = E({ "x", '0', "hello", HELLO_Q1, NULL, NULL, 0644 }) },
	{ .what = "row 38",
	  .data = E(BARE("x", "hello"), { "l", '2', "t", "", NULL, NULL, 0777 }) },
	{ .what = "row 39", .error = "data section", .tar = lying_pax, .data = E(F("x", "hello")) },
	{ .what = "row 39, no =", .error = "data section", .tar = no_equals,
	  .data = E({ "x", '0', "hello", NULL, "pbth", "usr/x", 0644 }) },
	{ .what = "row 40", .error = "data section", .tar = negative_size,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 40, base 256", .error = "data section", .tar = negative_base256,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 41", .error = "data section", .tar = huge_size,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 41, cut", .error = "data section", .tar = cut_tar,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 42, data", .error = "size limit exceeded: limit is 1000 bytes",
	  .lim.max_data = 1000 },
	{ .what = "row 42, control", .error = "size limit exceeded", .lim.max_control = 512 },
	{ .what = "row 42, entries", .error = "size limit exceeded: limit is 1 entries",
	  .lim.max_entries = 1 },
	{ .what = "row 43", .error = "data section", .tar = bad_sum,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 44", .error = "data section", .tar = bad_magic,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 45", .error = "data section", .tar = bad_type,
	  .data = E(BARE("x", "hello")) },
	{ .what = "sparse", .error = "sparse",
	  .data = E({ "x", '0', "hello", NULL, "GNU.sparse.major", "1", 0644 }) },
	{ .what = "row 46", .error = "size mismatch: expected 7 bytes",
	  .kind = EK_TRUST, .size = 7 },
	{ .what = "row 53, name", .error = "name mismatch: expected 'bar', got 'foo'",
	  .kind = EK_TRUST,
	  .name = "bar" },
	{ .what = "row 53, version", .error = "version mismatch: expected '1.1-r0', got '1.0-r0'",
	  .version = "1.1-r0" },
	{ .what = "row 53, arch",
	  .error = "architecture mismatch: expected 'aarch64', got 'x86_64'",
	  .arch = "aarch64" },
	{ .what = "row 53, right", .name = "foo", .version = "1.0-r0", .arch = "x86_64" },
	{ .what = "no architecture of its own", .arch = "aarch64",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = noarch\ndatahash = %s\n" },
	{ .what = "row 56", .error = "'../foo'",
	  .pkginfo = "pkgname = ../foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = %s\n" },
	{ .what = "version as path", .error = "'1/../../x'",
	  .pkginfo = "pkgname = foo\npkgver = 1/../../x\narch = x86_64\ndatahash = %s\n" },
	{ .what = "row 61", .error = ".PKGINFO",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\nsize = 1s\ndatahash = %s\n" },
	{ .what = "row 61, text", .pkginfo = INFO("pkgdesc = a PKCS#11 tool; really\n") },
	{ .what = "empty link", .error = "symlink target",
	  .data = E({ "l", '2', "", "", NULL, NULL, 0777 }) },
};

static void try_recipe(struct recipe_fix *f, const struct recipe *r, bool stream)
{
	auto_err struct err err = ERR_INIT;
	struct apk_file file = { .data.fd = -1 }, again;
	uint8_t sum[SHA1_SIZE];
	bool ok = recipe_run(f, r, stream, &file, sum, &err);

	if (ok != !r->error || (!ok && !strstr(err.msg, r->error)) ||
	    (!ok && !strstr(err.msg, "'foo.apk'")) ||
	    (!ok && r->kind != EK_NONE && r->kind != err.kind))
		fail_msg("%s%s: %s", r->what, stream ? ", streamed" : "",
			ok ? "expanded" : err.msg);
	assert_int_equal(recipe_objects(f), ok ? 3 : 0);
	if (!ok)
		return;
	assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
	assert_int_equal(again.n_entries, file.n_entries);
	apk_file_close(&again);
	apk_file_close(&file);
	recipe_clear_store(f);
}

static void every_recipe(void **state)
{
	for (size_t i = 0; i < countof(recipes); i++) {
		try_recipe(*state, &recipes[i], false);
		try_recipe(*state, &recipes[i], true);
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, recipe_setup, recipe_teardown)
	const struct CMUnitTest tests[] = {
		T(every_recipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
