#include "shared/apk/dep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include "shared/apk/arch.h"
#include "shared/apk/pkg.h"

#define EQ APK_OP_EQ
#define LT APK_OP_LT
#define GT APK_OP_GT
#define FZ (APK_OP_FUZZY | APK_OP_EQ)

static const struct {
	const char *text, *name, *version, *pin;
	unsigned op;
	bool conflict;
} good[] = {
	{ "foo", "foo", "", "", 0, false },
	{ "!foo", "foo", "", "", 0, true },
	{ "!foo<2", "foo", "2", "", LT, true },
	{ "foo=1.0-r0", "foo", "1.0-r0", "", EQ, false },
	{ "foo>=1", "foo", "1", "", GT | EQ, false },
	{ "foo<=1", "foo", "1", "", LT | EQ, false },
	{ "foo~1", "foo", "1", "", FZ, false },
	{ "foo=~1", "foo", "1", "", FZ, false },
	{ "foo~=1", "foo", "1", "", FZ, false },
	{ "foo>~1", "foo", "1", "", FZ | GT, false },
	{ "foo>=~1", "foo", "1", "", FZ | GT, false },
	{ "foo<~1", "foo", "1", "", FZ | LT, false },
	{ "foo==1", "foo", "1", "", EQ, false },
	{ "foo@edge>=1", "foo", "1", "edge", GT | EQ, false },
	{ "foo>=1@edge", "foo", "1", "edge", GT | EQ, false },
	{ "foo@edge", "foo", "", "edge", 0, false },
	{ "so:libc.so.6", "so:libc.so.6", "", "", 0, false },
	{ "so:libc.so.6=6", "so:libc.so.6", "0.6", "", EQ, false },
	{ "so:libc.so.6~6", "so:libc.so.6", "0.6", "", FZ, false },
	{ "so:libc.so.6>2.3-r1", "so:libc.so.6", "2.3-r1", "", GT, false },
	{ "so-ver:libc.so.6>=2.3", "so-ver:libc.so.6", "2.3", "", GT | EQ, false },
	{ "cmd:[", "cmd:[", "", "", 0, false },
	{ "/bin/sh", "/bin/sh", "", "", 0, false },
	{ "py3.12:re_quests", "py3.12:re_quests", "", "", 0, false },
};

static void test_good(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(good); i++) {
		auto_err struct err err = ERR_INIT;
		struct apk_dep d;
		print_message("%s\n", good[i].text);
		assert_true(apk_dep_parse(str_of(good[i].text), &a, &d, &err));
		assert_true(str_is(d.text, good[i].text));
		assert_true(str_is(d.name, good[i].name));
		assert_true(str_is(d.version, good[i].version));
		assert_true(str_is(d.pin, good[i].pin));
		assert_int_equal(d.op, good[i].op);
		assert_int_equal(d.conflict, good[i].conflict);
		assert_false(d.checksum);
	}
}

static const char *const bad[] = { "", "!", "=1", "foo=", "foo>=", "foo<>1", "foo>=<1", "foo=1 ",
	"foo=v1", "foo=1.0bc", "foo@", "foo@a@b", "foo@a=1@b", "foo=1@", "foo b", "!!foo",
	"foo><Q1abc", "foo><1.0", "foo====1", "foo!bar", "fo\no" };

static void test_bad(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(bad); i++) {
		auto_err struct err err = ERR_INIT;
		struct apk_dep d = { .op = 77 };
		print_message("'%s'\n", bad[i]);
		assert_false(apk_dep_parse(str_of(bad[i]), &a, &d, &err));
		assert_int_equal(err.kind, EK_PARSE);
		assert_int_equal(d.op, 77);
		char *quoted = arena_printf(&a, "'%s'", bad[i]);
		assert_true(str_find(str_of(err.msg), str_of(quoted)) >= 0);
	}
}

static void test_checksum(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_dep d;
	assert_true(apk_dep_parse(S("foo><Q1EyN5AdpAOBJWKMR89pp/C66o+OE="), &a, &d, &err));
	assert_true(d.checksum);
	assert_true(str_is(d.version, "Q1EyN5AdpAOBJWKMR89pp/C66o+OE="));
}

static void test_list(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_deps l;
	assert_true(apk_deps_parse(S("a b>=2  !c"), &a, &l, &err));
	assert_int_equal(l.n, 3);
	assert_true(str_is(l.v[1].name, "b"));
	assert_true(l.v[2].conflict);
	assert_true(apk_deps_parse(S(""), &a, &l, &err));
	assert_int_equal(l.n, 0);
	assert_false(apk_deps_parse(S("a b="), &a, &l, &err));
	assert_false(apk_deps_parse(S("pc:librtmp=v2.4"), &a, &l, &err));
	assert_true(apk_provides_parse(S("pc:librtmp=v2.4"), &a, &l, &err));
	assert_true(str_is(l.v[0].version, "v2.4"));
	assert_false(apk_provides_parse(S("pc:librtmp="), &a, &l, &err));
}

static void test_names(void **state)
{
	(void)state;
	static const char *const ok[] = { "a", "g++", "libstdc++6", "py3.12-x_y", "7zip", "A" };
	static const char *const not_ok[] = { "", ".a", "-a", "a/b", "..", "a b", "a\n", "a:b",
		"a\xc3\xa9" };
	for (size_t i = 0; i < countof(ok); i++)
		assert_true(apk_name_ok(str_of(ok[i])));
	for (size_t i = 0; i < countof(not_ok); i++)
		assert_false(apk_name_ok(str_of(not_ok[i])));
}

static void test_q(void **state)
{
	(void)state;
	static const char *const q[] = { "Q1EyN5AdpAOBJWKMR89pp/C66o+OE=",
		"Q2n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=" };
	static const char *const not_q[] = { "", "Q1", "Q3EyN5AdpAOBJWKMR89pp/C66o+OE=",
		"EyN5AdpAOBJWKMR89pp/C66o+OE=", "Q1EyN5AdpAOBJWKMR89pp/C66o+OE",
		"Q1EyN5AdpAOBJWKMR89pp/C66o+O==", "Q1EyN5AdpAOBJWKMR89pp*C66o+OE=",
		"Q2EyN5AdpAOBJWKMR89pp/C66o+OE=", "Q1EyN5AdpAOBJWKMR89pp/C66o+OEA" };
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(q); i++) {
		struct apk_pkg p = { 0 };
		assert_true(apk_q_parse(str_of(q[i]), p.checksum, &p.checksum_n));
		assert_int_equal(p.checksum_n, i ? 32 : 20);
		assert_true(str_is(apk_pkg_q(&p, &a), q[i]));
	}
	for (size_t i = 0; i < countof(not_q); i++) {
		uint8_t sum[32], n = 9;
		print_message("%s\n", not_q[i]);
		assert_false(apk_q_parse(str_of(not_q[i]), sum, &n));
		assert_int_equal(n, 9);
	}
	struct apk_pkg none = { 0 };
	assert_int_equal(apk_pkg_q(&none, &a).n, 0);
}

static void test_archs(void **state)
{
	(void)state;
	for (size_t i = 0; i < APK_ARCHS; i++) {
		assert_ptr_equal(apk_arch_find(str_of(apk_archs[i].apk)), &apk_archs[i]);
		assert_ptr_equal(apk_arch_find(str_of(apk_archs[i].oci)), &apk_archs[i]);
	}
	assert_string_equal(apk_arch_find(S("amd64"))->apk, "x86_64");
	assert_string_equal(apk_arch_find(S("armv7"))->variant, "v7");
	assert_string_equal(apk_arch_find(S("armhf"))->goarch, "arm");
	static const char *const unknown[] = { "armv6", "i386", "arm", "", "x86_64 " };
	for (size_t i = 0; i < countof(unknown); i++)
		assert_null(apk_arch_find(str_of(unknown[i])));
	assert_non_null(apk_arch_host());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_q),
		cmocka_unit_test(test_archs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
