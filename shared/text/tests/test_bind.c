#include "shared/text/bind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct leaf {
	const struct ynode *node;
	struct ystr name;
	int64_t level;
};
struct top {
	struct ystr name;
	struct ystrs list;
	struct ykvs kvs, inputs;
	bool flag;
	int64_t num;
	uint64_t unum;
	struct opt_int opt;
	int64_t wait;
	struct leaf leaf;
	struct leaf *leafp;
	struct bind_list leaves;
	struct bind_map by_name;
	const struct ynode *raw;
	struct bind_list children;
	const struct ynode *node;
};

static const struct bind_field leaf_fields[] = {
	{ .key = "leaf-name", .type = BIND_STR, .offset = offsetof(struct leaf, name),
		.flags = BIND_REQUIRED },
	{ .key = "level", .type = BIND_INT, .offset = offsetof(struct leaf, level) },
	{ 0 },
};
static const struct bind_schema leaf_schema = {
	"leaf", sizeof(struct leaf), leaf_fields, offsetof(struct leaf, node), false,
};

static const struct bind_field top_fields[] = {
	{ .key = "name", .type = BIND_STR, .offset = offsetof(struct top, name) },
	{ .key = "list", .type = BIND_STRS, .offset = offsetof(struct top, list) },
	{ .key = "kvs", .type = BIND_KVS, .offset = offsetof(struct top, kvs) },
	{ .key = "inputs", .type = BIND_KVS, .offset = offsetof(struct top, inputs),
		.flags = BIND_INPUTS },
	{ .key = "flag", .type = BIND_BOOL, .offset = offsetof(struct top, flag) },
	{ .key = "num", .type = BIND_INT, .offset = offsetof(struct top, num) },
	{ .key = "unsigned", .type = BIND_UINT, .offset = offsetof(struct top, unum) },
	{ .key = "opt", .type = BIND_OPT_INT, .offset = offsetof(struct top, opt),
		.flags = BIND_QUOTED },
	{ .key = "wait", .type = BIND_DURATION, .offset = offsetof(struct top, wait) },
	{ .key = "leaf", .type = BIND_STRUCT, .offset = offsetof(struct top, leaf),
		.sub = &leaf_schema },
	{ .key = "leafp", .type = BIND_STRUCT_PTR, .offset = offsetof(struct top, leafp),
		.sub = &leaf_schema },
	{ .key = "leaves", .type = BIND_LIST, .offset = offsetof(struct top, leaves),
		.sub = &leaf_schema },
	{ .key = "by-name", .type = BIND_MAP, .offset = offsetof(struct top, by_name),
		.sub = &leaf_schema },
	{ .key = "raw", .type = BIND_NODE, .offset = offsetof(struct top, raw) },
	{ .key = "children", .type = BIND_LIST, .offset = offsetof(struct top, children),
		.flags = BIND_RECURSE },
	{ 0 },
};
static const struct bind_schema top_schema = {
	"the file", sizeof(struct top), top_fields, offsetof(struct top, node), false,
};

static bool load(const char *text, struct arena *a, struct top *top, struct err *err)
{
	struct ydoc doc;
	struct diags d;

	assert_true(ydoc_parse(str_of(text), "f", a, &doc, err));
	diags_init(&d, a, &doc);
	bind_struct(&top_schema, doc.root, top, a, &d);
	return diags_ok(&d, err);
}

static void all_types(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct top t = { 0 };
	const struct leaf *leaves;
	const struct top *children;

	if (!load("name: 1.10\nlist: [a, ~, 0x1F]\nkvs: {k: v, e: , 3: yes}\nflag: 'on'\n"
		"num: -0x10\nunsigned: 1_000\nopt: '0'\nwait: 1m\n"
		"leaf: {leaf-name: l, level: 3}\nleafp: {leaf-name: p}\n"
		"leaves: [{leaf-name: x}, {leaf-name: y}]\nby-name: {one: {leaf-name: z}}\n"
		"raw: [1]\nchildren: [{name: c, children: [{name: d}]}]\n", &a, &t, &err))
		fail_msg("%s", err.msg);
	assert_true(str_is(t.name.s, "1.10"));
	assert_int_equal(t.name.at->pos.col, 7);
	assert_int_equal(t.list.n, 2);
	assert_true(str_is(t.list.v[1].s, "0x1F"));
	assert_int_equal(t.kvs.n, 3);
	assert_int_equal(ykvs_get(&t.kvs, S("e"))->s.n, 0);
	assert_true(str_is(ykvs_get(&t.kvs, S("3"))->s, "yes"));
	assert_null(ykvs_get(&t.kvs, S("none")));
	assert_true(t.flag);
	assert_int_equal(t.num, -16);
	assert_int_equal(t.unum, 1000);
	assert_true(t.opt.set);
	assert_int_equal(t.wait, 60000000000);
	assert_int_equal(t.leaf.level, 3);
	assert_non_null(t.leaf.node);
	assert_true(str_is(t.leafp->name.s, "p"));
	leaves = t.leaves.v;
	assert_int_equal(t.leaves.n, 2);
	assert_true(str_is(leaves[1].name.s, "y"));
	assert_true(str_is(t.by_name.v[0].key, "one"));
	assert_true(str_is(((struct leaf *)t.by_name.v[0].val)->name.s, "z"));
	assert_int_equal(t.raw->kind, YN_SEQ);
	children = t.children.v;
	assert_true(str_is(((struct top *)children->children.v)->name.s, "d"));
	assert_ptr_equal(t.node->pairs[0].val, t.name.at);
}

static void nulls(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct top t = { 0 };

	assert_true(load("name:\nlist:\nkvs: ~\nflag: null\nnum:\nopt:\nwait:\nleaf:\nleafp:\n"
		"leaves:\nby-name:\nraw:\nchildren:\n", &a, &t, &err));
	assert_null(t.name.at);
	assert_null(t.leafp);
	assert_false(t.opt.set);
	assert_int_equal(t.raw->kind, YN_NULL);
	assert_true(load("", &a, &t, &err));
}

static void integers(unused_arg void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "0", 0 }, { "-0", 0 }, { "+7", 7 }, { "017", 15 }, { "0o17", 15 }, { "0b101", 5 },
		{ "08", 8 }, { "0xfF", 255 }, { "1_0", 10 }, { "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct top t = { 0 };

		if (!load(arena_printf(&a, "num: %s\n", cases[i].text), &a, &t, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(t.num, cases[i].want);
	}
}

/* Each text gives exactly this message (source line and caret left out). */
static void problems(unused_arg void **state)
{
	static const struct {
		const char *text, *first, *hint;
	} cases[] = {
		{ "nme: x\n", "f:1:1: unknown key \"nme\" in the file; did you mean \"name\"?", NULL },
		{ "anme: x\n", "f:1:1: unknown key \"anme\" in the file; did you mean \"name\"?", NULL },
		{ "level: 1\n", "f:1:1: unknown key \"level\" in the file; it belongs in leaf", NULL },
		{ "leaf: {leaf-name: x, wait: 1s}\n",
			"f:1:22: unknown key \"wait\" in leaf; it belongs in the file", NULL },
		{ "children: [{}, {children: [{nme: x}]}]\n", "f:1:29: unknown key \"nme\" in "
			"children[1].children[0]; did you mean \"name\"?", NULL },
		{ "qqqqqq: 1\n", "f:1:1: unknown key \"qqqqqq\" in the file", NULL },
		{ "list: x\n", "f:1:7: list must be a list, found a text", NULL },
		{ "list: [a, [x]]\n", "f:1:11: list[1] must be a text, found a list", NULL },
		{ "name: {a: b}\n", "f:1:7: name must be a text, found a map", NULL },
		{ "kvs: {a: [b]}\n", "f:1:10: kvs.a must be a text, found a list", NULL },
		{ "inputs: {a: [b]}\n", "f:1:13: input \"a\" must be a scalar, found a list", NULL },
		{ "leaf: x\n", "f:1:7: leaf must be a map, found a text", NULL },
		{ "leaves: [x]\n", "f:1:10: leaves[0] must be a map, found a text", NULL },
		{ "by-name: {k: x}\n", "f:1:14: by-name.k must be a map, found a text", NULL },
		{ "by-name: {k: {leaf-name: x, level: y}}\n",
			"f:1:36: by-name.k.level must be an integer, found 'y'", NULL },
		{ "- a\n", "f:1:1: the file must be a map, found a list", NULL },
		{ "leaf: {level: 1}\n", "f:1:7: leaf.leaf-name is required", NULL },
		{ "flag: 1\n", "f:1:7: flag must be true or false, found '1'", NULL },
		{ "flag: oN\n", "f:1:7: flag must be true or false, found 'oN'", NULL },
		{ "num: 1.5\n", "f:1:6: num must be an integer, found '1.5'", NULL },
		{ "num: '0'\n", "f:1:6: num must be an integer, found the quoted text '0'",
			"remove the quotes" },
		{ "num: 0x\n", "f:1:6: num must be an integer, found '0x'", NULL },
		{ "num: _1\n", "f:1:6: num must be an integer, found '_1'", NULL },
		{ "num: --1\n", "f:1:6: num must be an integer, found '--1'", NULL },
		{ "num: 9223372036854775808\n",
			"f:1:6: num: '9223372036854775808' is out of range", NULL },
		{ "unsigned: -1\n", "f:1:11: unsigned must be a non-negative integer, found '-1'",
			NULL },
		{ "opt: x\n", "f:1:6: opt must be an integer, found 'x'", NULL },
		{ "opt: 'x'\n", "f:1:6: opt must be an integer, found the quoted text 'x'",
			"remove the quotes" },
		{ "wait: soon\n",
			"f:1:7: wait: expected a duration such as 30m or seconds, found 'soon'", NULL },
		{ "wait: 9999999999999\n", "f:1:7: wait: '9999999999999' is out of range", NULL },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct top t = { 0 };
		struct str first, rest;
		long at;

		if (load(cases[i].text, &a, &t, &err))
			fail_msg("bound: %s", cases[i].text);
		(void)str_cut(str_of(err.msg), '\n', &first, &rest);
		if (!str_is(first, cases[i].first))
			fail_msg("got  %s\nwant %s", err.msg, cases[i].first);
		at = str_find(rest, S("\nhint: "));
		assert_int_equal(at >= 0, cases[i].hint != NULL);
		if (at >= 0 && !str_is(str_from(rest, (size_t)at + 7), cases[i].hint))
			fail_msg("%s", err.msg);
	}
}

static void all_at_once(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct top t = { 0 };

	assert_false(load("num: x\nnme: y\n", &a, &t, &err));
	assert_string_equal(err.msg, "f:1:6: num must be an integer, found 'x'\n"
		"num: x\n     ^\nf:2:1: unknown key \"nme\" in the file; did you mean \"name\"?\n"
		"nme: y\n^");
}

static void set_kvs(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ykvs kvs = { 0 };

	ykvs_set(&a, &kvs, S("a"), (struct ystr){ S("1"), NULL });
	ykvs_set(&a, &kvs, S("b"), (struct ystr){ S("2"), NULL });
	ykvs_set(&a, &kvs, S("a"), (struct ystr){ S("3"), NULL });
	assert_int_equal(kvs.n, 2);
	assert_true(str_is(ykvs_get(&kvs, S("a"))->s, "3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_types),
		cmocka_unit_test(nulls),
		cmocka_unit_test(integers),
		cmocka_unit_test(problems),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(set_kvs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
