#include "shared/apk/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/compiler.h"

#define DATA SOURCE_DIR "/../shared/data/versions/version.data"

static int apko_cmp(const char *a, const char *b)
{
	struct str va = str_of(a), vb = str_of(b);
	assert_true(apko_version_valid(va));
	assert_true(apko_version_valid(vb));
	assert_int_equal(apko_version_cmp(vb, va), -apko_version_cmp(va, vb));
	assert_int_equal(apko_valid_cmp(va, vb), apko_version_cmp(va, vb));
	return apko_version_cmp(va, vb);
}

static bool apko_ok(const char *v)
{
	return apko_version_valid(str_of(v));
}

static int sign_of(char c)
{
	return c == '<' ? -1 : c == '>';
}

/* '?' as apko's result: one of the two is invalid there. */
static const struct {
	const char *a, *b;
	char apk, apko;
} order[] = {
	{ "1.0", "1.0-r0", '<', '=' },
	{ "1.0", "1.0.0", '<', '<' },
	{ "1.0.0", "1.0a", '>', '>' },
	{ "1.0z", "1.0.1", '<', '<' },
	{ "1.0_alpha", "1.0", '<', '<' },
	{ "1.0_alpha", "1.0_alpha1", '<', '<' },
	{ "1.0_rc0", "1.0_rc", '>', '=' },
	{ "1.0_rc1_p1", "1.0_rc1", '>', '>' },
	{ "1.0_p1_rc1", "1.0_p1", '<', '?' },
	{ "1.0_alpha_pre2", "1.0_alpha", '<', '?' },
	{ "1.0_p", "1.0-r5", '>', '>' },
	{ "1.0_alpha", "1.0-r0", '<', '<' },
	{ "6.4_p20231125-r0", "6.4-r2", '>', '>' },
	{ "4.5.14", "4.09-r1", '>', '<' },
	{ "1.02", "1.2", '<', '=' },
	{ "1.010", "1.01", '>', '>' },
	{ "8.2.0015", "8.2.002", '<', '>' },
	{ "1.09", "1.5", '<', '>' },
	{ "006", "6", '=', '=' },
	{ "1.0-r00", "1.0-r0", '=', '=' },
	{ "1.0~abc", "1.0", '>', '?' },
	{ "1.0~abc-r0", "1.0-r5", '>', '?' },
	{ "1.0~1234-r1", "1.0~2345-r0", '<', '?' },
	{ "23_foo", "4_beta", '>', '?' },
	{ "1.0_beta2", "1.0_beta10", '<', '<' },
	{ "1.0_git", "1.0_hg", '<', '<' },
	{ "1.0_cvs", "1.0", '>', '>' },
	{ "18446744073709551615", "18446744073709551614", '>', '?' },
};

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(order); i++) {
		struct str a = str_of(order[i].a), b = str_of(order[i].b);
		print_message("%s %c %s\n", order[i].a, order[i].apk, order[i].b);
		assert_int_equal(apk_version_cmp(a, b), sign_of(order[i].apk));
		assert_int_equal(apk_version_cmp(b, a), -sign_of(order[i].apk));
		assert_int_equal(apk_version_cmp(a, a), 0);
		if (order[i].apko == '?')
			assert_false(apko_ok(order[i].a) && apko_ok(order[i].b));
		else
			assert_int_equal(apko_cmp(order[i].a, order[i].b), sign_of(order[i].apko));
	}
}

static const struct {
	const char *v;
	bool apk, apko;
} validity[] = {
	{ "1.0bc", false, false }, { "1..0", false, false },	{ "v1.0", false, false },
	{ "1.0-1", false, false }, { "1.0_foo", false, false }, { "1.0-r", false, false },
	{ "", false, false },	   { "1.", false, false },	{ "1.0 ", false, false },
	{ "1.0_p1_rc1", true, false }, { "1.0~abc", true, false }, { "1.0~", false, false },
	{ "1.0~xyz", false, false },   { "1.0-r1-r2", false, false },
	{ "99999999999999999999", false, false },
	{ "9223372036854775808", true, false },
	{ "1.2.3a_alpha1_p2-r3", true, true }, { "20240101-r0", true, true },
	{ "1.2.3a_alpha1_p2~0f-r3", true, false },
	{ "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16", true, true },
	{ "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17", true, false },
};

static void test_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(validity); i++) {
		print_message("'%s'\n", validity[i].v);
		assert_int_equal(apk_version_valid(str_of(validity[i].v)), validity[i].apk);
		assert_int_equal(apko_ok(validity[i].v), validity[i].apko);
	}
	assert_false(apk_version_valid(STR_NONE));
	assert_int_equal(apk_version_cmp(STR_NONE, S("1")), -apk_version_cmp(S("1"), STR_NONE));
}

static const struct {
	const char *a;
	unsigned op;
	const char *b;
	bool apk, apko;
} matches[] = {
	{ "1.7.1-r1", APK_OP_FUZZY, "1.7", true, true },
	{ "1.7a", APK_OP_FUZZY, "1.7", true, true },
	{ "1.7_rc1", APK_OP_FUZZY, "1.7", true, true },
	{ "1.7_p1", APK_OP_FUZZY, "1.7", true, true },
	{ "1.7_rc1", APK_OP_FUZZY, "1.7_rc", true, true },
	{ "1.7", APK_OP_FUZZY, "1.7.1", false, false },
	{ "1.70", APK_OP_FUZZY, "1.7", false, false },
	{ "1.7.1-r12", APK_OP_FUZZY, "1.7.1-r1", false, false },
	{ "1.7_rc12", APK_OP_FUZZY, "1.7_rc1", false, false },
	{ "1.7.1-r2", APK_OP_FUZZY, "1.7.1-r0", false, true },
	{ "1.7.1", APK_OP_FUZZY, "1.7.1-r0", false, true },
	{ "1.7.1.5-r0", APK_OP_FUZZY, "1.7.1-r9", false, true },
	{ "2", APK_OP_FUZZY | APK_OP_GT, "1.9", true, true },
	{ "1.9.3", APK_OP_FUZZY | APK_OP_GT, "1.9", true, true },
	{ "1.8", APK_OP_FUZZY | APK_OP_GT, "1.9", false, false },
	{ "1.0", APK_OP_EQ, "1.0", true, true },
	{ "1.0-r0", APK_OP_EQ, "1.0", false, true },
	{ "1.0-r0", APK_OP_LT | APK_OP_EQ, "1.0", false, true },
	{ "1.0", APK_OP_LT, "1.1", true, true },
	{ "1.1", APK_OP_LT, "1.1", false, false },
	{ "1.1", APK_OP_GT | APK_OP_EQ, "1.1", true, true },
	{ "garbage", 0, "1", true, true },
};

static void test_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(matches); i++) {
		print_message("%s op %u %s\n", matches[i].a, matches[i].op, matches[i].b);
		struct str a = str_of(matches[i].a), b = str_of(matches[i].b);
		assert_int_equal(apk_version_match(a, matches[i].op, b), matches[i].apk);
		assert_int_equal(apko_version_match(a, matches[i].op, b), matches[i].apko);
		if (apko_version_valid(a) && apko_version_valid(b))
			assert_int_equal(apko_valid_match(a, matches[i].op, b), matches[i].apko);
	}
}

static unsigned parse_op(const char *s)
{
	unsigned op = 0;
	for (; *s; s++)
		op |= *s == '<' ? APK_OP_LT : *s == '>' ? APK_OP_GT : *s == '~' ? APK_OP_FUZZY
			: APK_OP_EQ;
	return op;
}

static void check_line(char *line)
{
	char *hash = strchr(line, '#');
	if (hash)
		*hash = '\0';
	char a[256], op[16], b[256];
	int n = sscanf(line, "%255s %15s %255s", a, op, b);
	if (n == 1) {
		bool want = a[0] != '!';
		assert_int_equal(apk_version_valid(str_of(a + !want)), want);
	} else if (n == 3) {
		bool want = op[0] != '!';
		assert_int_equal(
			apk_version_match(str_of(a), parse_op(op + !want), str_of(b)), want);
	}
}

static void test_recorded(void **state)
{
	(void)state;
	FILE *f = fopen(DATA, "r");
	if (!f) {
		print_message("%s is absent\n", DATA);
		skip();
	}
	char line[1024];
	size_t lines = 0;
	while (fgets(line, sizeof(line), f)) {
		print_message("%zu: %s", ++lines, line);
		check_line(line);
	}
	(void)fclose(f);
	assert_true(lines > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
