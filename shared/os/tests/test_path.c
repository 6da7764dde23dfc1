#include "shared/os/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/os/dir.h"
#include "shared/os/fd.h"

static void test_clean(void **state)
{
	(void)state;
	static const struct {
		const char *path, *want;
	} cases[] = {
		{"", "."},
		{"abc", "abc"},
		{"abc/def", "abc/def"},
		{"a/b/c", "a/b/c"},
		{".", "."},
		{"..", ".."},
		{"../..", "../.."},
		{"../../abc", "../../abc"},
		{"/abc", "/abc"},
		{"/", "/"},
		{"abc/", "abc"},
		{"../../", "../.."},
		{"/abc/", "/abc"},
		{"abc//def//ghi", "abc/def/ghi"},
		{"//abc", "/abc"},
		{"///", "/"},
		{"abc/./def", "abc/def"},
		{"/./abc/def", "/abc/def"},
		{"abc/.", "abc"},
		{"abc/def/ghi/../jkl", "abc/def/jkl"},
		{"abc/def/../ghi/../jkl", "abc/jkl"},
		{"abc/def/..", "abc"},
		{"abc/def/../..", "."},
		{"/abc/def/../..", "/"},
		{"abc/def/../../..", ".."},
		{"/abc/def/../../..", "/"},
		{"abc/def/../../../ghi/jkl/../../../mno", "../../mno"},
		{"../a/..", ".."},
		{"../a/../b", "../b"},
		{"abc/./../def", "def"},
		{"abc//./../def", "def"},
		{"a/...", "a/..."},
		{"..a/../b", "b"},
	};
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(cases); i++) {
		struct str got = path_clean(&a, str_of(cases[i].path));
		assert_string_equal(got.p, cases[i].want);
		assert_int_equal(got.n, strlen(cases[i].want));
	}
}

static void test_parts(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	assert_string_equal(path_join(&a, S("a/"), S("../b")).p, "b");
	assert_string_equal(path_join(&a, S("/a"), S("/b")).p, "/a/b");
	assert_string_equal(path_join(&a, S(""), S("b/")).p, "b");
	assert_string_equal(path_join(&a, S("a"), S("")).p, "a");
	assert_int_equal(path_join(&a, S(""), S("")).n, 0);
	assert_true(str_is(path_base(S("a/b")), "b"));
	assert_true(str_is(path_base(S("b")), "b"));
	assert_true(str_is(path_base(S("b/")), ""));
	assert_true(str_is(path_dir(S("a/b/c")), "a/b"));
	assert_true(str_is(path_dir(S("a")), ""));
	assert_true(str_is(path_dir(S("/a")), ""));
	assert_string_equal(path_abs(&a, "/a/../b/"), "/b");
	char cwd[PATH_MAX];
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_string_equal(path_abs(&a, "x/./y"), path_join(&a, str_of(cwd), S("x/y")).p);
}

static void test_is_safe(void **state)
{
	(void)state;
	static const struct {
		struct str path;
		bool want;
	} cases[] = {
		{S("a"), true},
		{S("a/b c/..d"), true},
		{S("caf\xc3\xa9"), true},
		{S(""), false},
		{S("/a"), false},
		{S("a/"), false},
		{S("a//b"), false},
		{S("."), false},
		{S("a/./b"), false},
		{S("../a"), false},
		{S("a/.."), false},
		{S("a\0b"), false},
		{S("a\nb"), false},
		{S("a\177"), false},
	};
	for (size_t i = 0; i < countof(cases); i++)
		assert_int_equal(path_is_safe(cases[i].path), cases[i].want);
}

/* A root with links of every kind; "secret" lies outside of it. */
struct fixture {
	struct arena a;
	struct err err;
	char *top;
	int root;
};

static int setup(void **state)
{
	static const char *const dirs[] = {
		"root", "root/dir", "root/dir/sub", "root/etc", "root/ "};
	static const char *const files[] = {
		"secret", "root/file", "root/dir/sub/deep", "root/etc/passwd", "root/ /blank"};
	static const char *const links[][2] = {
		{"file", "root/rel"},
		{"/file", "root/abs"},
		{"../../../../../../file", "root/dir/climb"},
		{"../secret", "root/escape"},
		{"dir/sub", "root/tosub"},
		{"/dir/", "root/slashed"},
		{"..", "root/dir/sub/up"},
		{"loop", "root/loop"},
		{"made", "root/dangling"},
		{"/", "root/toroot"},
		{"/etc/passwd", "root/passwd"},
		{"/proc/self/root/etc/passwd", "root/magic"},
	};
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	f->top = dir_temp(&f->a, "test-path-", &f->err);
	if (!f->top)
		return -1;
	for (size_t i = 0; i < countof(dirs); i++)
		if (mkdir(arena_printf(&f->a, "%s/%s", f->top, dirs[i]), 0755) != 0)
			return -1;
	for (size_t i = 0; i < countof(files); i++)
		if (!file_write(arena_printf(&f->a, "%s/%s", f->top, files[i]), files[i],
			    strlen(files[i]), 0644, &f->err))
			return -1;
	for (size_t i = 0; i < countof(links); i++)
		if (symlink(links[i][0], arena_printf(&f->a, "%s/%s", f->top, links[i][1])) != 0)
			return -1;
	for (int i = 0; i <= 41; i++)
		if (symlink(i ? arena_printf(&f->a, "chain%d", i - 1) : "file",
			    arena_printf(&f->a, "%s/root/chain%d", f->top, i)) != 0)
			return -1;
	f->root = open(arena_printf(&f->a, "%s/root", f->top), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->root >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	path_force_walk(false);
	fd_close(&f->root);
	bool ok = dir_remove(f->top, &f->err);
	err_release(&f->err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

#define DIR (O_RDONLY | O_DIRECTORY)
#define NEW (O_WRONLY | O_CREAT)

/* want: the file's text; "/" and a path: that directory; otherwise the error. */
static const struct {
	const char *path;
	int flags;
	const char *want;
} cases[] = {
	{"file", O_RDONLY, "root/file"},
	{"/file", O_RDONLY, "root/file"},
	{"///dir/..//file", O_RDONLY, "root/file"},
	{"./file", O_RDONLY, "root/file"},
	{"../../file", O_RDONLY, "root/file"},
	{"rel", O_RDONLY, "root/file"},
	{"abs", O_RDONLY, "root/file"},
	{"dir/climb", O_RDONLY, "root/file"},
	{"escape", O_RDONLY, "No such file or directory"},
	{"../secret", O_RDONLY, "No such file or directory"},
	{"tosub/deep", O_RDONLY, "root/dir/sub/deep"},
	{"tosub//deep", O_RDONLY, "root/dir/sub/deep"},
	{"tosub/up/sub/deep", O_RDONLY, "root/dir/sub/deep"},
	{"tosub/../sub/deep", O_RDONLY, "root/dir/sub/deep"},
	{"slashed/sub/deep", O_RDONLY, "root/dir/sub/deep"},
	{"toroot/toroot/dir/../file", O_RDONLY, "root/file"},
	{"passwd", O_RDONLY, "root/etc/passwd"},
	{"magic", O_RDONLY, "No such file or directory"},
	{" /blank", O_RDONLY, "root/ /blank"},
	{"file/ ", O_RDONLY, "Not a directory"},
	{"", O_RDONLY, "No such file or directory"},
	{"none", O_RDONLY, "No such file or directory"},
	{"none/x", O_RDONLY, "No such file or directory"},
	{"file/x", O_RDONLY, "Not a directory"},
	{"file/", O_RDONLY, "Not a directory"},
	{"rel/", O_RDONLY, "Not a directory"},
	{"loop", O_RDONLY, "Too many levels of symbolic links"},
	{"loop/x", O_RDONLY, "Too many levels of symbolic links"},
	{"chain39", O_RDONLY, "root/file"},
	{"chain40", O_RDONLY, "Too many levels of symbolic links"},
	{"rel", O_RDONLY | O_NOFOLLOW, "Too many levels of symbolic links"},
	{"tosub/deep", O_RDONLY | O_NOFOLLOW, "root/dir/sub/deep"},
	{"/", DIR, "/"},
	{".", DIR, "/"},
	{"..", DIR, "/"},
	{"dir/../..", DIR, "/"},
	{"dir", DIR, "/dir"},
	{"tosub/", DIR, "/dir/sub"},
	{"tosub/", DIR | O_NOFOLLOW, "/dir/sub"},
	{"tosub", DIR | O_NOFOLLOW, "Not a directory"},
	{"tosub/up", DIR, "/dir"},
	{"slashed", DIR, "/dir"},
	{"file", DIR, "Not a directory"},
	{"file", NEW | O_EXCL, "File exists"},
	{"dangling", NEW | O_EXCL, "File exists"},
	{"dir", NEW, "Is a directory"},
	{".", NEW, "Is a directory"},
	{"dir/..", NEW, "Is a directory"},
	{"new/", NEW, "Is a directory"},
	{"none/new", NEW, "No such file or directory"},
};

static void check_open(struct fixture *f, size_t i, const char *how)
{
	auto_fd int fd =
		path_open_in(f->root, cases[i].path, cases[i].flags | O_CLOEXEC, 0600, &f->err);
	char got[4200];
	struct stat a, b;
	if (fd < 0) {
		snprintf(got, sizeof(got), "%s", strrchr(f->err.msg, ':') + 2);
	} else if (cases[i].flags & O_DIRECTORY) {
		assert_int_equal(fstat(fd, &a), 0);
		snprintf(got, sizeof(got), "%s/root%s", f->top, cases[i].want);
		assert_int_equal(stat(got, &b), 0);
		snprintf(got, sizeof(got), "%s", a.st_ino == b.st_ino ? cases[i].want : "another");
	} else {
		ssize_t n = read(fd, got, sizeof(got) - 1);
		got[n > 0 ? n : 0] = 0;
	}
	if (strcmp(got, cases[i].want) != 0)
		fail_msg("'%s' with %#o %s gave '%s'", cases[i].path, (unsigned)cases[i].flags, how,
			got);
}

static void test_open_kernel(void **state)
{
	for (size_t i = 0; i < countof(cases); i++)
		check_open(*state, i, "by the kernel");
}

static void test_open_walk(void **state)
{
	path_force_walk(true);
	for (size_t i = 0; i < countof(cases); i++)
		check_open(*state, i, "by walking");
}

/* Creation, also through a link that dangles, inside the root only. */
static void test_create(void **state)
{
	struct fixture *f = *state;
	for (int walk = 0; walk < 2; walk++) {
		static const char *const made[][2] = {
			{"dir/new", "root/dir/new"},
			{"dangling", "root/made"},
			{"/tosub/up/new2", "root/dir/new2"},
			{"../../../outside", "root/outside"},
		};
		path_force_walk(walk);
		for (size_t i = 0; i < countof(made); i++) {
			char *real = arena_printf(&f->a, "%s/%s", f->top, made[i][1]);
			struct stat st;
			auto_fd int fd =
				path_open_in(f->root, made[i][0], NEW | O_CLOEXEC, 0640, &f->err);
			assert_true(fd >= 0);
			assert_int_equal(stat(real, &st), 0);
			assert_int_equal(st.st_mode & 0777, 0640);
			assert_int_equal(unlink(real), 0);
		}
		assert_int_equal(access(arena_printf(&f->a, "%s/outside", f->top), F_OK), -1);
	}
}

static void test_path_descriptor(void **state)
{
	struct fixture *f = *state;
	for (int walk = 0; walk < 2; walk++) {
		struct stat st;
		path_force_walk(walk);
		auto_fd int fd =
			path_open_in(f->root, "rel", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, &f->err);
		assert_true(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
		assert_int_equal(path_open_in(-5, "rel", O_RDONLY, 0, &f->err), -1);
		assert_non_null(strstr(f->err.msg, "cannot open 'rel': "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_is_safe),
		cmocka_unit_test_setup_teardown(test_open_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path_descriptor, setup, teardown),
	};
	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
