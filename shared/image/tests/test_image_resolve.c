#include "shared/image/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/image/assemble.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

static struct arena a;
static const char *dir;

static int begin(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	arena_init(&a);
	dir = dir_temp(&a, "image-resolve-", &err);
	return dir && chdir(dir) == 0 ? 0 : -1;
}

static int end(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	bool ok = chdir("/") == 0 && dir_remove(dir, &err);
	arena_release(&a);
	return ok ? 0 : -1;
}

static void put(const char *path, struct str bytes)
{
	auto_err struct err err = ERR_INIT;
	assert_true(dir_make(
		arena_printf(&a, "%.*s", (int)(strrchr(path, '/') - path), path), 0755, &err));
	assert_true(file_write(path, bytes.p, bytes.n, 0644, &err));
}

/* Records of an index, "name version [provides]" each. */
static const char *records(const char *list)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	struct str rest = str_of(list), item;
	while (rest.n && str_next(&rest, '\n', &item)) {
		struct str name, version;
		assert_true(str_word(&item, &name) && str_word(&item, &version));
		buf_printf(&b,
			"C:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=\nP:%.*s\nV:%.*s\nA:noarch\nS:1\nI:1\n"
			"t:77\np:%.*s\n\n",
			STR_ARG(name), STR_ARG(version), STR_ARG(str_trim(item)));
	}
	return arena_str(&a, buf_str(&b)).p;
}

static void put_index(const char *repo, const char *arch, const char *list)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1 << 20);
	struct apk_index idx = {0};
	if (!index_parse(str_of(records(list)), "test", &a, &idx, &err) ||
		!index_write(&idx, NULL, NULL, &out, &err))
		fail_msg("%s", err.msg);
	put(arena_printf(&a, "%s/%s/APKINDEX.tar.gz", repo, arch), buf_str(&out));
}

static struct imgconf conf(const char *text)
{
	auto_err struct err err = ERR_INIT;
	struct imgconf c = {0};
	put("./c.yaml", str_of(text));
	if (!imgconf_load("c.yaml", NULL, &a, &c, NULL, &err))
		fail_msg("%s", err.msg);
	return c;
}

static bool resolve(const struct imgconf *c, const struct image_append *add, const char *archs,
	struct image_solution *ret, struct err *err)
{
	auto_store struct store *store = store_open("store", err);
	const struct repo_opts opts = {.ignore_signatures = true, .store = store};
	const struct apk_arch *list[APK_ARCHS];
	size_t n = 0;
	struct str rest = str_of(archs), name;
	assert_non_null(store);
	while (str_word(&rest, &name))
		list[n++] = apk_arch_find(name);
	return image_resolve(c, add, list, n, &opts, &a, ret, err);
}

static const char *join(const struct strs *list)
{
	struct str s = STR_NONE;
	for (size_t i = 0; i < list->n; i++)
		s = arena_strf(&a, "%.*s%s%.*s", STR_ARG(s), i ? " " : "", STR_ARG(list->v[i]));
	return s.p ? s.p : "";
}

static void repos(unused_arg void **state)
{
	struct imgconf c = conf("contents:\n  repositories: [b, a/]\n  build_repositories: [c, a]\n"
				"  runtime_repositories: [z]\n  keyring: [k2, k1]\n");
	struct strs keys = {0}, build = {0}, both = {0};
	struct image_repos r;
	image_repos(&c, NULL, &a, &r);
	assert_string_equal(join(&r.build), "a b c");
	assert_string_equal(join(&r.runtime), "a b z");
	assert_string_equal(join(&r.keys), "k1 k2");
	strs_push(&a, &keys, S("k0"));
	strs_push(&a, &build, S("d//"));
	strs_push(&a, &both, S("e"));
	const struct image_append add = {.keys = &keys, .build_repos = &build, .repos = &both};
	image_repos(&c, &add, &a, &r);
	assert_string_equal(join(&r.build), "a b c d e");
	assert_string_equal(join(&r.runtime), "a b e z");
	assert_string_equal(join(&r.keys), "k0 k1 k2");
}

static void public_lines(unused_arg void **state)
{
	static const char *const cases[][2] = {
		{"https://u:p@h/r", "https://h/r"},
		{"@t https://u@h:8/r", "@t https://h:8/r"},
		{"https://h/r", "https://h/r"},
		{"/a/u:p@h", "/a/u:p@h"},
		{"@t ./x", "@t ./x"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct str s = image_public_line(str_of(cases[i][0]), &a);
		if (!str_is(s, cases[i][1]))
			fail_msg("'%s' gives '%.*s'", cases[i][0], STR_ARG(s));
	}
}

static void keys(unused_arg void **state)
{
	static const char *const bad[] = {"none.rsa.pub", "c.yaml", "https://h.invalid/k.pub"};
	for (size_t i = 0; i < countof(bad); i++) {
		auto_err struct err err = ERR_INIT;
		struct image_repos r = {0};
		struct keyring ring;
		put("./c.yaml", S("cmd: x"));
		strs_push(&a, &r.keys, str_of(bad[i]));
		keyring_init(&ring, &a);
		if (image_keys(&r, NULL, &a, &ring, &err))
			fail_msg("'%s' accepted", bad[i]);
		if (!strstr(err.msg, bad[i]))
			fail_msg("'%s' does not name '%s'", err.msg, bad[i]);
		keyring_release(&ring);
	}
}

static void closure(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	struct image_solution s[2];
	struct strs more = {0};
	put_index("r", "x86_64", "app 1.0-r0 cmd:app=1\nlib 2-r0\nlib 3-r0\ntool 1-r0\n");
	put_index("r", "aarch64", "app 1.0-r0 cmd:app=1\nlib 2-r0\ntool 1-r0\n");
	struct imgconf c =
		conf("contents: {repositories: [r], packages: [lib, 'cmd:app', '!none']}");
	assert_true(resolve(&c, NULL, "amd64", s, &err));
	assert_string_equal(join(&s[0].locked), "app=1.0-r0 lib=3-r0");
	strs_push(&a, &more, S("tool"));
	const struct image_append add = {.packages = &more};
	assert_true(resolve(&c, &add, "amd64 arm64", s, &err));
	/* what one of them lacks is not taken */
	assert_string_equal(join(&s[0].locked), "app=1.0-r0 lib=2-r0 tool=1-r0");
	assert_string_equal(join(&s[1].locked), "app=1.0-r0 lib=2-r0 tool=1-r0");
	assert_null(s[0].base.index);
}

static void no_answer(unused_arg void **state)
{
	static const struct {
		const char *conf, *archs, *says;
	} cases[] = {
		{"contents: {packages: [app]}", "amd64", "must provide at least one repository"},
		{"contents: {repositories: [r], packages: [nosuch]}", "amd64", "nosuch"},
		{"contents: {repositories: [r], packages: [nosuch]}", "amd64 arm64",
			"for arch \"amd64\""},
		{"contents: {repositories: [r], packages: [nosuch]}", "amd64 arm64",
			"for arch \"arm64\""},
		{"contents: {repositories: [r], packages: [mail]}", "amd64 arm64",
			"unable to lock packages to a consistent version: "
			"map[mail:[missing (amd64) missing (arm64)]]"},
	};
	put_index("r", "x86_64", "exim 1-r0 mail=1\npostfix 2-r0\n");
	put_index("r", "aarch64", "exim 1-r0\npostfix 2-r0 mail=1\n");
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct image_solution s[2];
		struct imgconf c = conf(cases[i].conf);
		if (resolve(&c, NULL, cases[i].archs, s, &err))
			fail_msg("'%s' resolved", cases[i].conf);
		if (!strstr(err.msg, cases[i].says))
			fail_msg("'%s' does not say '%s'", err.msg, cases[i].says);
	}
}

#define BASE                                                                                       \
	"P:libc\nV:2-r0\nA:noarch\np:so:libc.so.6=6 merged-lib\ni:[]\nt:99\n"                      \
	"C:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=\nF:etc\nM:0:0:0755\nR:x\na:0:0:0600\n"                   \
	"Z:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=\nF:usr\nR:y\n\n"                                         \
	"P:web\nV:1-r0\nA:noarch\ni:[[libc web-extra]]\nC:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=\n"

static void base(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	const struct apk_arch *arch = apk_arch_find(S("amd64"));
	struct image_base b;
	struct strs atoms = {0}, roots = {0};
	struct imgconf c = conf("contents: {baseimage: {image: i, apkindex: m}}");
	assert_false(image_base_load(&c, NULL, arch, &a, &b, &err));
	assert_non_null(strstr(err.msg, "m/x86_64/APKINDEX"));
	put("sub/m/x86_64/APKINDEX", S(BASE));
	strs_push(&a, &roots, S("sub"));
	if (!image_base_load(&c, &roots, arch, &a, &b, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(b.installed.p, BASE "\n");
	assert_int_equal(b.index->n, 2);
	assert_true(str_is(b.index->pkgs[0].install_if, ""));
	assert_true(str_is(b.index->pkgs[1].install_if, "libc web-extra"));
	image_base_atoms(&b, &a, &atoms);
	assert_string_equal(join(&atoms), "libc=2-r0 web=1-r0");
	assert_true(image_base_has(&b, S("web")));
	assert_false(image_base_has(&b, S("merged-lib")));
	assert_true(image_base_provides(&b, S("merged-lib")));
	assert_true(image_base_provides(&b, S("so:libc.so.6")));
	assert_false(image_base_provides(&b, S("merged")));
	struct imgconf without = conf("cmd: x");
	assert_true(image_base_load(&without, NULL, arch, &a, &b, &err));
	assert_null(b.index);
	assert_false(image_base_provides(&b, S("merged-lib")));
}

/* What the base has stays as it is and is not installed again. */
static void over_base(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	struct image_solution s[1];
	put("m/x86_64/APKINDEX", S(BASE));
	put_index("r", "x86_64", "libc 3-r0\nweb 1-r0\napp 1-r0\n");
	struct imgconf c = conf("contents:\n  baseimage: {image: i, apkindex: m}\n"
				"  repositories: [r]\n  packages: [app, libc]\n");
	if (!resolve(&c, NULL, "amd64", s, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(join(&s[0].locked), "app=1-r0");
	assert_int_equal(s[0].set.n, 1);
	assert_int_equal(s[0].base.index->n, 2);
}

static const char *text_of(struct tree *t, const char *path)
{
	auto_err struct err err = ERR_INIT;
	struct str text = STR_NONE;
	struct tree_node *n = tree_find(t, str_of(path), true);
	if (!n || !tree_read(n, &a, 1 << 20, &text, &err))
		fail_msg("no '%s'", path);
	return arena_str(&a, text).p;
}

static struct assemble_req request(const struct imgconf *c)
{
	struct assemble_req req = {.conf = c, .arch = apk_arch_find(S("amd64"))};
	strs_push(&a, &req.build_repos, S("https://u:p@h/b"));
	strs_push(&a, &req.runtime_repos, S("@t https://u:p@h/r"));
	strs_push(&a, &req.world, S("libc=2-r0"));
	return req;
}

static void assembled(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	struct assemble_result r;
	struct imgconf c = conf("contents: {repositories: ['https://u:p@h/r']}\n"
				"accounts: {run-as: w, users: [{username: w, uid: 5}]}\n"
				"paths: [{path: /etc/os-release, type: empty-file}]\n");
	struct assemble_req req = request(&c);
	req.epoch = 33;
	assert_true(assemble(&req, &a, &r, &err));
	assert_string_equal(text_of(&r.tree, "etc/apk/world"), "libc=2-r0\n");
	assert_string_equal(text_of(&r.tree, "etc/apk/repositories"), "@t https://h/r\n");
	assert_string_equal(text_of(&r.tree, "etc/apko.json"),
		"{\"contents\":{\"repositories\":[\"https://h/"
		"r\"]},\"entrypoint\":{},\"accounts\":{"
		"\"run-as\":\"5\",\"users\":[{\"username\":\"w\",\"uid\":5,"
		"\"homedir\":\"/home/w\"}]},\"paths\":[{\"path\":\"/etc/os-release\","
		"\"type\":\"empty-file\"}]}\n");
	assert_int_equal(tree_find(&r.tree, S("etc/apko.json"), false)->mode, 0444);
	assert_string_equal(join(&r.warnings), "/etc/group is missing");
	assert_true(str_is(r.run_as, "5"));
	assert_int_equal(r.build_date, 33);
	assert_true(str_is(tree_find(&r.tree, S("lib/apk"), false)->link, "../usr/lib/apk"));
	assemble_release(&r);
}

static void assembled_over_base(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	struct assemble_result r;
	put("m/x86_64/APKINDEX", S(BASE));
	struct imgconf c = conf("contents: {baseimage: {image: i, apkindex: m}}");
	struct assemble_req req = request(&c);
	assert_true(image_base_load(&c, NULL, req.arch, &a, &req.base, &err));
	assert_true(assemble(&req, &a, &r, &err));
	assert_string_equal(text_of(&r.tree, "usr/lib/apk/db/installed"), BASE "\n");
	assert_null(tree_find(&r.tree, S("etc/passwd"), false));
	assert_int_equal(r.warnings.n, 0);
	assert_int_equal(r.build_date, 99);
	assert_true(str_is(tree_find(&r.tree, S("lib"), false)->link, "usr/lib"));
	assemble_release(&r);
	req.epoch_set = true;
	req.epoch = 5;
	assert_true(assemble(&req, &a, &r, &err));
	assert_int_equal(r.build_date, 5);
	assemble_release(&r);
}

/* Rows of the feature checklist (apko 9): I130. */
int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(repos),
		TEST(public_lines),
		TEST(keys),
		TEST(closure),
		TEST(no_answer),
		TEST(base),
		TEST(over_base),
		TEST(assembled),
		TEST(assembled_over_base),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
