#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/text/ynode.h"
#include "shared/text/ywrite.h"

static void expect_text(const char *in, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct ywrite w;
	struct ydoc doc;

	yw_init(&w, &out, 4);
	yw_map(&w);
	yw_kstr(&w, "k", str_of(in));
	yw_map_end(&w);
	assert_string_equal(out.p, arena_printf(&a, "k: %s\n", want));
	assert_true(ydoc_parse(buf_str(&out), "f", &a, &doc, &err));
	const struct ynode *n = ynode_get(doc.root, "k");
	assert_int_equal(n->kind, YN_SCALAR);
	if (!str_is(n->text, in))
		fail_msg("'%s' reads back as '%.*s'", in, STR_ARG(n->text));
}

/* Texts that need no quotes. */
static void plain(unused_arg void **state)
{
	static const char *const cases[] = {"a", "a b", "a:b", "a#b", "-a", "--", ":a", "?a", "a-",
		"https://h/x?y&z", "../repo", "/bin/sh -l", "1.2.3", "1.2.3-r0", "0x", "0xg", "0o8",
		"1e", "1e400", "+", ".", "..", "_1", ".5_0", "2024-13-01", "2023-02-29", "2024-1",
		"2024-01-01x", "12:60", "a=b", "tru", "nUll", "yES", "a@b", "a>b", "n=1", "=",
		"\xc3\xa4", "0xfffffffffffffffff", "2024-01-01T00:00:00", "a{b}", "a,b", "a'b\"c",
		"a\\b"};

	for (size_t i = 0; i < countof(cases); i++)
		expect_text(cases[i], cases[i]);
}

static void quoted(unused_arg void **state)
{
	static const char *const cases[][2] = {
		/* read as something else than text */
		{"", "\"\""},
		{"~", "\"~\""},
		{"null", "\"null\""},
		{"True", "\"True\""},
		{"y", "\"y\""},
		{"NO", "\"NO\""},
		{"0", "\"0\""},
		{"-1", "\"-1\""},
		{"08", "\"08\""},
		{"0x1F", "\"0x1F\""},
		{"0b11", "\"0b11\""},
		{"1_000", "\"1_000\""},
		{"1.", "\"1.\""},
		{".5", "\".5\""},
		{"1e5", "\"1e5\""},
		{"+.inf", "\"+.inf\""},
		{".NaN", "\".NaN\""},
		{"2024-02-29", "\"2024-02-29\""},
		{"2024-1-1T1:2:3Z", "\"2024-1-1T1:2:3Z\""},
		{"2024-01-01t01:02:03.5+02:00", "\"2024-01-01t01:02:03.5+02:00\""},
		{"2024-01-01 01:02:03", "\"2024-01-01 01:02:03\""},
		{"12:30:45", "\"12:30:45\""},
		{"190:20:30.15", "\"190:20:30.15\""},
		{"<<", "\"<<\""},
		/* not allowed plain */
		{"-", "'-'"},
		{"- a", "'- a'"},
		{"? a", "'? a'"},
		{": a", "': a'"},
		{"#a", "'#a'"},
		{"a #b", "'a #b'"},
		{"a: b", "'a: b'"},
		{"a:", "'a:'"},
		{" a", "' a'"},
		{"a ", "'a '"},
		{"[a", "'[a'"},
		{"{}", "'{}'"},
		{"&a", "'&a'"},
		{"*", "'*'"},
		{"!a", "'!a'"},
		{"|", "'|'"},
		{">", "'>'"},
		{"%a", "'%a'"},
		{"@a", "'@a'"},
		{"`", "'`'"},
		{"'", "''''"},
		{"\"a\"", "'\"a\"'"},
		{",", "','"},
		{"---", "'---'"},
		{"...", "'...'"},
		/* to be escaped */
		{"a\tb", "\"a\\tb\""},
		{"a\rb", "\"a\\rb\""},
		{"\x01\"\\", "\"\\x01\\\"\\\\\""},
		{"\xc2\x85", "\"\\N\""},
		{"\xe2\x80\xa8", "\"\\L\""},
		{"\xef\xbb\xbf", "\"\\uFEFF\""},
		{"\xf0\x9f\x98\x80", "\"\\U0001F600\""},
		/* several lines */
		{"a\nb", "|-\n    a\n    b"},
		{"a\n", "|\n    a"},
		{"a\n\n", "|+\n    a\n"},
		{"\n", "|4+\n"},
		{" a\n", "|4\n     a"},
		{"a\n\n b\n", "|\n    a\n\n     b"},
		{"a\tb\nc\n", "|\n    a\tb\n    c"},
		{"a \nb", "\"a \\nb\""},
		{"a\nb ", "\"a\\nb \""},
	};

	for (size_t i = 0; i < countof(cases); i++)
		expect_text(cases[i][0], cases[i][1]);
}

static void layout(unused_arg void **state)
{
	static const char want[] = "a:\n"
				   "    - x: 1\n"
				   "      l:\n"
				   "        - p\n"
				   "        - - q\n"
				   "          - null\n"
				   "      t: |-\n"
				   "        1\n"
				   "        2\n"
				   "    - {}\n"
				   "    - []\n"
				   "    - |2-\n"
				   "       1\n"
				   "      2\n"
				   "m:\n"
				   "    \"on\": true\n"
				   "    e: {}\n"
				   "    f: []\n"
				   "    \"1\\n2\": -5\n";
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct ywrite w;

	yw_init(&w, &out, 4);
	yw_map(&w);
	yw_key(&w, "a");
	yw_list(&w);
	yw_map(&w);
	yw_kint(&w, "x", 1);
	yw_key(&w, "l");
	yw_list(&w);
	yw_str(&w, S("p"));
	yw_list(&w);
	yw_str(&w, S("q"));
	yw_null(&w);
	yw_list_end(&w);
	yw_list_end(&w);
	yw_kstr(&w, "t", S("1\n2"));
	yw_kstr_opt(&w, "none", STR_NONE);
	yw_map_end(&w);
	yw_map(&w);
	yw_map_end(&w);
	yw_list(&w);
	yw_list_end(&w);
	yw_str(&w, S(" 1\n2"));
	yw_list_end(&w);
	yw_key(&w, "m");
	yw_map(&w);
	yw_kbool(&w, "on", true);
	yw_key(&w, "e");
	yw_map(&w);
	yw_map_end(&w);
	yw_key(&w, "f");
	yw_list(&w);
	yw_list_end(&w);
	yw_key_str(&w, S("1\n2"));
	yw_int(&w, -5);
	yw_map_end(&w);
	yw_map_end(&w);
	assert_string_equal(out.p, want);
}

static void roots(unused_arg void **state)
{
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct ywrite w;

	yw_init(&w, &out, 2);
	yw_map(&w);
	yw_map_end(&w);
	assert_string_equal(out.p, "{}\n");
	buf_clear(&out);
	yw_init(&w, &out, 2);
	yw_list(&w);
	yw_str(&w, S("a"));
	yw_str(&w, S("b"));
	yw_list_end(&w);
	assert_string_equal(out.p, "- a\n- b\n");
	buf_clear(&out);
	yw_init(&w, &out, 2);
	yw_str(&w, S("a\nb"));
	assert_string_equal(out.p, "\"a\\nb\"\n");
}

static void long_key(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct ywrite w;
	struct ydoc doc;
	char key[2001];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = 0;
	yw_init(&w, &out, 2);
	yw_map(&w);
	yw_kstr(&w, key, S("v"));
	yw_key(&w, key + 1);
	yw_list(&w);
	yw_str(&w, S("w"));
	yw_list_end(&w);
	yw_map_end(&w);
	assert_true(str_starts(buf_str(&out), S("? kkk")));
	assert_true(ydoc_parse(buf_str(&out), "f", &a, &doc, &err));
	assert_int_equal(doc.root->n, 2);
	assert_true(str_is(ynode_get(doc.root, key)->text, "v"));
	assert_int_equal(ynode_get(doc.root, key + 1)->kind, YN_SEQ);
}

static void key_order(unused_arg void **state)
{
	static const char *const sorted[] = {"", "-", ".", "_", "1", "A", "B", "a", "a-b", "a_b",
		"a1", "a1b", "a01", "a2", "a9b", "a10", "a10b", "aB", "ab", "b", "\xc3\xa4"};

	for (size_t i = 0; i + 1 < countof(sorted); i++) {
		if (yw_key_cmp(str_of(sorted[i]), str_of(sorted[i + 1])) >= 0 ||
			yw_key_cmp(str_of(sorted[i + 1]), str_of(sorted[i])) <= 0)
			fail_msg("'%s' not before '%s'", sorted[i], sorted[i + 1]);
		assert_int_equal(yw_key_cmp(str_of(sorted[i]), str_of(sorted[i])), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(quoted),
		cmocka_unit_test(layout),
		cmocka_unit_test(roots),
		cmocka_unit_test(long_key),
		cmocka_unit_test(key_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
