#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/text/jread.h"
#include "shared/text/jwrite.h"

static void write_text(unused_arg void **state)
{
	static const struct {
		struct str in;
		const char *want;
	} cases[] = {
		{ { "", 0 }, "\"\"" },
		{ { "a\"b\\c/", 6 }, "\"a\\\"b\\\\c/\"" },
		{ { "<>&", 3 }, "\"\\u003c\\u003e\\u0026\"" },
		{ { "\b\f\n\r\t", 5 }, "\"\\b\\f\\n\\r\\t\"" },
		{ { "\0\x01\x0b\x1f\x7f", 5 }, "\"\\u0000\\u0001\\u000b\\u001f\x7f\"" },
		{ { "\xe2\x80\xa8\xe2\x80\xa9", 6 }, "\"\\u2028\\u2029\"" },
		{ { "\xc3\xa4\xf0\x9f\x98\x80", 6 }, "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
		{ { "a\xff\xc3", 3 }, "\"a\\ufffd\\ufffd\"" },
		{ { "\xed\xa0\x80", 3 }, "\"\\ufffd\\ufffd\\ufffd\"" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
		struct jwrite w;

		jw_init(&w, &out, 0);
		jw_str(&w, cases[i].in);
		assert_string_equal(buf_str(&out).p, cases[i].want);
	}
}

static void write_sample(struct buf *out, unsigned indent)
{
	struct jwrite w;

	jw_init(&w, out, indent);
	jw_object(&w);
	jw_kstr(&w, "a", S("x"));
	jw_kstr_opt(&w, "none", STR_NONE);
	jw_kstr_opt(&w, "some", S("y"));
	jw_key(&w, "l");
	jw_array(&w);
	jw_int(&w, INT64_MIN);
	jw_null(&w);
	jw_array(&w);
	jw_array_end(&w);
	jw_array_end(&w);
	jw_key_str(&w, S("o"));
	jw_object(&w);
	jw_object_end(&w);
	jw_kint(&w, "i", 7);
	jw_kbool(&w, "b", true);
	jw_key(&w, "p");
	jw_object(&w);
	jw_kbool(&w, "q", false);
	jw_object_end(&w);
	jw_object_end(&w);
}

static void write_layout(unused_arg void **state)
{
	auto_buf struct buf compact = BUF_INIT(BUF_NOLIMIT), pretty = BUF_INIT(BUF_NOLIMIT);

	write_sample(&compact, 0);
	assert_string_equal(buf_str(&compact).p,
		"{\"a\":\"x\",\"some\":\"y\",\"l\":[-9223372036854775808,null,[]],\"o\":{},"
		"\"i\":7,\"b\":true,\"p\":{\"q\":false}}");
	write_sample(&pretty, 2);
	assert_string_equal(buf_str(&pretty).p,
		"{\n  \"a\": \"x\",\n  \"some\": \"y\",\n  \"l\": [\n    -9223372036854775808,\n"
		"    null,\n    []\n  ],\n  \"o\": {},\n  \"i\": 7,\n  \"b\": true,\n"
		"  \"p\": {\n    \"q\": false\n  }\n}");
}

static void read_values(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct str text = S("{\"z\": 1, \"a\": [true, false, null, 1.5, \"x\\u00e4\"], \"m\": {}}");
	struct jval *v;
	const struct jval *list;

	assert_true(jread(text, "f", &a, &v, &err));
	assert_int_equal(v->kind, JS_OBJECT);
	assert_int_equal(v->n, 3);
	assert_true(str_is(v->members[0].key, "z"));
	assert_true(str_is(v->members[1].key, "a"));
	assert_int_equal(jget(v, "z")->i, 1);
	list = jget(v, "a");
	assert_int_equal(list->n, 5);
	assert_true(list->items[0]->b);
	assert_int_equal(list->items[1]->kind, JS_BOOL);
	assert_int_equal(list->items[2]->kind, JS_NULL);
	assert_true(list->items[3]->kind == JS_REAL && list->items[3]->real == 1.5);
	assert_true(str_is(list->items[4]->s, "x\xc3\xa4"));
	assert_null(jget(v, "nope"));
	assert_null(jget(list, "z"));
	assert_int_equal(jget_str(v, "z").n, 0);
	assert_int_equal(jget_str(NULL, "z").n, 0);
	assert_true(jread(S(" \"bare\" "), "f", &a, &v, &err));
	assert_true(str_is(v->s, "bare"));
}

static void read_errors(unused_arg void **state)
{
	static const char *const cases[] = {
		"", "{", "{\"a\":1,\"a\":2}", "[1] x", "[1,]", "{'a':1}", "[\"\xff\"]", "nul",
		"[01]", "[99999999999999999999]", "[1e999]", "[\"\\ud800\"]", "[\"\\u0000\"]",
		"[\"a\nb\"]", "// c\n1",
	};
	auto_arena struct arena a = ARENA_INIT;
	struct jval *v = NULL;

	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;

		if (jread(str_of(cases[i]), "name", &a, &v, &err))
			fail_msg("read: %s", cases[i]);
		assert_int_equal(err.kind, EK_PARSE);
		assert_true(str_starts(str_of(err.msg), S("name:")));
		assert_null(v);
	}
}

static void read_limits(unused_arg void **state)
{
	auto_buf struct buf text = BUF_INIT(BUF_NOLIMIT);
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct jval *v;

	buf_addc(&text, '[');
	for (int i = 0; i < 200; i++)
		buf_adds(&text, "\"[\\\"[\",");
	for (int i = 1; i < 100; i++)
		buf_addc(&text, '[');
	for (int i = 0; i < 100; i++)
		buf_addc(&text, ']');
	assert_true(jread(buf_str(&text), "f", &a, &v, &err));
	buf_clear(&text);
	for (int i = 0; i < 100000; i++)
		buf_addc(&text, '[');
	assert_false(jread(buf_str(&text), "f", &a, &v, &err));
	assert_string_equal(err.msg, "f: nested too deeply (limit 100)");
	buf_clear(&text);
	for (int i = 0; i < 5000000; i++)
		buf_adds(&text, ",");
	assert_false(jread(buf_str(&text), "f", &a, &v, &err));
	assert_string_equal(err.msg, "f: too many values (limit 4194304)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_text),
		cmocka_unit_test(write_layout),
		cmocka_unit_test(read_values),
		cmocka_unit_test(read_errors),
		cmocka_unit_test(read_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
