#include "shared/apk/index.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/apk/dep.h"
#include "shared/apk/repo.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define DATA SOURCE_DIR "/../shared/data"
#define Q "C:Q1EyN5AdpAOBJWKMR89pp/C66o+OE=\n"

/* Two keys for all tests: made once, as that takes long. */
static struct sigkey *key_a, *key_b;

static int make_keys(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	key_a = sigkey_generate(2048, &err);
	key_b = sigkey_generate(2048, &err);
	return key_a && key_b ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	sigkey_free(key_a);
	sigkey_free(key_b);
	return 0;
}

static void trust(struct keyring *k, const char *name, const struct sigkey *key)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	assert_true(sigkey_public_pem(key, &pem, &err));
	if (!keyring_add(k, str_of(name), buf_str(&pem), &err))
		fail_msg("%s", err.msg);
}

static const char two[] = Q "P:a\nV:1.0-r0\nA:x86_64\nS:100\nI:200\nT:first\nU:u\nL:MIT\no:o\n"
			    "m:me\nt:1700000000\nc:abc\nD:b c>1\ni:x y\np:v=1 w\nk:4\n\n"
			  Q "P:b\nV:2\nT:\nt:0\n\n";

static void parse_ok(const char *text, struct arena *a, struct apk_index *idx)
{
	auto_err struct err err = ERR_INIT;
	*idx = (struct apk_index){ 0 };
	if (!index_parse(str_of(text), "t", a, idx, &err))
		fail_msg("%s", err.msg);
}

static void test_parse(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct apk_index idx;
	parse_ok(two, &a, &idx);
	assert_int_equal(idx.n, 2);
	const struct apk_pkg *p = &idx.pkgs[0];
	assert_true(str_is(p->name, "a"));
	assert_true(str_is(p->version, "1.0-r0"));
	assert_int_equal(p->file_size, 100);
	assert_int_equal(p->installed_size, 200);
	assert_int_equal(p->build_time, 1700000000);
	assert_int_equal(p->provider_priority, 4);
	assert_true(str_is(p->depends, "b c>1"));
	assert_true(str_is(p->install_if, "x y"));
	assert_int_equal(p->checksum_n, 20);
	assert_ptr_equal(p->index, &idx);
	assert_int_equal(idx.pkgs[1].order, 1);
	parse_ok(Q "P:a\nV:1", &a, &idx); /* the last record may end with the file */
	assert_int_equal(idx.n, 1);
	parse_ok("", &a, &idx);
	assert_int_equal(idx.n, 0);
	parse_ok("\n\n\n" Q "P:a\nV:v1_foo\n\n", &a, &(struct apk_index){ 0 });
}

static const struct {
	const char *text, *msg;
} bad[] = {
	{ "P:a\nV:1\n\n", "t:1: no checksum of 'a'" },
	{ Q "V:1\n\n", "t:1: record without field 'P'" },
	{ Q "P:a\n\n", "t:1: no version of 'a'" },
	{ "C:Q1abc\nP:a\nV:1\n", "t:1: malformed checksum 'Q1abc'" },
	{ "C:X1EyN5AdpAOBJWKMR89pp/C66o+OE=\nP:a\nV:1\n", "t:1: malformed checksum" },
	{ Q "P:a\nV:1\nbad line\n", "t:4: cannot parse line" },
	{ Q "P:a\nV:1\nS:1x\n", "t:4: cannot parse size field '1x'" },
	{ Q "P:a\nV:1\nS:-1\n", "t:4: cannot parse size field '-1'" },
	{ Q "P:a\nV:1\nS:18446744073709551616\n", "t:4: cannot parse size field" },
	{ Q "P:a\nV:1\nI:\n", "t:4: cannot parse installed size field" },
	{ Q "P:a\nV:1\nt:soon\n", "t:4: cannot parse build time field" },
	{ Q "P:a\nV:1\nk:-1\n", "t:4: cannot parse provider priority field" },
	{ Q "P:../a\nV:1\n", "t:2: bad package name '../a'" },
	{ Q "P:a\nV:1/2\n", "t:3: bad version" },
	{ Q "P:a\nV:1\nA:../..\n", "t:4: bad architecture" },
	{ Q "P:a\nV:1\nV:2\n", "t:4: repeated field 'V'" },
	{ Q "P:a\r\nV:1\n", "t:2: carriage return" },
};

static void test_bad(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(bad); i++) {
		auto_err struct err err = ERR_INIT;
		struct apk_index idx = { .n = 5 };
		assert_false(index_parse(str_of(bad[i].text), "t", &a, &idx, &err));
		assert_int_equal(err.kind, EK_PARSE);
		assert_int_equal(idx.n, 5);
		if (!str_starts(str_of(err.msg), str_of(bad[i].msg)))
			fail_msg("%s, not %s", err.msg, bad[i].msg);
	}
}

static void test_records(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct apk_index idx;
	parse_ok(two, &a, &idx);
	for (size_t i = 0; i < idx.n; i++)
		index_record(&idx.pkgs[i], &out);
	assert_string_equal(out.p,
		Q "P:a\nV:1.0-r0\nA:x86_64\nS:100\nI:200\nT:first\nU:u\nL:MIT\no:o\nm:me\n"
		  "t:1700000000\nc:abc\nD:b c>1\ni:x y\np:v=1 w\nk:4\n\n" Q "P:b\nV:2\nT:\nt:0\n\n");
}

static void test_merge(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct apk_index idx, more;
	parse_ok(two, &a, &idx);
	parse_ok(Q "P:c\nV:1\n\n" Q "P:a\nV:1.0-r0\nA:x86_64\nT:new\n\n" Q "P:c\nV:1\nT:x\n\n", &a,
		&more);
	index_merge(&idx, more.pkgs, more.n, &a);
	assert_int_equal(idx.n, 3);
	assert_true(str_is(idx.pkgs[0].desc, "new"));
	assert_true(str_is(idx.pkgs[1].name, "b"));
	assert_true(str_is(idx.pkgs[2].desc, "x"));
	for (size_t i = 0; i < idx.n; i++) {
		assert_int_equal(idx.pkgs[i].order, i);
		assert_ptr_equal(idx.pkgs[i].index, &idx);
	}
}

static void written(struct arena *a, const struct sigkey *key, struct buf *out)
{
	auto_err struct err err = ERR_INIT;
	struct apk_index idx;
	parse_ok(two, a, &idx);
	idx.description = S("words");
	assert_true(index_write(&idx, key, "dir/test.rsa", out, &err));
}

/* Reads with k; the expected message is part of the real one, NULL for success. */
static void read_as(struct str bytes, const struct keyring *k, const char *msg)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_index idx = { 0 };
	struct index_read_opts o = { .keys = k, .name = "IDX" };
	bool ok = index_read(bytes, &o, &a, &idx, &err);
	if (!msg && !ok)
		fail_msg("%s", err.msg);
	if (!msg) {
		assert_int_equal(idx.n, 2);
		assert_true(str_is(idx.description, "words"));
		return;
	}
	assert_false(ok);
	assert_int_equal(idx.n, 0);
	if (str_find(str_of(err.msg), str_of(msg)) < 0)
		fail_msg("%s, not %s", err.msg, msg);
}

static void test_signed(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT), plain = BUF_INIT(BUF_NOLIMIT);
	auto_buf struct buf twice = BUF_INIT(BUF_NOLIMIT);
	auto_keyring struct keyring none, right, bare, wrong, other;
	keyring_init(&none, &a);
	keyring_init(&right, &a);
	keyring_init(&bare, &a);
	keyring_init(&wrong, &a);
	keyring_init(&other, &a);
	trust(&right, "test.rsa.pub", key_a);
	trust(&right, "test.rsa.pub", key_a);
	trust(&bare, "test", key_a);
	trust(&wrong, "test.rsa.pub", key_b);
	trust(&other, "one.rsa.pub", key_a);
	trust(&other, "two.rsa.pub", key_b);
	written(&a, key_a, &out);
	written(&a, NULL, &plain);
	struct str bytes = buf_str(&out);
	read_as(bytes, &right, NULL);
	read_as(bytes, &bare, NULL);
	read_as(bytes, NULL, NULL);
	read_as(buf_str(&plain), NULL, NULL);
	read_as(bytes, &none, "no keys provided to verify signature");
	read_as(bytes, &wrong,
		"signature verification failed for repository index, for all provided keys");
	read_as(bytes, &other, "no signature with known key (one of: [one.rsa.pub two.rsa.pub]) "
			       "found in repository index");
	read_as(buf_str(&plain), &right,
		"failed to find key name in signature file name: APKINDEX");
	buf_addstr(&twice, bytes);
	buf_addstr(&twice, buf_str(&plain));
	read_as(buf_str(&twice), &right, "signature verification failed");
	out.p[out.n - 20] ^= 1;
	read_as(bytes, &right, "signature verification failed");
	read_as(str_sub(bytes, 0, bytes.n - 9), NULL, "IDX");
	read_as(S("hello"), NULL, "IDX");
	read_as(STR_NONE, NULL, "IDX");
}

static void test_limit(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct apk_index idx = { 0 };
	struct index_read_opts o = { .name = "IDX", .max_inflated = 600 };
	written(&a, NULL, &out);
	assert_false(index_read(buf_str(&out), &o, &a, &idx, &err));
	assert_true(str_find(str_of(err.msg), S("size limit exceeded")) >= 0);
}

static void add_entry(struct buf *tar, const char *name, struct str content)
{
	auto_err struct err err = ERR_INIT;
	struct tar_entry e = { .name = str_of(name), .type = '0', .mode = 0644,
		.size = content.n };
	assert_true(tar_header(&e, tar, &err));
	buf_addstr(tar, content);
	buf_addzero(tar, tar_padding(content.n));
}

static void sigs_fail(struct buf *tar, const char *msg)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_sig *sigs;
	size_t n;
	assert_false(apk_sigs_parse(buf_str(tar), "t", &a, &sigs, &n, &err));
	if (str_find(str_of(err.msg), str_of(msg)) < 0)
		fail_msg("%s, not %s", err.msg, msg);
	buf_clear(tar);
}

static void test_sigs(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf tar = BUF_INIT(BUF_NOLIMIT), big = BUF_INIT(BUF_NOLIMIT);
	struct apk_sig *sigs;
	size_t n;
	add_entry(&tar, ".SIGN.RSA.a.rsa.pub", S("one"));
	add_entry(&tar, ".SIGN.RSA256.b.rsa.pub", S("two"));
	add_entry(&tar, ".SIGN.DSA.c.rsa.pub", S("three"));
	assert_true(apk_sigs_parse(buf_str(&tar), "t", &a, &sigs, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(sigs[0].alg, DIGEST_SHA1);
	assert_int_equal(sigs[1].alg, DIGEST_SHA256);
	assert_true(str_is(sigs[1].key_name, "b.rsa.pub"));
	assert_true(str_is(sigs[1].sig, "two"));
	buf_addzero(&tar, TAR_END_SIZE);
	sigs_fail(&tar, "end of archive");
	add_entry(&tar, ".SIGN.RSA.a.rsa.pub", S("one"));
	add_entry(&tar, "APKINDEX", S("P:evil"));
	sigs_fail(&tar, "failed to find key name in signature file name: APKINDEX");
	add_entry(&tar, ".SIGN.RSA.x/../y", S("one"));
	sigs_fail(&tar, "failed to find key name");
	buf_addzero(&big, (16u << 10) + 1);
	add_entry(&tar, ".SIGN.RSA.a.rsa.pub", buf_str(&big));
	sigs_fail(&tar, "over the limit");
}

/* Where the signature and the index are one archive: what is hidden in the first is not read. */
static void test_smuggled(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf good = BUF_INIT(BUF_NOLIMIT), tar = BUF_INIT(BUF_NOLIMIT);
	auto_buf struct buf sig = BUF_INIT(BUF_NOLIMIT), file = BUF_INIT(BUF_NOLIMIT);
	auto_keyring struct keyring k;
	uint8_t md[SHA256_SIZE];
	keyring_init(&k, &a);
	trust(&k, "test.rsa.pub", key_a);
	written(&a, NULL, &good);
	digest_once(DIGEST_SHA256, good.p, good.n, md);
	assert_true(sigkey_sign(key_a, DIGEST_SHA256, md, &sig, &err));
	add_entry(&tar, ".SIGN.RSA256.test.rsa.pub", buf_str(&sig));
	add_entry(&tar, "APKINDEX", S("P:evil"));
	assert_true(gz_deflate(buf_str(&tar), 6, &file, &err));
	buf_addstr(&file, buf_str(&good));
	read_as(buf_str(&file), &k, "failed to find key name in signature file name: APKINDEX");
}

static void test_keyring(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	auto_keyring struct keyring k;
	keyring_init(&k, &a);
	trust(&k, "a.rsa.pub", key_a);
	assert_true(sigkey_public_pem(key_b, &pem, &err));
	assert_false(keyring_add(&k, S("a.rsa.pub"), buf_str(&pem), &err));
	assert_int_equal(err.kind, EK_TRUST);
	assert_false(keyring_add(&k, S("../b"), buf_str(&pem), &err));
	assert_false(keyring_add(&k, S("junk"), S("junk"), &err));
	assert_int_equal(k.n, 1);
	assert_null(keyring_find(&k, S("a")));
	char *dir = dir_temp(&a, "apk-keys-", &err);
	assert_non_null(dir);
	assert_true(file_write(arena_printf(&a, "%s/z.rsa.pub", dir), pem.p, pem.n, 0644, &err));
	assert_true(file_write(arena_printf(&a, "%s/README", dir), "text", 4, 0644, &err));
	assert_true(keyring_add_dir(&k, dir, &err));
	assert_int_equal(k.n, 2);
	assert_non_null(keyring_find(&k, S("z.rsa.pub")));
	assert_true(dir_remove(dir, &err));
}

static const struct {
	const char *line, *tag, *url; /* url NULL: an error */
	bool local;
} lines[] = {
	{ "https://example.test/x/", "", "https://example.test/x", false },
	{ "@edge http://example.test/x", "edge", "http://example.test/x", false },
	{ "./packages", "", "./packages", true },
	{ "/a b", "", "/a b", true },
	{ "/", "", "/", true },
	{ "@t ./p///", "t", "./p", true },
	{ "", "", NULL, false },
	{ "@edge", "", NULL, false },
	{ "@ x", "", NULL, false },
	{ "@a b c", "", NULL, false },
	{ "@a/b c", "", NULL, false },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(lines); i++) {
		auto_err struct err err = ERR_INIT;
		struct repo_line l;
		bool ok = repo_line_parse(str_of(lines[i].line), &l, &err);
		print_message("%s\n", lines[i].line);
		assert_int_equal(ok, lines[i].url != NULL);
		if (!ok)
			continue;
		assert_true(str_is(l.tag, lines[i].tag));
		assert_true(str_is(l.url, lines[i].url));
		assert_int_equal(l.is_local, lines[i].local);
	}
}

static void test_load(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	auto_keyring struct keyring k;
	keyring_init(&k, &a);
	trust(&k, "test.rsa.pub", key_a);
	written(&a, key_a, &out);
	char *dir = dir_temp(&a, "apk-repo-", &err);
	char *arch = arena_printf(&a, "%s/x86_64", dir);
	assert_true(dir_make(arch, 0755, &err));
	assert_true(file_write(arena_printf(&a, "%s/APKINDEX.tar.gz", arch), out.p, out.n, 0644,
		&err));
	struct strs list = { 0 };
	strs_push(&a, &list, S("/nonexistent/repo"));
	strs_push(&a, &list, arena_strf(&a, "@t %s/", dir));
	struct repo_opts o = { .keys = &k };
	struct apk_indexes idx = { 0 };
	if (!repo_load(&list, S("x86_64"), &o, &a, &idx, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(idx.n, 1);
	assert_true(str_is(idx.v[0]->tag, "t"));
	assert_true(str_is(idx.v[0]->base, arch));
	assert_true(str_is(apk_pkg_url(apk_index_pkg(idx.v[0], 0), &a),
		arena_printf(&a, "%s/a-1.0-r0.apk", arch)));
	o.keys = NULL;
	assert_false(repo_load(&list, S("x86_64"), &o, &a, &idx, &err));
	assert_int_equal(err.kind, EK_TRUST);
	o.ignore_signatures = true;
	assert_true(repo_load(&list, S("x86_64"), &o, &a, &idx, &err));
	assert_true(dir_remove(dir, &err));
}

static size_t bad_atoms(const struct apk_index *idx)
{
	size_t bad_ones = 0;
	for (size_t i = 0; i < idx->n; i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct apk_deps d;
		const struct apk_pkg *p = &idx->pkgs[i];
		if (!apk_deps_parse(p->depends, &a, &d, &err) ||
			!apk_provides_parse(p->provides, &a, &d, &err) ||
			!apk_provides_parse(p->install_if, &a, &d, &err)) {
			print_message("%.*s: %s\n", STR_ARG(p->name), err.msg);
			bad_ones++;
		}
	}
	return bad_ones;
}

static const struct {
	const char *index, *keys;
	size_t n, bad_atoms;
} real[] = {
	{ DATA "/indexes/alpine-3.16/x86_64/APKINDEX.tar.gz", DATA "/indexes/alpine-3.16", 4929,
		1 }, /* opensmtpd-pam: opensmtpd=6.8.0p2-r4 */
	{ DATA "/indexes/chainguard-rsa256/APKINDEX.tar.gz",
		DATA "/indexes/chainguard-rsa256/keys", 14, 0 },
	{ DATA "/indexes/rsa256-test/APKINDEX.tar.gz", DATA "/indexes/rsa256-test", 1, 0 },
};

static void test_real(void **state)
{
	(void)state;
	if (access(DATA "/indexes", F_OK)) {
		print_message("no indexes in %s\n", DATA);
		skip();
	}
	for (size_t i = 0; i < countof(real); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf bytes = BUF_INIT(64 << 20);
		auto_keyring struct keyring k;
		struct apk_index idx = { 0 };
		struct index_read_opts o = { .keys = &k, .name = real[i].index };
		keyring_init(&k, &a);
		if (!file_read(real[i].index, &bytes, &err) ||
			!keyring_add_dir(&k, real[i].keys, &err) ||
			!index_read(buf_str(&bytes), &o, &a, &idx, &err))
			fail_msg("%s", err.msg);
		print_message("%s: %zu packages\n", real[i].index, idx.n);
		assert_int_equal(bad_atoms(&idx), real[i].bad_atoms);
		assert_true(idx.n >= real[i].n);
	}
}

/* The texts under "==> APKINDEX" of recorded indexes come out again as they went in. */
static void test_recorded(void **state)
{
	(void)state;
	glob_t g;
	if (glob(DATA "/build-golden/*/expected/*.index", 0, NULL, &g)) {
		print_message("no recorded indexes\n");
		skip();
	}
	for (size_t i = 0; i < g.gl_pathc; i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf file = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
		struct apk_index idx = { 0 };
		assert_true(file_read(g.gl_pathv[i], &file, &err));
		struct str text = buf_str(&file);
		long start = str_find(text, S("==> APKINDEX\n"));
		long end = str_find(text, S("\n==> DESCRIPTION\n"));
		assert_true(start >= 0 && end > start);
		text = str_sub(text, (size_t)start + 13, (size_t)(end - start) - 13);
		if (!index_parse(text, g.gl_pathv[i], &a, &idx, &err))
			fail_msg("%s", err.msg);
		for (size_t j = 0; j < idx.n; j++)
			index_record(&idx.pkgs[j], &out);
		if (!str_eq(buf_str(&out), text))
			fail_msg("%s:\n%s", g.gl_pathv[i], out.p);
	}
	print_message("%zu indexes\n", g.gl_pathc);
	globfree(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_sigs),
		cmocka_unit_test(test_smuggled),
		cmocka_unit_test(test_keyring),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_recorded),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
