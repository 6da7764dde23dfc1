#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "apko/layers/split.h"
#include "shared/archive/tar.h"

/* A tree by hand, with files of two packages, and what each layer gets of it. */

static const struct node {
	char type;
	const char *path;
	int owner;	/* package, 0 = none */
	int64_t mtime;
	const char *text;	/* content, link target, or "=PATH": another name of it */
} nodes[] = {
	{ '5', "etc", 0, 7, NULL },
	{ '5', "etc/sub", 0, 8, NULL },
	{ '0', "etc/zz", 1, 100, "of one" },
	{ '5', "usr", 0, 9, NULL },
	{ '5', "usr/bin", 0, 9, NULL },
	{ '0', "usr/bin/a", 1, 101, "tool" },
	{ '0', "usr/bin/b", 1, 102, "=usr/bin/a" },
	{ '0', "usr/bin/c", 2, 103, "=usr/bin/a" },
	{ '0', "usr/bin/d", 0, 104, "=usr/bin/a" },
	{ '0', "usr/bin/e", 2, 105, "=usr/bin/a" },
	{ '5', "usr/lib", 0, 9, NULL },
	{ '5', "usr/lib/apk", 0, 0, NULL },
	{ '5', "usr/lib/apk/db", 0, 0, NULL },
	{ '0', "usr/lib/apk/db/installed", 0, 0, "P:one\n\nP:two\n\n" },
	{ '2', "usr/lib/link", 2, 106, "apk" },
	{ '5', "var", 2, 107, NULL },
	{ '3', "var/dev", 2, 108, NULL },
};

static const char *const want[] = {
	"5 etc 100\n5 etc/sub 100\n0 etc/zz 100 of one\n"
	"5 usr 101\n5 usr/bin 101\n0 usr/bin/a 101 tool\n1 usr/bin/b 102 usr/bin/a\n"
	"5 usr/lib 0\n5 usr/lib/apk 0\n5 usr/lib/apk/db 0\n"
	"0 usr/lib/apk/db/installed 0 P:one\n\n\n",
	"5 usr 103\n5 usr/bin 103\n0 usr/bin/c 103 tool\n1 usr/bin/e 105 usr/bin/c\n"
	"5 usr/lib 0\n5 usr/lib/apk 0\n5 usr/lib/apk/db 0\n"
	"0 usr/lib/apk/db/installed 0 P:two\n\n\n"
	"2 usr/lib/link 106 apk\n",
	"5 etc 7\n5 etc/sub 8\n5 usr 9\n5 usr/bin 9\n0 usr/bin/d 104 tool\n5 usr/lib 9\n"
	"5 usr/lib/apk 0\n5 usr/lib/apk/db 0\n"
	"0 usr/lib/apk/db/installed 0 P:one\n\nP:two\n\n\n5 var 107\n3 var/dev 108\n",
};

static const char single[] =
	"5 etc 7\n5 etc/sub 8\n0 etc/zz 100 of one\n5 usr 9\n5 usr/bin 9\n0 usr/bin/a 101 tool\n"
	"1 usr/bin/b 102 usr/bin/a\n1 usr/bin/c 103 usr/bin/a\n1 usr/bin/d 104 usr/bin/a\n"
	"1 usr/bin/e 105 usr/bin/a\n5 usr/lib 9\n5 usr/lib/apk 0\n5 usr/lib/apk/db 0\n"
	"0 usr/lib/apk/db/installed 0 P:one\n\nP:two\n\n\n2 usr/lib/link 106 apk\n5 var 107\n"
	"3 var/dev 108\n";

static void fill(struct tree *t, const struct apk_file *files)
{
	for (size_t i = 0; i < countof(nodes); i++) {
		const struct node *d = &nodes[i];
		struct str path = str_of(d->path), dir = STR_NONE, name = path;
		long slash = str_rchr(path, '/');
		if (slash >= 0) {
			dir = str_sub(path, 0, (size_t)slash);
			name = str_from(path, (size_t)slash + 1);
		}
		struct tree_node *n =
			tree_add(t, dir.n ? tree_find(t, dir, false) : t->root, name, d->type);
		n->mode = 0755;
		n->mtime = d->mtime;
		n->owner = d->owner ? &files[d->owner - 1] : NULL;
		if (d->type == '2')
			n->link = str_of(d->text);
		if (d->type == '0' && d->text[0] == '=')
			tree_share(n, tree_find(t, str_of(d->text + 1), false));
		else if (d->type == '0')
			tree_set_bytes(t, n, str_of(d->text));
	}
}

/* The tar that a plan makes, read back: "TYPE NAME MTIME [CONTENT or TARGET]" lines. */
static void show(const struct export_plan *plan, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf tar = BUF_INIT(BUF_NOLIMIT);
	struct buf_sink sink;
	struct mem_source from;
	struct tar_reader r;
	struct tar_entry e;
	int more;
	buf_sink_init(&sink, &tar);
	if (!export_tar(plan, &sink.sink, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(tar.n, plan->size);
	mem_source_init(&from, buf_str(&tar));
	tar_reader_init(&r, &from.src, "test", &a);
	while ((more = tar_next(&r, &e, &err)) == 1) {
		char text[256];
		ssize_t n = tar_read(&r, text, sizeof(text), &err);
		assert_true(n >= 0);
		buf_printf(out, "%c %.*s %lld", e.type, STR_ARG(e.name), (long long)e.mtime);
		if (n || e.link.n)
			buf_printf(out, " %.*s%.*s", STR_ARG(e.link), (int)n, text);
		buf_addc(out, '\n');
	}
	assert_int_equal(more, 0);
	assert_true(r.ended);
}

static void splitting(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_file files[2] = { { .info.name = S("one") }, { .info.name = S("two") } };
	const struct install_record records[2] = { { &files[0], S("P:one\n\n") },
		{ &files[1], S("P:two\n\n") } };
	const struct install_record *first = &records[0], *second = &records[1];
	struct layer_group groups[2] = { { .v = &first, .n = 1 }, { .v = &second, .n = 1 } };
	struct layer_groups list = { groups, 2, 2 };
	struct layer_plans plans;
	struct tree t;
	(void)state;
	tree_init(&t);
	fill(&t, files);
	if (!layer_split(&t, &list, &a, &plans, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(plans.n, countof(want));
	for (size_t i = 0; i < countof(want); i++) {
		auto_buf struct buf got = BUF_INIT(BUF_NOLIMIT);
		show(&plans.v[i], &got);
		assert_string_equal(got.p, want[i]);
	}
	auto_buf struct buf got = BUF_INIT(BUF_NOLIMIT);
	if (!layer_split(&t, NULL, &a, &plans, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(plans.n, 1);
	show(&plans.v[0], &got);
	assert_string_equal(got.p, single);
	tree_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(splitting) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
