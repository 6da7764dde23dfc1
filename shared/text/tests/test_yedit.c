#include "shared/text/yedit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "shared/base/buf.h"

/* Gives the value of key `k` (and of `l` where there is one) another value. */
static void change(const char *yaml, const char *value, enum yedit_style style, struct buf *out,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ydoc doc;
	struct yedits e = { 0 };
	struct str text;
	assert_true(ydoc_parse(str_of(yaml), "f.yaml", &a, &doc, err));
	yedit_value(&e, &doc, ynode_get(doc.root, "k"), str_of(value), style, &a);
	if (ynode_get(doc.root, "l"))
		yedit_value(&e, &doc, ynode_get(doc.root, "l"), S("other"), style, &a);
	if (yedit_apply(&e, &doc, &a, &text, err))
		buf_addstr(out, text);
}

static void values(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *value;
		enum yedit_style style;
		const char *want;
	} cases[] = {
		{ "# top\nk: 1.0  # why\n\nz: 'x'\n", "2.0", YEDIT_SAME, "# top\nk: 2.0  # why\n\nz: 'x'\n" },
		{ "k: 1.0\n", "2.0", YEDIT_QUOTED, "k: \"2.0\"\n" },
		{ "k: '1.0'\n", "2.0", YEDIT_QUOTED, "k: '2.0'\n" },
		{ "k: '1'\n", "it's", YEDIT_SAME, "k: 'it''s'\n" },
		{ "k: \"1\"\n", "a\"b\\c", YEDIT_SAME, "k: \"a\\\"b\\\\c\"\n" },
		{ "k: 1\n", "a: b", YEDIT_SAME, "k: \"a: b\"\n" },
		{ "k:\nz: 1\n", "v", YEDIT_SAME, "k: v\nz: 1\n" },
		{ "k: ~\r\nz: 1\r\n", "v", YEDIT_SAME, "k: v\r\nz: 1\r\n" },
		{ "{k: 1, z: 2}", "v", YEDIT_SAME, "{k: v, z: 2}" },
		{ "{k: 1}", "a,b", YEDIT_QUOTED, "{k: \"a,b\"}" },
		{ "k: &x 1\nz: *x\n", "v", YEDIT_SAME, "k: &x v\nz: *x\n" },
		{ "z: &x !!str 1\nk: *x\n", "v", YEDIT_SAME, "z: &x !!str v\nk: *x\n" },
		{ "k: |\n  1.0\nz: 1\n", "2", YEDIT_QUOTED, "k: \"2\"\nz: 1\n" },
		{ "k: >-\n  1.0\n", "2", YEDIT_SAME, "k: \"2\"\n" },
		{ "\xef\xbb\xbfk: \xc3\xa9 # \xc3\xa9\n", "e", YEDIT_SAME, "\xef\xbb\xbfk: e # \xc3\xa9\n" },
		{ "l: a\nk: b\n", "v", YEDIT_SAME, "l: other\nk: v\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(1 << 20);
		change(cases[i].yaml, cases[i].value, cases[i].style, &out, &err);
		if (err.msg || strcmp(out.p, cases[i].want) != 0)
			fail_msg("case %zu: %s", i, err.msg ? err.msg : out.p);
	}
}

static void refused(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *value, *want;
	} cases[] = {
		{ "k: &x 1\nl: *x\n", "v", "f.yaml:1:4: one text cannot get two values at once" },
		{ "k: a\n", "b\nc: d", "cannot be changed in place" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(1 << 20);
		change(cases[i].yaml, cases[i].value, YEDIT_SAME, &out, &err);
		if (!err.msg || !strstr(err.msg, cases[i].want))
			fail_msg("case %zu: %s", i, err.msg ? err.msg : out.p);
	}
}

static void lines(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct ydoc doc;
	struct yedits e = { 0 };
	struct str text;
	assert_true(ydoc_parse(S("a: 1\nb: 2\nc: 3\n"), "f", &a, &doc, &err));
	yedit_lines(&e, 5, 10, S("x: 9\ny: 8\n"), &a);
	yedit_lines(&e, 15, 15, S("d: 4\n"), &a);
	assert_true(yedit_apply(&e, &doc, &a, &text, &err));
	assert_string_equal(text.p, "a: 1\nx: 9\ny: 8\nc: 3\nd: 4\n");
	yedit_lines(&e, 0, 0, S("\t: [\n"), &a);
	assert_false(yedit_apply(&e, &doc, &a, &text, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(refused),
		cmocka_unit_test(lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
