#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/apk/dep.h"
#include "shared/apk/keyring.h"
#include "shared/apk/pkginfo.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/os/fd.h"

#define APKS SOURCE_DIR "/../shared/data/apks"
#define BUILT SOURCE_DIR "/../shared/data/build-golden"

struct parts {
	struct str sig_tar, control_tar, control_gz, data_gz;
};

static struct str member(struct arena *a, const char *path, struct str *rest)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(64 << 20);
	size_t n;
	if (!gz_inflate_member(*rest, path, &out, &n, &err))
		fail_msg("%s", err.msg);
	*rest = str_from(*rest, n);
	return str_n(arena_dup(a, out.p, out.n), out.n);
}

static struct parts split(struct arena *a, const char *path, struct str file)
{
	struct parts p = { 0 };
	struct str rest = file;
	struct str tar = member(a, path, &rest);
	if (str_starts(tar, S(".SIGN."))) {
		p.sig_tar = tar;
		file = rest;
		tar = member(a, path, &rest);
	}
	p.control_tar = tar;
	p.control_gz = str_sub(file, 0, file.n - rest.n);
	p.data_gz = rest;
	return p;
}

/* Whether the data section is the one that the package data name. */
static bool check_info(const char *path, struct arena *a, const struct parts *parts)
{
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	struct apk_pkg p;
	struct apk_deps d;
	uint8_t md[SHA256_SIZE];
	char hex[65];
	mem_source_init(&src, parts->control_tar);
	tar_reader_init(&r, &src.src, path, a);
	int more;
	while ((more = tar_next(&r, &e, &err)) > 0 && !str_is(e.name, ".PKGINFO"))
		;
	if (more <= 0)
		fail_msg("%s: no .PKGINFO", path);
	if (!pkginfo_parse(str_sub(parts->control_tar, r.at, e.size), path, a, &p, &err))
		fail_msg("%s", err.msg);
	print_message("%.*s: %zu bytes, %s\n", STR_ARG(apk_pkg_nv(&p, a)), (size_t)p.installed_size,
		parts->sig_tar.n ? "signed" : "unsigned");
	digest_once(DIGEST_SHA256, parts->data_gz.p, parts->data_gz.n, md);
	hex_encode(md, sizeof(md), hex);
	if (!apk_deps_parse(p.depends, a, &d, &err) || !apk_provides_parse(p.provides, a, &d, &err))
		fail_msg("%s: %s", path, err.msg);
	return str_is(p.datahash, hex);
}

static bool check_apk(const char *path)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf file = BUF_INIT(64 << 20);
	struct apk_sig *sigs;
	size_t n = 0;
	assert_true(file_read(path, &file, &err));
	struct parts p = split(&a, path, buf_str(&file));
	if (p.sig_tar.n && !apk_sigs_parse(p.sig_tar, path, &a, &sigs, &n, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(n, p.sig_tar.n != 0);
	return check_info(path, &a, &p);
}

static void test_packages(void **state)
{
	(void)state;
	glob_t g;
	if (glob(APKS "/*/*.apk", 0, NULL, &g)) {
		print_message("no packages in %s\n", APKS);
		skip();
	}
	size_t whole = 0;
	for (size_t i = 0; i < g.gl_pathc; i++)
		whole += check_apk(g.gl_pathv[i]);
	/* aws-c-s3 and neon had their contents replaced by whoever made them test data */
	assert_int_equal(whole, g.gl_pathc - 2);
	globfree(&g);
}

static void test_signature(void **state)
{
	(void)state;
	if (access(BUILT, F_OK)) {
		print_message("no packages in %s\n", BUILT);
		skip();
	}
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf file = BUF_INIT(1 << 20), pem = BUF_INIT(1 << 16);
	auto_keyring struct keyring k;
	struct apk_sig *sigs;
	size_t n;
	if (!file_read(BUILT "/minimal/expected/minimal-1.2.3-r4.apk", &file, &err) ||
		!file_read(BUILT "/keys/test.rsa.pub", &pem, &err))
		fail_msg("%s", err.msg);
	struct parts p = split(&a, "minimal", buf_str(&file));
	if (!apk_sigs_parse(p.sig_tar, "minimal", &a, &sigs, &n, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(n, 1);
	keyring_init(&k, &a);
	assert_true(keyring_add(&k, S("test.rsa.pub"), buf_str(&pem), &err));
	if (!keyring_verify(&k, sigs, n, p.control_gz, "minimal", &err))
		fail_msg("%s", err.msg);
	((char *)p.control_gz.p)[p.control_gz.n / 2] ^= 4;
	assert_false(keyring_verify(&k, sigs, n, p.control_gz, "minimal", &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
