#include "shared/os/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/os/fd.h"

struct fixture {
	struct arena a;
	struct err err;
	char *dir;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	f->dir = dir_temp(&f->a, "test-dir-", &f->err);
	return f->dir ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	bool ok = dir_remove(f->dir, &f->err);
	err_release(&f->err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

static char *in(struct fixture *f, const char *name)
{
	return arena_printf(&f->a, "%s/%s", f->dir, name);
}

static void put(struct fixture *f, const char *name)
{
	assert_true(file_write(in(f, name), name, strlen(name), 0644, &f->err));
}

static bool exists(struct fixture *f, const char *name)
{
	struct stat st;
	return lstat(in(f, name), &st) == 0;
}

static void fill(struct fixture *f)
{
	static const char *const dirs[] = {"t", "t/b", "t/b/deep", "t/a.d", "t/empty"};
	static const char *const files[] = {"t/z", "t/a", "t/b/x", "t/b/deep/y", "t/a.d/q", "t/B"};
	for (size_t i = 0; i < countof(dirs); i++)
		assert_true(dir_make(in(f, dirs[i]), 0755, &f->err));
	for (size_t i = 0; i < countof(files); i++)
		put(f, files[i]);
	assert_int_equal(symlink("b", in(f, "t/link")), 0);
}

struct seen {
	struct buf text;
	const char *skip, *stop;
	size_t n, depth;
};

static bool note(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	struct seen *s = user;
	struct stat st;
	assert_int_equal(fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_ino, e->st.st_ino);
	const char *slash = strrchr(e->path, '/');
	assert_string_equal(slash ? slash + 1 : e->path, e->name);
	buf_printf(&s->text, "%s%s%s%s ", e->path, S_ISDIR(e->st.st_mode) ? "/" : "",
		e->link ? "->" : "", e->link ? e->link : "");
	*skip = s->skip && strcmp(s->skip, e->path) == 0;
	if (s->stop && strcmp(s->stop, e->path) == 0)
		return err_set(err, EK_CONFLICT, "stopped");
	return true;
}

static void test_walk(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *skip, *stop, *want;
	} cases[] = {
		{NULL, NULL, "B a a.d/ a.d/q b/ b/deep/ b/deep/y b/x empty/ link->b z "},
		{"b", NULL, "B a a.d/ a.d/q b/ empty/ link->b z "},
		{"link", NULL, "B a a.d/ a.d/q b/ b/deep/ b/deep/y b/x empty/ link->b z "},
		{NULL, "b/deep", "B a a.d/ a.d/q b/ b/deep/ "},
	};
	fill(f);
	for (size_t i = 0; i < countof(cases); i++) {
		struct seen s = {
			.text = BUF_INIT(4096), .skip = cases[i].skip, .stop = cases[i].stop};
		bool ok = dir_walk(in(f, "t"), note, &s, &f->err);
		assert_int_equal(ok, !cases[i].stop);
		assert_string_equal(s.text.p, cases[i].want);
		buf_release(&s.text);
	}
	assert_int_equal(f->err.kind, EK_CONFLICT);
	struct seen s = {.text = BUF_INIT(4096)};
	assert_true(dir_walk(in(f, "t/empty"), note, &s, &f->err));
	assert_int_equal(s.text.n, 0);
	assert_false(dir_walk(in(f, "none"), note, &s, &f->err));
	assert_int_equal(f->err.kind, EK_NOTFOUND);
	assert_false(dir_walk(in(f, "t/a"), note, &s, &f->err));
}

static void test_make(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *path;
		mode_t mode;
	} cases[] = {
		{"a/b/c", 0755},
		{"a/b/c/", 0700},
		{"a//d", 0777},
		{"e", 01777},
		{"e/../g", 0750},
	};
	mode_t before = umask(077);
	for (size_t i = 0; i < countof(cases); i++)
		assert_true(dir_make(in(f, cases[i].path), cases[i].mode, &f->err));
	umask(before);
	struct stat st;
	static const struct {
		const char *path;
		mode_t mode;
	} want[] = {{"a", 0755}, {"a/b", 0755}, {"a/b/c", 0755}, {"a/d", 0777}, {"e", 01777},
		{"g", 0750}};
	for (size_t i = 0; i < countof(want); i++) {
		assert_int_equal(stat(in(f, want[i].path), &st), 0);
		assert_int_equal(st.st_mode & 07777, want[i].mode);
	}
	put(f, "file");
	assert_int_equal(symlink("a/b", in(f, "link")), 0);
	assert_true(dir_make(in(f, "link/new"), 0755, &f->err));
	assert_true(exists(f, "a/b/new"));
	assert_false(dir_make(in(f, "file"), 0755, &f->err));
	assert_non_null(strstr(f->err.msg, "Not a directory"));
	assert_false(dir_make(in(f, "file/x"), 0755, &f->err));
	assert_false(dir_make("", 0755, &f->err));
}

static void test_remove(void **state)
{
	struct fixture *f = *state;
	fill(f);
	put(f, "outside");
	assert_true(dir_make(in(f, "kept/dir"), 0755, &f->err));
	assert_int_equal(symlink("../kept", in(f, "t/b/out")), 0);
	assert_int_equal(symlink("kept", in(f, "tolink")), 0);
	assert_int_equal(mkfifo(in(f, "t/fifo"), 0600), 0);
	static const char *const gone[] = {"t", "tolink/", "outside", "none", "none/"};
	for (size_t i = 0; i < countof(gone); i++) {
		assert_true(dir_remove(in(f, gone[i]), &f->err));
		assert_false(exists(f, gone[i]));
	}
	assert_false(exists(f, "tolink"));
	assert_true(exists(f, "kept/dir"));
	static const char *const refused[] = {
		"", "/", "//", ".", "..", "kept/.", "kept/..", "kept/../"};
	for (size_t i = 0; i < countof(refused); i++) {
		const char *path = refused[i][0] == 'k' ? in(f, refused[i]) : refused[i];
		assert_false(dir_remove(path, &f->err));
		assert_non_null(strstr(f->err.msg, "no name of its own"));
	}
	assert_true(exists(f, "kept/dir"));
}

/* As root all modes let us in, so this runs as somebody else. */
static void test_remove_closed(void **state)
{
	struct fixture *f = *state;
	static const mode_t modes[] = {0, 0100, 0200, 0400, 0500, 0555, 0300};
	assert_int_equal(chmod(f->dir, 0777), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(10);
		for (size_t i = 0; i < countof(modes); i++) {
			put(f, "t");
			if (!dir_remove(in(f, "t"), &f->err))
				_exit(11);
			fill(f);
			if (chmod(in(f, "t/b/deep"), modes[i]) != 0 ||
				chmod(in(f, "t/b"), modes[i]) != 0 ||
				chmod(in(f, "t"), modes[i]) != 0)
				_exit(12);
			if (!dir_remove(in(f, "t"), &f->err) || exists(f, "t"))
				_exit(20 + (int)i);
		}
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A chain of n directories; names long enough that no path could hold them all. */
static void make_deep(struct fixture *f, size_t n)
{
	static const char name[] = "a-directory-with-a-long-name";
	assert_true(dir_make(in(f, "deep"), 0755, &f->err));
	auto_fd int fd = open(in(f, "deep"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		assert_int_equal(symlinkat("x", next, "link"), 0);
		fd_close(&fd);
		fd = next;
	}
}

static bool count(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	(void)skip;
	(void)err;
	struct seen *s = user;
	struct stat st;
	assert_int_equal(fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW), 0);
	s->n++;
	return true;
}

static void test_deep(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, few;
	make_deep(f, 1000);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct seen s = {0};
	bool walked = dir_walk(in(f, "deep"), count, &s, &f->err);
	bool removed = dir_remove(in(f, "deep"), &f->err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(walked);
	assert_int_equal(s.n, 2000);
	assert_true(removed);
	assert_false(exists(f, "deep"));
}

static void test_too_deep(void **state)
{
	struct fixture *f = *state;
	make_deep(f, 1030);
	struct seen s = {0};
	assert_false(dir_walk(in(f, "deep"), count, &s, &f->err));
	assert_non_null(strstr(f->err.msg, "is more than 1024 directories deep"));
	/* removal knows no limit */
	err_release(&f->err);
	assert_true(dir_remove(in(f, "deep"), &f->err));
	assert_int_not_equal(access(in(f, "deep"), F_OK), 0);
	make_deep(f, 2100);
	assert_true(dir_remove(in(f, "deep"), &f->err));
	assert_int_not_equal(access(in(f, "deep"), F_OK), 0);
}

/* Bind mounts of the same file system count as mounts. */
static void test_remove_mount(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		print_message("cannot mount here\n");
		skip();
	}
	fill(f);
	assert_true(dir_make(in(f, "other/dir"), 0755, &f->err));
	put(f, "other/file");
	assert_int_equal(mount(in(f, "other"), in(f, "t/empty"), NULL, MS_BIND, NULL), 0);
	bool ok = dir_remove(in(f, "t"), &f->err);
	assert_int_equal(umount(in(f, "t/empty")), 0);
	assert_false(ok);
	assert_string_equal(f->err.msg,
		arena_printf(&f->a, "cannot remove '%s/t/empty': it is a mount point", f->dir));
	assert_true(exists(f, "other/file"));
	assert_true(exists(f, "other/dir"));
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct strs names = {0};
	fill(f);
	assert_true(dir_names(in(f, "t"), &f->a, &names, &f->err));
	static const char *const want[] = {"B", "a", "a.d", "b", "empty", "link", "z"};
	assert_int_equal(names.n, countof(want));
	for (size_t i = 0; i < countof(want); i++)
		assert_true(str_is(names.v[i], want[i]));
	assert_false(dir_names(in(f, "none"), &f->a, &names, &f->err));
	assert_int_equal(names.n, countof(want));
}

static void test_places(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	setenv("TMPDIR", f->dir, 1);
	char *temp = dir_temp(&f->a, "x-", &f->err);
	assert_non_null(temp);
	assert_true(str_starts(str_of(temp), str_of(in(f, "x-"))));
	assert_int_equal(stat(temp, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	setenv("TMPDIR", in(f, "none"), 1);
	assert_null(dir_temp(&f->a, "x-", &f->err));
	assert_non_null(strstr(f->err.msg, "\nhint: set TMPDIR"));
	unsetenv("TMPDIR");
	static const struct {
		const char *cache, *home, *want;
	} cases[] = {
		{"/c", "/h", "/c"},
		{NULL, "/h", "/h/.cache"},
		{"", "/h", "/h/.cache"},
		{"relative", "/h", "/h/.cache"},
		{NULL, "", NULL},
		{NULL, NULL, NULL},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		unsetenv("XDG_CACHE_HOME");
		unsetenv("HOME");
		if (cases[i].cache)
			setenv("XDG_CACHE_HOME", cases[i].cache, 1);
		if (cases[i].home)
			setenv("HOME", cases[i].home, 1);
		char *got = dir_user_cache(&f->a);
		assert_true(str_is(str_of(got), cases[i].want ? cases[i].want : ""));
		assert_int_equal(!got, !cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_make, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_mount, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
	};
	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
