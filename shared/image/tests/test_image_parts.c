#include "shared/image/busybox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/image/osrelease.h"
#include "shared/image/services.h"
#include "shared/rootfs/tree.h"

static struct tree t;

static int make_tree(void **state)
{
	(void)state;
	tree_init(&t);
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	tree_release(&t);
	return 0;
}

static struct tree_node *file(const char *path, const char *text)
{
	auto_err struct err err = ERR_INIT;
	struct tree_node *n = tree_put(&t, str_of(path), str_of(text), 0755, &err);
	assert_non_null(n);
	return n;
}

static struct tree_node *at(const char *path)
{
	return tree_find(&t, str_of(path), false);
}

static bool link_busybox(
	const char *name, const char *version, const char *provides, struct err *err)
{
	const struct apk_pkg pkg = {
		.name = str_of(name), .version = str_of(version), .provides = str_of(provides)};
	const struct apk_pkg *const list[] = {&pkg};
	return busybox_links(&t, list, 1, err);
}

static void busybox_absent(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	assert_true(link_busybox("busybox", "1.36.1-r0", "", &err));
	assert_int_equal(t.n_nodes, 0);
}

static void busybox_needs_package(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	file("bin/busybox", "");
	assert_false(link_busybox("other", "1.36.1-r0", "cmd:ls", &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	assert_true(link_busybox("other", "1.36.1-r0", "cmd:ls busybox=1", &err));
	assert_non_null(at("bin/ls"));
}

static void busybox_list(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	file("bin/busybox", "")->mtime = 77;
	file("bin/cat", "own");
	file("etc/busybox-paths.d/bb",
		"/bin/busybox\n\nbare\nbin/ls\n/bin/cat\n/new/dir/x\n/init\n");
	assert_true(link_busybox("bb", "not looked at", "busybox", &err));
	assert_true(str_is(at("bin/ls")->link, "/bin/busybox"));
	assert_int_equal(at("bin/ls")->mtime, 77);
	assert_int_equal(at("new/dir")->mtime, 77);
	assert_int_equal(at("new")->mtime, 0);
	assert_int_equal(t.root->mtime, 77);
	assert_int_equal(at("bin/cat")->type, '0');
	assert_int_equal(at("init")->type, '2');
	assert_null(at("bare"));
	assert_null(at("bin/sh"));
}

static void busybox_bad_lists(void **state)
{
	static const char *const lists[] = {
		"/bin/../x\n", "/bin/\n", "//x\n", "/etc\n", "/bin/busybox/x\n"};
	(void)state;
	file("bin/busybox", "");
	for (size_t i = 0; i < countof(lists); i++) {
		auto_err struct err err = ERR_INIT;
		file("etc/busybox-paths.d/bb", lists[i]);
		if (link_busybox("bb", "1.0.0", "busybox", &err))
			fail_msg("'%s' accepted", lists[i]);
	}
}

/* Some applets came with a release: how many links there are tells which list was taken. */
static void busybox_releases(void **state)
{
	static const struct {
		const char *version;
		bool base32, ascii, tree;
	} cases[] = {
		{"1.32.1-r3", false, false, false},
		{"1.33.0", true, false, false},
		{"v1.34.1-r0", true, true, false},
		{"1.35.0-r17", true, true, false},
		{"1.36.0-r0", true, true, true},
		{"1.37.0-r1", true, true, true},
		{"1.32.0-r1", true, true, true},
	};
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		tree_release(&t);
		tree_init(&t);
		file("bin/busybox", "");
		assert_true(link_busybox("busybox", cases[i].version, "", &err));
		assert_int_equal(at("bin/base32") != NULL, cases[i].base32);
		assert_int_equal(at("usr/bin/ascii") != NULL, cases[i].ascii);
		assert_int_equal(at("usr/bin/tree") != NULL, cases[i].tree);
		assert_non_null(at("sbin/halt"));
	}
}

static void busybox_bad_version(void **state)
{
	static const char *const versions[] = {
		"1.2_rc1-r0", "1.36", "1.36.1-", "1.36.1-r 0", "1.36.1.2", "vv1.36.1", ""};
	(void)state;
	file("bin/busybox", "");
	for (size_t i = 0; i < countof(versions); i++) {
		auto_err struct err err = ERR_INIT;
		if (link_busybox("busybox", versions[i], "", &err))
			fail_msg("'%s' accepted", versions[i]);
		assert_non_null(strstr(err.msg, versions[i]));
	}
}

static bool service(const char *name, struct err *err)
{
	struct ykv kv = {str_of(name), {S("/bin/x"), NULL}};
	const struct ykvs list = {&kv, 1, 1};
	return services_write(&t, &list, err);
}

static void services(void **state)
{
	static const char *const bad[] = {"../x", "..", ".", "", "a/b", "a\nb"};
	auto_err struct err err = ERR_INIT;
	struct str text;
	(void)state;
	assert_true(service("web", &err));
	assert_int_equal(at("sv")->mode, 0777);
	assert_int_equal(at("sv/web")->mode, 0777);
	assert_int_equal(at("sv/web/run")->mode, 0755);
	assert_true(tree_read(at("sv/web/run"), &t.arena, 100, &text, &err));
	assert_true(str_is(text, "#!/bin/execlineb\n/bin/x\n"));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(service(bad[i], &err));
	assert_int_equal(t.n_nodes, 3);
}

static void os_release(void **state)
{
	static const struct {
		const char *text, *want; /* NULL text: no file; NULL want: an error */
	} cases[] = {
		{NULL, "unknown|apko-generated image|unknown"},
		{"", "||"},
		{"ID=a\nNAME=\"A b\"\n\n# c\n  # d\nVERSION_ID='1'\n", "a|A b|1"},
		{"ID=a=b\r\nNAME=\"\nID=c", "c|\"|"},
		{"ID=a\nno sign\n", NULL},
	};
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct osrelease r;
		if (cases[i].text)
			file("etc/os-release", cases[i].text);
		bool ok = osrelease_read(&t, &t.arena, &r, &err);
		assert_int_equal(ok, cases[i].want != NULL);
		if (ok)
			assert_string_equal(arena_printf(&t.arena, "%.*s|%.*s|%.*s", STR_ARG(r.id),
						    STR_ARG(r.name), STR_ARG(r.version_id)),
				cases[i].want);
		else
			assert_string_equal(
				err.msg, "etc/os-release: line 2 has no '=': 'no sign'");
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_tree, drop_tree)
	const struct CMUnitTest tests[] = {
		TEST(busybox_absent),
		TEST(busybox_needs_package),
		TEST(busybox_list),
		TEST(busybox_bad_lists),
		TEST(busybox_releases),
		TEST(busybox_bad_version),
		TEST(services),
		TEST(os_release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
