#include "shared/text/ynode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct str text = { "one: 1\n\tt\xc3\xa4 x\nbad \x1b[0m \xff y\n", 27 };

static void check(struct diags *d, const char *want)
{
	auto_err struct err err = ERR_INIT;

	assert_false(diags_ok(d, &err));
	assert_int_equal(err.kind, EK_SOURCE);
	assert_string_equal(err.msg, want);
}

static void none(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct diags d;

	diags_init(&d, &a, NULL);
	assert_true(diags_ok(&d, &err));
	assert_int_equal(err.kind, EK_NONE);
}

static void sorted_with_source(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ydoc doc = { .file = "f", .src = text };
	struct diags d;

	diags_init(&d, &a, &doc);
	diags_add(&d, (struct pos){ "f", 3, 5 }, "escape");
	diags_add(&d, (struct pos){ "f", 2, 5 }, "second %s\nhint: do that", "thing");
	diags_add(&d, (struct pos){ "f", 1, 1 }, "first");
	diags_add(&d, (struct pos){ "f", 1, 1 }, "first");
	check(&d, "f:1:1: first\none: 1\n^\n"
		"f:2:5: second thing\n\tt\xc3\xa4 x\n\t   ^\nhint: do that\n"
		"f:3:5: escape\nbad ?[0m ? y\n    ^");
}

static void without_source(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ydoc doc = { .file = "f", .src = text };
	struct diags d;

	diags_init(&d, &a, &doc);
	diags_add(&d, (struct pos){ NULL, 0, 0 }, "nowhere");
	diags_add(&d, (struct pos){ "g", 1, 1 }, "other file\nhint: h");
	diags_add(&d, (struct pos){ "f", 99, 1 }, "past the end");
	check(&d, "nowhere\nf:99:1: past the end\ng:1:1: other file\nhint: h");
}

static void long_line(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	char line[1001];
	struct ydoc doc = { .file = "f", .src = { line, 1000 } };
	struct str msg, part;
	struct diags d;

	memset(line, 'x', 1000);
	line[500] = 'Y';
	diags_init(&d, &a, &doc);
	diags_add(&d, (struct pos){ "f", 1, 501 }, "here");
	assert_false(diags_ok(&d, &err));
	msg = str_of(err.msg);
	assert_true(str_next(&msg, '\n', &part));
	assert_true(str_next(&msg, '\n', &part));
	assert_int_equal(part.n, 200);
	assert_int_equal(str_chr(part, 'Y'), str_chr(msg, '^'));
}

/* Notes tell how a place was reached; a place reached twice is told of once. */
static void notes(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ydoc doc = { .file = "f", .src = text }, other = { .file = "g", .src = S("a: b\n") };
	const struct diag_note item = { .text = "in item x" };
	const struct diag_note used = { .text = "used from f:1:1", .of = { "f", 1, 1 },
		.elsewhere = true, .up = &item };
	struct diags d;

	diags_init(&d, &a, &doc);
	diags_doc(&d, &other);
	diags_doc(&d, &other);
	d.note = &used;
	diags_add(&d, (struct pos){ "g", 1, 4 }, "in the other\nhint: there");
	diags_add(&d, (struct pos){ "f", 1, 1 }, "in the first");
	d.note = &item;
	diags_add(&d, (struct pos){ "f", 1, 1 }, "in the first");
	d.note = NULL;
	diags_add(&d, (struct pos){ "g", 1, 4 }, "in the other");
	check(&d, "f:1:1: in the first\none: 1\n^\nnote: in item x\n"
		"g:1:4: in the other\na: b\n   ^\nnote: used from f:1:1\nnote: in item x\nhint: there");
}

/* Names out of the input cannot begin a line. */
static void one_line(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct diags d;

	diags_init(&d, &a, NULL);
	diags_add(&d, (struct pos){ "f", 1, 1 }, "bad name '%s'\nhint: do\nthat", "a\nb\x1b\t");
	check(&d, "f:1:1: bad name 'a b? '\nhint: do that");
}

static void many(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct diags d;

	diags_init(&d, &a, NULL);
	for (int i = 0; i < 60; i++)
		diags_add(&d, (struct pos){ "f", i + 1, 1 }, "problem");
	assert_false(diags_ok(&d, &err));
	assert_non_null(strstr(err.msg, "f:50:1: problem\n... 10 more"));
	assert_null(strstr(err.msg, "f:51:"));
	assert_true(diags_many(&d));
	/* beyond what is kept they are counted */
	for (int i = 0; i < 10000; i++)
		diags_add(&d, (struct pos){ "f", i + 1, 2 }, "problem");
	assert_false(diags_ok(&d, &err));
	assert_non_null(strstr(err.msg, "\n... 10010 more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),
		cmocka_unit_test(sorted_with_source),
		cmocka_unit_test(without_source),
		cmocka_unit_test(long_line),
		cmocka_unit_test(notes),
		cmocka_unit_test(one_line),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
