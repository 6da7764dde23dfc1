#include "shared/image/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/image/paths.h"

/* Accounts and paths: a description is applied to a small tree, which is then listed, one line
 * for each node: path, type, mode, owner, and the target or the content. */

static struct tree t;
static struct arena a;

static int begin(unused_arg void **state)
{
	tree_init(&t);
	arena_init(&a);
	return 0;
}

static int end(unused_arg void **state)
{
	tree_release(&t);
	arena_release(&a);
	return 0;
}

static struct tree_node *file(const char *path, const char *text)
{
	auto_err struct err err = ERR_INIT;
	struct tree_node *n = tree_put(&t, str_of(path), str_of(text), 0640, &err);
	assert_non_null(n);
	return n;
}

static void symlink_to(const char *path, const char *target)
{
	auto_err struct err err = ERR_INIT;
	assert_non_null(tree_symlink(&t, str_of(path), str_of(target), &err));
}

static struct imgconf conf(const char *text)
{
	auto_err struct err err = ERR_INIT;
	struct ydoc doc;
	struct diags diags;
	struct imgconf c = {0};
	if (!ydoc_parse(str_of(text), "c.yaml", &a, &doc, &err))
		fail_msg("%s", err.msg);
	diags_init(&diags, &a, &doc);
	bind_struct(&imgconf_schema, doc.root, &c, &a, &diags);
	if (!diags_ok(&diags, &err) || !imgconf_finish(&c, &a, &err))
		fail_msg("%s", err.msg);
	return c;
}

static bool describe(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct buf *out = user;
	struct str text = n->link;
	if (n->type == '0' && !tree_read(n, &a, 1 << 20, &text, err))
		return false;
	buf_printf(out, "%.*s %c %04o %d:%d", STR_ARG(path), n->type, n->mode, (int)n->uid,
		(int)n->gid);
	if (text.n)
		buf_printf(out, " %.*s", STR_ARG(text));
	if (!text.n || text.p[text.n - 1] != '\n')
		buf_addc(out, '\n');
	return true;
}

static void expect_tree(const char *want)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1 << 20);
	assert_true(tree_walk(&t, describe, &out, &err));
	buf_addc(&out, 0);
	assert_string_equal(out.p, want);
}

static void expect_refused(bool ok, const struct err *err, const char *says)
{
	if (ok)
		fail_msg("accepted, though '%s'", says);
	if (!strstr(err->msg, says))
		fail_msg("'%s' does not say '%s'", err->msg, says);
}

static bool accounts(const char *text, struct str *ret_run_as, struct err *err)
{
	struct imgconf c = conf(text);
	return accounts_apply(&t, &c, &a, ret_run_as, err);
}

static void none(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	struct str run_as;
	assert_true(accounts("cmd: x", &run_as, &err));
	assert_int_equal(run_as.n, 0);
	expect_tree("etc 5 0755 0:0\netc/passwd 0 0644 0:0\n");
}

static void all(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	struct str run_as;
	file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:9:9:n:/dev/null:/x")->mtime = 7;
	file("etc/group", "root:x:0:\n");
	file("etc/shadow", "root:*:18000:0:::::\n");
	assert_true(accounts(
		"accounts:\n"
		"  run-as: v\n"
		"  users: [{username: u, uid: 5}, {username: v, uid: 6, gid: 7, shell: /s, "
		"homedir: /h/v}]\n"
		"  groups: [{groupname: g, gid: 8, members: [u, v]}, {groupname: h, gid: 9}]\n",
		&run_as, &err));
	assert_true(str_is(run_as, "6"));
	expect_tree("etc 5 0755 0:0\n"
		    "etc/group 0 0640 0:0 root:x:0:\ng:x:8:u,v\nh:x:9:\n"
		    "etc/passwd 0 0640 0:0 root:x:0:0:root:/root:/bin/sh\n"
		    "nobody:x:9:9:n:/dev/null:/x\n"
		    "u:x:5:5:Account created by apko:/home/u:/bin/sh\n"
		    "v:x:6:7:Account created by apko:/h/v:/s\n"
		    "etc/shadow 0 0640 0:0 root:*:18000:0:::::\nu:!:::::::\nv:!:::::::\n"
		    "h 5 0755 0:0\n"
		    "h/v 5 0700 6:7\n"
		    "home 5 0755 0:0\n"
		    "home/u 5 0700 5:5\n"
		    "root 5 0700 0:0\n");
	assert_int_equal(tree_find(&t, S("etc/passwd"), false)->mtime, 7);
}

static void homes(unused_arg void **state)
{
	static const char text[] = "accounts: {users: [{username: u, uid: 5, homedir: /h/u}]}";
	auto_err struct err err = ERR_INIT, refused = ERR_INIT, dangling = ERR_INIT;
	struct str run_as;
	assert_non_null(tree_mkdirs(&t, S("real"), 0755, &err));
	symlink_to("h", "real");
	assert_non_null(tree_mkdirs(&t, S("real/u"), 01777, &err));
	assert_true(accounts(text, &run_as, &err));
	assert_int_equal(tree_find(&t, S("real/u"), false)->mode, 01777);
	file("f", "");
	expect_refused(accounts("accounts: {users: [{username: w, uid: 5, homedir: /f}]}", &run_as,
			       &refused),
		&refused, "the home '/f' of user 'w' is not a directory");
	symlink_to("d", "nowhere");
	expect_refused(accounts("accounts: {users: [{username: w, uid: 5, homedir: /d}]}", &run_as,
			       &dangling),
		&dangling, "the home '/f'");
}

static void unknown_run_as(unused_arg void **state)
{
	static const char *const names[] = {"65532", "nosuch", "0"};
	for (size_t i = 0; i < countof(names); i++) {
		auto_err struct err err = ERR_INIT;
		struct str run_as;
		assert_true(accounts(
			arena_printf(&a, "accounts: {run-as: %s}", names[i]), &run_as, &err));
		assert_true(str_is(run_as, names[i]));
	}
}

static void bad_files(unused_arg void **state)
{
	static const struct {
		const char *file, *text, *says;
	} cases[] = {
		{"etc/passwd", "a:x:1\n", "/etc/passwd"},
		{"etc/passwd", "root:x:0:0:::\n\nu:x:1:1:::\n", "/etc/passwd"},
		{"etc/passwd", "a:x:one:1:::\n", "/etc/passwd"},
		{"etc/group", "# no group\n", "/etc/group"},
		{"etc/shadow", "a:b\n", "/etc/shadow"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct str run_as;
		tree_release(&t);
		tree_init(&t);
		file(cases[i].file, cases[i].text);
		expect_refused(accounts("accounts: {users: [{username: u, uid: 5}], "
					"groups: [{groupname: g, gid: 5}]}",
				       &run_as, &err),
			&err, cases[i].says);
	}
}

static bool paths(const char *list, struct err *err)
{
	struct imgconf c = conf(arena_printf(&a, "paths:\n%s", list));
	return paths_apply(&t, &c.paths, err);
}

static void path_types(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	file("pkg", "content");
	file("old", "gone");
	assert_true(
		paths("  - {path: /d/e, type: directory, permissions: 0o2775, uid: 1, gid: 2}\n"
		      "  - {path: /plain, type: directory}\n"
		      "  - {path: /n/f, type: empty-file, permissions: 0o600}\n"
		      "  - {path: /n/g, type: empty-file}\n"
		      "  - {path: /pkg, type: empty-file, uid: 3}\n"
		      "  - {path: /n/l, type: symlink, source: ../nowhere, permissions: 0o700}\n"
		      "  - {path: old, type: hardlink, source: n/f}\n"
		      "  - {path: /plain, type: permissions, gid: 4}\n"
		      "  - {path: /n, type: permissions, permissions: 0o111}\n",
			&err));
	expect_tree("d 5 2775 0:0\n"
		    "d/e 5 2775 1:2\n"
		    "n 5 0111 0:0\n"
		    "n/f 0 0600 0:0\n"
		    "n/g 0 0644 0:0\n"
		    "n/l 2 0777 0:0 ../nowhere\n"
		    "old 0 0600 0:0\n"
		    "pkg 0 0640 3:0\n"
		    "plain 5 0755 0:4\n");
	assert_ptr_equal(
		tree_find(&t, S("old"), false)->body, tree_find(&t, S("n/f"), false)->body);
}

static void recursive(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	file("d/s/f", "x");
	symlink_to("d/dangling", "/none");
	assert_true(paths("  - {path: /d, type: permissions, permissions: 0o750, uid: 1, gid: 2, "
			  "recursive: true}\n",
		&err));
	expect_tree("d 5 0750 1:2\nd/dangling 2 0777 1:2 /none\nd/s 5 0750 1:2\n"
		    "d/s/f 0 0750 1:2 x\n");
}

/* A link that leads out of the tree stays in it. */
static void held_in(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	symlink_to("out", "../../../etc");
	assert_non_null(tree_mkdirs(&t, S("etc"), 0755, &err));
	assert_true(paths("  - {path: /out/x, type: empty-file}\n"
			  "  - {path: /../../y, type: empty-file}\n",
		&err));
	assert_non_null(tree_find(&t, S("etc/x"), false));
	assert_non_null(tree_find(&t, S("y"), false));
}

static void bad_paths(unused_arg void **state)
{
	static const char *const cases[][2] = {
		{"{path: /x, type: fifo}", "unsupported mutation type"},
		{"{path: /f, type: symlink, source: /g}", "already exists"},
		{"{path: /f/x, type: empty-file}", "/f/x"},
		{"{path: /f, type: directory}", "/f"},
		{"{path: /d, type: empty-file}", "/d"},
		{"{path: /x, type: hardlink, source: /none}", "c.yaml:2:5: paths: hardlink '/x'"},
		{"{path: /x, type: hardlink, source: /d}", "regular file"},
		{"{path: /d, type: hardlink, source: /f}", "a directory stands there"},
		{"{path: /none, type: permissions, permissions: 0o7}", "does not exist"},
		{"{path: /dangling, type: permissions, permissions: 0o7}", "does not exist"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		tree_release(&t);
		tree_init(&t);
		file("f", "");
		assert_non_null(tree_mkdirs(&t, S("d"), 0755, &err));
		symlink_to("dangling", "nowhere");
		expect_refused(
			paths(arena_printf(&a, "  - %s\n", cases[i][0]), &err), &err, cases[i][1]);
		assert_int_equal(err.kind, EK_CONFLICT);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(none),
		TEST(all),
		TEST(homes),
		TEST(unknown_run_as),
		TEST(bad_files),
		TEST(path_types),
		TEST(recursive),
		TEST(held_in),
		TEST(bad_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
