#include "shared/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shared/base/compiler.h"
#include "shared/base/match.h"

static void test_compare(void **state)
{
	(void)state;
	static const struct {
		struct str a, b;
		int sign;
	} cases[] = {
		{S("a"), S("a"), 0},
		{S("a"), S("b"), -1},
		{S("ab"), S("a"), 1},
		{STR_NONE, S(""), 0},
		{STR_NONE, S("x"), -1},
		{S("\xff"), S("a"), 1},
		{S("a\0b"), S("a\0c"), -1},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		int c = str_cmp(cases[i].a, cases[i].b);
		assert_int_equal((c > 0) - (c < 0), cases[i].sign);
		assert_int_equal(str_eq(cases[i].a, cases[i].b), cases[i].sign == 0);
	}
	assert_true(str_is(str_of(NULL), ""));
	assert_true(str_is(S("x"), "x"));
}

static void test_ends(void **state)
{
	(void)state;
	struct str s = S("prefix-body-suffix"), none = STR_NONE;
	assert_true(str_starts(s, S("prefix")) && str_starts(s, STR_NONE));
	assert_false(str_starts(S("pre"), S("prefix")));
	assert_true(str_ends(s, S("suffix")) && str_ends(none, none) && str_ends(s, none));
	assert_false(str_ends(S("fix"), S("suffix")));
	assert_true(str_skip(&s, S("prefix-")) && str_chop(&s, S("-suffix")));
	assert_true(str_is(s, "body"));
	assert_false(str_skip(&s, S("x")) || str_chop(&s, S("x")));
	assert_true(str_skip(&none, STR_NONE) && str_chop(&none, STR_NONE));
	assert_true(str_is(str_trim(S(" \t\r\n a b\n ")), "a b"));
	assert_true(str_is(str_trim(S(" \n")), ""));
	assert_true(str_is(str_trim(none), ""));
}

static void test_parts(void **state)
{
	(void)state;
	assert_true(str_is(str_from(S("abc"), 1), "bc"));
	assert_true(str_is(str_from(S("abc"), 9), ""));
	assert_true(str_is(str_from(STR_NONE, 9), ""));
	assert_true(str_is(str_sub(S("abcdef"), 2, 3), "cde"));
	assert_true(str_is(str_sub(S("abc"), 2, (size_t)-1), "c"));
	assert_int_equal(str_chr(S("abcb"), 'b'), 1);
	assert_int_equal(str_rchr(S("abcb"), 'b'), 3);
	assert_int_equal(str_chr(STR_NONE, 'b'), -1);
	assert_int_equal(str_rchr(S("x"), 'b'), -1);
	assert_int_equal(str_line_start(S("a\nbc\nd"), 3), 2);
	assert_int_equal(str_line_start(S("a\nbc\nd"), 0), 0);
	assert_int_equal(str_line_end(S("a\nbc\nd"), 3), 5);
	assert_int_equal(str_line_end(S("a\nbc\nd"), 5), 6);
	assert_int_equal(str_find(S("hello"), S("lo")), 3);
	assert_int_equal(str_find(S("hello"), S("")), 0);
	assert_int_equal(str_find(S("he"), S("hello")), -1);
	assert_int_equal(str_find(STR_NONE, S("x")), -1);
}

static void test_next(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		const char *parts[5];
		size_t n;
	} cases[] = {
		{S("a,,b"), {"a", "", "b"}, 3},
		{S(""), {""}, 1},
		{STR_NONE, {""}, 1},
		{S(","), {"", ""}, 2},
		{S("a,"), {"a", ""}, 2},
		{S("abc"), {"abc"}, 1},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct str rest = cases[i].text, part;
		size_t n = 0;
		for (; str_next(&rest, ',', &part); n++)
			assert_true(n < cases[i].n && str_is(part, cases[i].parts[n]));
		assert_int_equal(n, cases[i].n);
		assert_false(str_next(&rest, ',', &part));
	}
}

static void test_word_and_cut(void **state)
{
	(void)state;
	struct str rest = S("  one\ttwo\r\n three "), word, before, after;
	static const char *const words[] = {"one", "two", "three"};
	size_t n = 0;
	for (; str_word(&rest, &word); n++)
		assert_true(str_is(word, words[n]));
	assert_int_equal(n, 3);
	assert_true(str_cut(S("k=v=w"), '=', &before, &after));
	assert_true(str_is(before, "k") && str_is(after, "v=w"));
	assert_true(str_cut(S("k="), '=', &before, &after));
	assert_true(str_is(before, "k") && str_is(after, ""));
	assert_false(str_cut(S("k"), '=', &before, &after));
	assert_true(str_is(before, "k") && str_is(after, ""));
}

static void test_glob(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool want;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*", "", true},
		{"a", "a", true},
		{"*", "abc", true},
		{"*", "a/b", false},
		{"*.c", "x.c", true},
		{"*.c", ".c", true},
		{"*.c", "x.h", false},
		{"a*b*c", "a1b2b3c", true},
		{"a*b*c", "a1b2b3", false},
		{"a**c", "abc", true},
		{"?", "a", true},
		{"?", "", false},
		{"?", "/", false},
		{"?", "\xc3\xa9", true},
		{"??", "\xc3\xa9", false},
		{"?", "\xc3", true},
		{"[abc]", "b", true},
		{"[abc]", "d", false},
		{"[a-c]x", "cx", true},
		{"[!a-c]", "d", true},
		{"[!a-c]", "b", false},
		{"[^a]", "b", true},
		{"[]a]", "]", true},
		{"[a-]", "-", true},
		{"[\\]]", "]", true},
		{"[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", true},
		{"[\xc3\xa0-\xc3\xbf]", "\xc3\x80", false},
		{"[ab", "[ab", true},
		{"[ab", "a", false},
		{"\\*", "*", true},
		{"\\*", "x", false},
		{"\\", "\\", true},
		{"a/b", "a/b", true},
		{"a/*", "a/b/c", false},
		{"**", "", true},
		{"**", "a/b/c", true},
		{"a/**", "a/b/c", true},
		{"a/**", "a", true},
		{"a/**", "ab", false},
		{"**/c", "c", true},
		{"**/c", "a/b/c", true},
		{"**/c", "a/b/d", false},
		{"a/**/d", "a/d", true},
		{"a/**/d", "a/b/c/d", true},
		{"a/**/d", "a/b/c", false},
		{"**/b/**/d", "a/b/c/b/d", true},
		{"**/b/*/d", "b/x/b/c/d", true},
		{"**/**/x", "x", true},
		{"usr/lib/*.so.?", "usr/lib/libz.so.1", true},
	};
	for (size_t i = 0; i < countof(cases); i++)
		if (match_glob(str_of(cases[i].pattern), str_of(cases[i].path)) != cases[i].want)
			fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].path);
}

/* Patterns that make a matcher which tries all ways run for ever. */
static void test_glob_hostile(void **state)
{
	(void)state;
	char pattern[401], path[2001];
	for (size_t i = 0; i < 400; i++)
		pattern[i] = i % 2 ? '*' : 'a';
	memset(path, 'a', 2000);
	pattern[399] = 'b';
	pattern[400] = path[2000] = 0;
	assert_false(match_glob(str_of(pattern), str_of(path)));
	for (size_t i = 0; i + 5 <= 400; i += 5)
		memcpy(pattern + i, "**/a/", 5);
	for (size_t i = 1; i < 2000; i += 2)
		path[i] = '/';
	path[1998] = 'b';
	assert_false(match_glob(str_of(pattern), str_of(path)));
}

static void test_distance(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		unsigned max, want;
	} cases[] = {
		{"", "", 3, 0},
		{"abc", "", 3, 3},
		{"kitten", "sitting", 5, 3},
		{"kitten", "sitting", 2, 3},
		{"flaw", "lawn", 5, 2},
		{"same", "same", 0, 0},
		{"vresion", "version", 3, 1},
		{"ba", "ab", 3, 1},
		{"abcd", "badc", 3, 2},
		{"ca", "abc", 5, 3},
	};
	for (size_t i = 0; i < countof(cases); i++)
		assert_int_equal(
			match_distance(str_of(cases[i].a), str_of(cases[i].b), cases[i].max),
			cases[i].want);
	char longer[1000];
	memset(longer, 'x', sizeof(longer));
	assert_int_equal(match_distance(str_n(longer, 1000), str_n(longer, 999), 3), 4);
	assert_int_equal(match_distance(str_n(longer, 999), str_n(longer, 999), 3), 0);
}

static void test_nearest(void **state)
{
	(void)state;
	static const char *const names[] = {"build", "index", "sign", "sign-index"};
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"biuld", "build"},
		{"sing", "sign"},
		{"sign-idnex", "sign-index"},
		{"idx", NULL},
		{"frobnicate", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		const char *got = match_nearest(str_of(cases[i].text), names, countof(names));
		if (!got != !cases[i].want || (got && strcmp(got, cases[i].want) != 0))
			fail_msg("'%s' gave '%s'", cases[i].text, got ? got : "nothing");
	}
	assert_null(match_nearest(S("x"), NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_word_and_cut),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_glob_hostile),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
