#include "shared/text/ynode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/buf.h"
#include "shared/os/fd.h"

/* Writes a tree as one line: null ~, "text", [list], {key: value}. */
static void dump(struct buf *out, const struct ynode *n)
{
	if (!n) {
		buf_adds(out, "-");
	} else if (n->kind == YN_NULL) {
		buf_adds(out, "~");
	} else if (n->kind == YN_SCALAR) {
		buf_printf(out, "\"%.*s\"", STR_ARG(n->text));
	} else if (n->kind == YN_SEQ) {
		buf_addc(out, '[');
		for (size_t i = 0; i < n->n; i++) {
			buf_adds(out, i ? ", " : "");
			dump(out, n->items[i]);
		}
		buf_addc(out, ']');
	} else {
		buf_addc(out, '{');
		for (size_t i = 0; i < n->n; i++) {
			buf_adds(out, i ? ", " : "");
			dump(out, n->pairs[i].key);
			buf_adds(out, ": ");
			dump(out, n->pairs[i].val);
		}
		buf_addc(out, '}');
	}
}

static void check_tree(struct str text, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf got = BUF_INIT(BUF_NOLIMIT);
	struct ydoc doc = { 0 };

	if (!ydoc_parse(text, "f", &a, &doc, &err))
		fail_msg("%s\n  for: %.*s", err.msg, STR_ARG(text));
	dump(&got, doc.root);
	assert_string_equal(buf_str(&got).p, want);
}

static void trees(unused_arg void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "-" },
		{ "# only a comment\n", "-" },
		{ "---\n", "-" },
		{ "a: 1.10\nb: [x, 'y', \"z\"]\n", "{\"a\": \"1.10\", \"b\": [\"x\", \"y\", \"z\"]}" },
		{ "[a, , b]", NULL },
		{ "- ~\n- null\n- Null\n- NULL\n-\n- nULL\n- ''\n", "[~, ~, ~, ~, ~, \"nULL\", \"\"]" },
		{ "- 'null'\n- \"~\"\n", "[\"null\", \"~\"]" },
		{ "- !!str ~\n- !!str\n- ! null\n", "[\"~\", \"\", \"null\"]" },
		{ "- !!int 3\n- !own x\n", "[\"3\", \"x\"]" },
		{ "- !!binary aGVsbG8=\n", "[\"hello\"]" },
		{ "- !!binary |\n  aGVs\n  bG8=\n", "[\"hello\"]" },
		{ "- !!binary ''\n", "[\"\"]" },
		{ "a: |\n  x\n  y\n", "{\"a\": \"x\ny\n\"}" },
		{ "a: &x [1]\nb: *x\n", "{\"a\": [\"1\"], \"b\": [\"1\"]}" },
		{ "a: &x 1\nb: &x 2\nc: *x\n", "{\"a\": \"1\", \"b\": \"2\", \"c\": \"2\"}" },
		{ "~: 1\n", "{~: \"1\"}" },
		{ "a: &b {x: 1, y: 2}\nc:\n  y: 3\n  <<: *b\n  z: 4\n",
			"{\"a\": {\"x\": \"1\", \"y\": \"2\"}, "
			"\"c\": {\"y\": \"3\", \"x\": \"1\", \"z\": \"4\"}}" },
		{ "<<: [{x: 1}, {x: 2, y: 3}]\ny: 9\n", "{\"x\": \"1\", \"y\": \"9\"}" },
		{ "<<:\na: 1\n", "{\"a\": \"1\"}" },
		{ "'<<': 1\n", "{\"<<\": \"1\"}" },
		{ "a: 1\r\nb: 2\r\n", "{\"a\": \"1\", \"b\": \"2\"}" },
		{ "\xef\xbb\xbf" "a: \xc3\xa4\n", "{\"a\": \"\xc3\xa4\"}" },
		{ "a: x\n...\n", "{\"a\": \"x\"}" },
	};

	for (size_t i = 0; i < countof(cases); i++)
		if (cases[i].want)
			check_tree(str_of(cases[i].text), cases[i].want);
	check_tree(str_n("\xff\xfe" "a\0:\0 \0\xe4\0\n\0", 12), "{\"a\": \"\xc3\xa4\"}");
	check_tree(str_n("\xfe\xff\0a\0:\0 \xd8\x3d\xde\0", 12), "{\"a\": \"\xf0\x9f\x98\x80\"}");
}

/* The first line of the message for a text that must not parse. */
static void check_error(struct str text, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct ydoc doc = { 0 };
	struct str first, rest;

	if (ydoc_parse(text, "f", &a, &doc, &err))
		fail_msg("parsed, but should not: %.*s", STR_ARG(text));
	assert_int_equal(err.kind, EK_SOURCE);
	assert_null(doc.file);
	(void)str_cut(str_of(err.msg), '\n', &first, &rest);
	if (!str_is(first, want))
		fail_msg("got  %s\nwant %s", err.msg, want);
}

static void errors(unused_arg void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key \"a\", first at 1:1" },
		{ "a: {1: x, '1': y}\n", "f:1:11: duplicate key \"1\", first at 1:5" },
		{ "null: 1\n~: 2\n", "f:2:1: duplicate key \"null\", first at 1:1" },
		{ "<<: {a: 1}\n<<: {b: 1}\n",
			"f:2:1: duplicate key \"<<\", first at 1:1" },
		{ "<<: 1\n", "f:1:5: merge value must be a map or a list of maps, found a text" },
		{ "? [a]\n: b\n", "f:1:3: a list cannot be a key" },
		{ "a: &x [*x]\n", "f:1:8: anchor \"x\" contains itself" },
		{ "a: *y\n", "f:1:4: undefined alias \"y\"" },
		{ "a: 1\n---\nb: 2\n", "f:2:1: more than one document: a second one starts here" },
		{ "a: 1\n---\n", "f:2:1: more than one document: a second one starts here" },
		{ "\xc3\xa4: \xff\n", "f:1:4: invalid UTF-8 (byte 0xff)" },
		{ "a: \xc0\x80\n", "f:1:4: invalid UTF-8 (byte 0xc0)" },
		{ "a: \xed\xa0\x80\n", "f:1:4: invalid UTF-8 (byte 0xed)" },
		{ "a: \x07\n", "f:1:4: control character U+0007 is not allowed" },
		{ "a: \x7f\n", "f:1:4: control character U+007F is not allowed" },
		{ "a: \xef\xbb\xbf\n", "f:1:4: byte order mark inside the text" },
		{ "a: \"x\\0y\"\n", "f:1:4: NUL byte in a text" },
		{ "a: !!binary '%%'\n", "f:1:4: '!!binary' text is not base64" },
		{ "a: !!binary 'aGVsbG9='\n", "f:1:4: '!!binary' text is not base64" },
		{ "a:\n\tb: 1\n", "f:2:1: a tab cannot be used for indentation, below key \"a\"" },
		{ "a: [1\n", NULL },
	};

	for (size_t i = 0; i < countof(cases); i++)
		if (cases[i].want)
			check_error(str_of(cases[i].text), cases[i].want);
	check_error(str_n("a: \0b", 5), "f:1:4: NUL byte; is this a text file?");
	check_error(str_n("\xff\xfe" "a\0\0\xd8", 6), "f:1:1: malformed UTF-16");
	check_error(str_n("\xff\xfe" "a", 3), "f:1:1: malformed UTF-16");
}

static void depth(unused_arg void **state)
{
	auto_buf struct buf text = BUF_INIT(BUF_NOLIMIT);
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct ydoc doc;

	for (int i = 0; i < 100; i++)
		buf_addc(&text, '[');
	for (int i = 0; i < 100; i++)
		buf_addc(&text, ']');
	assert_true(ydoc_parse(buf_str(&text), "f", &a, &doc, &err));
	buf_clear(&text);
	for (int i = 0; i < 50000; i++)
		buf_adds(&text, "[");
	check_error(buf_str(&text), "f:1:101: nested too deeply (limit 100)");

	/* aliases make levels as well: each line adds 30 */
	buf_clear(&text);
	buf_adds(&text, "- &a0 x\n");
	for (int i = 1; i < 5; i++) {
		buf_printf(&text, "- &a%d ", i);
		for (int k = 0; k < 30; k++)
			buf_addc(&text, '[');
		buf_printf(&text, "*a%d", i - 1);
		for (int k = 0; k < 30; k++)
			buf_addc(&text, ']');
		buf_addc(&text, '\n');
	}
	check_error(buf_str(&text), "f:5:37: nested too deeply (limit 100)");
}

static void node_count(unused_arg void **state)
{
	auto_buf struct buf text = BUF_INIT(BUF_NOLIMIT);

	buf_adds(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 9; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			buf_printf(&text, "*a%d,", i - 1);
		buf_adds(&text, "]\n");
	}
	check_error(buf_str(&text), "f:6:10: too many aliases: the text is too large with them replaced (limit 100000)");
	buf_clear(&text);
	for (int i = 0; i < 100000; i++)
		buf_adds(&text, "- x\n");
	check_error(buf_str(&text), "f:100000:3: too many nodes (limit 100000)");
}

static void big_scalar(unused_arg void **state)
{
	auto_buf struct buf text = BUF_INIT(BUF_NOLIMIT);
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct ydoc doc;

	buf_adds(&text, "a: |\n");
	for (int i = 0; i < 160000; i++)
		buf_adds(&text, "  0123456789012345678901234567890123456789012345678901234567890\n");
	buf_adds(&text, "b: 1\n");
	assert_true(ydoc_parse(buf_str(&text), "f", &a, &doc, &err));
	assert_int_equal(ynode_get(doc.root, "a")->text.n, 160000 * 62);
	assert_int_equal(ynode_get(doc.root, "b")->pos.line, 160002);
}

/* Byte ranges and positions hold whatever stands before them. */
static void ranges(unused_arg void **state)
{
	static const struct {
		const char *text, *want;
		int line, col;
	} cases[] = {
		{ "k: value\n", "value", 1, 4 },
		{ "# \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\nk: v\xc3\xa4lue # c\n", "v\xc3\xa4lue", 2, 4 },
		{ "\xef\xbb\xbf\xc3\xa4: 1\r\nk: 'x'\r\n", "'x'", 2, 4 },
		{ "\xc3\xa4: 1 \xe2\x80\xa8 \nk: \"y\\u00e4\"\n", NULL, 0, 0 },
		{ "k: &anchor text\n", "&anchor text", 1, 4 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		const struct ynode *n;
		struct ydoc doc;

		if (!cases[i].want)
			continue;
		assert_true(ydoc_parse(str_of(cases[i].text), "f", &a, &doc, &err));
		n = ynode_get(doc.root, "k");
		assert_true(str_is(str_sub(doc.src, n->off, n->end - n->off), cases[i].want));
		assert_int_equal(n->pos.line, cases[i].line);
		assert_int_equal(n->pos.col, cases[i].col);
		assert_string_equal(n->pos.file, "f");
	}
}

/* Where "X" stands in the text of `k` is where it stands in the source. */
static void positions(unused_arg void **state)
{
	static const struct {
		const char *text;
		int line, col;
	} cases[] = {
		{ "k: abXc\n", 1, 6 },
		{ "k: \xc3\xa4\xc3\xa4X\n", 1, 6 },
		{ "k: 'it''s X'\n", 1, 11 },
		{ "k: \"a\\tb\\x41\\u20ac\\U0001F600\\NX\"\n", 1, 31 },
		{ "k: &a !!str 'X'\n", 1, 14 },
		{ "k: |\n  a\n\n    bX\n", 4, 6 },
		{ "k: |-\r\n  a\r\n  X\r\n", 3, 3 },
		{ "z: 1\nk: |2\n   X\n", 3, 4 },
		{ "k: >\n  a\n  X\n", 1, 4 },
		{ "k: a\n  X\n", 1, 4 },
		{ "k: \"a\n  X\"\n", 1, 4 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		const struct ynode *n;
		struct pos pos;
		struct ydoc doc;

		assert_true(ydoc_parse(str_of(cases[i].text), "f", &a, &doc, &err));
		n = ynode_get(doc.root, "k");
		pos = ynode_pos_at(&doc, n, (size_t)str_chr(n->text, 'X'));
		if (pos.line != cases[i].line || pos.col != cases[i].col)
			fail_msg("%zu: got %d:%d", i, pos.line, pos.col);
		pos = ynode_pos_at(&doc, n, n->text.n + 1);
		assert_int_equal(pos.col, n->pos.col);
	}
}

static void load(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	char path[] = "test_ynode.tmp.yaml";
	struct ydoc doc;

	assert_true(file_write(path, "a: b\n", 5, 0600, &err));
	assert_true(ydoc_load(path, &a, &doc, &err));
	assert_string_equal(doc.file, path);
	assert_true(str_is(ynode_get(doc.root, "a")->text, "b"));
	assert_null(ynode_get(doc.root, "b"));
	assert_null(ynode_get(ynode_get(doc.root, "a"), "b"));
	assert_int_equal(unlink(path), 0);
	assert_false(ydoc_load(path, &a, &doc, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees),
		cmocka_unit_test(errors),
		cmocka_unit_test(depth),
		cmocka_unit_test(node_count),
		cmocka_unit_test(big_scalar),
		cmocka_unit_test(ranges),
		cmocka_unit_test(positions),
		cmocka_unit_test(load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
