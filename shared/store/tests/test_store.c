#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/compiler.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/store/store.h"

struct fix {
	struct arena a;
	char *dir;
	struct store *s;
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;

	f->dir = dir_temp(&f->a, "test-store-", &err);
	if (!f->dir)
		return -1;
	f->s = store_open(f->dir, &err);
	*state = f;
	return f->s ? 0 : -1;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;

	store_close(f->s);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

static size_t names_in_tmp(struct fix *f)
{
	struct strs names = { 0 };
	auto_err struct err err = ERR_INIT;

	assert_true(dir_names(arena_printf(&f->a, "%s/tmp", f->dir), &f->a, &names, &err));
	return names.n;
}

static void put(struct store *s, enum store_kind kind, const char *key, const char *text)
{
	auto_err struct err err = ERR_INIT;

	assert_true(store_put(s, kind, key, text, strlen(text), &err));
}

static void assert_holds(struct store *s, enum store_kind kind, const char *key, const char *want)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(1000);
	auto_fd int fd = store_get(s, kind, key);

	assert_true(fd >= 0);
	assert_true(fd_read_all(fd, key, &b, &err));
	assert_string_equal(b.p, want);
}

static void put_get_drop(void **state)
{
	struct fix *f = *state;
	struct stat st;

	assert_int_equal(store_get(f->s, STORE_DATA, "abcd"), -1);
	put(f->s, STORE_DATA, "abcd", "hello");
	assert_holds(f->s, STORE_DATA, "abcd", "hello");
	assert_false(store_has(f->s, STORE_ENTRIES, "abcd"));
	char *path = store_path(f->s, STORE_DATA, "abcd", &f->a);
	assert_string_equal(path, arena_printf(&f->a, "%s/data/ab/abcd", f->dir));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	put(f->s, STORE_DATA, "abcd", "again");
	assert_holds(f->s, STORE_DATA, "abcd", "again");
	/* What is open outlives the object. */
	auto_fd int fd = store_get(f->s, STORE_DATA, "abcd");
	store_drop(f->s, STORE_DATA, "abcd");
	assert_false(store_has(f->s, STORE_DATA, "abcd"));
	char buf[5];
	assert_int_equal(read(fd, buf, 5), 5);
	assert_int_equal(names_in_tmp(f), 0);
}

static void keys(void **state)
{
	static const char *const bad[] = { "", "a", "..", "../x", ".ab", "a/b", "ab/../c", "a b",
		"ab\n", "\xc3\xa9t\xc3\xa9", "ab*" };
	struct fix *f = *state;
	char longest[202];

	for (size_t i = 0; i < countof(bad); i++) {
		auto_err struct err err = ERR_INIT;
		assert_false(store_put(f->s, STORE_PLAN, bad[i], "x", 1, &err));
		assert_int_equal(store_get(f->s, STORE_PLAN, bad[i]), -1);
		store_drop(f->s, STORE_PLAN, bad[i]);
	}
	memset(longest, 'k', 201);
	longest[201] = 0;
	auto_err struct err err = ERR_INIT;
	assert_false(store_put(f->s, STORE_PLAN, longest, "x", 1, &err));
	longest[200] = 0;
	put(f->s, STORE_PLAN, longest, "x");
	put(f->s, STORE_PLAN, "a-._Z", "x");
	assert_int_equal(names_in_tmp(f), 0);
}

static void uncommitted_leaves_nothing(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct store_new n;

	assert_true(store_begin(f->s, &n, &err));
	assert_int_equal(names_in_tmp(f), 1);
	store_abort(&n);
	store_abort(&n);
	assert_true(store_begin_dir(f->s, &n, &err));
	assert_int_equal(n.fd, -1);
	assert_true(file_write(arena_printf(&f->a, "%s/x", n.path), "x", 1, 0644, &err));
	store_abort(&n);
	assert_int_equal(names_in_tmp(f), 0);
	struct store_new none = { 0 };
	store_abort(&none);
}

static void commit_dir(struct fix *f, const char *text)
{
	auto_err struct err err = ERR_INIT;
	auto_store_new struct store_new n = { .fd = -1, .lock = -1 };

	assert_true(store_begin_dir(f->s, &n, &err));
	assert_true(file_write(arena_printf(&f->a, "%s/x", n.path), text, strlen(text), 0644,
		&err));
	assert_true(store_commit(&n, STORE_TREE, "tree1", &err));
}

static void directories_first_writer_wins(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(100);

	commit_dir(f, "first");
	commit_dir(f, "second");
	char *path = store_path(f->s, STORE_TREE, "tree1", &f->a);
	assert_true(file_read(arena_printf(&f->a, "%s/x", path), &b, &err));
	assert_string_equal(b.p, "first");
	assert_int_equal(names_in_tmp(f), 0);
	assert_true(store_has(f->s, STORE_TREE, "tree1"));
	/* A file is not a directory object, nor the reverse. */
	auto_store_new struct store_new n = { .fd = -1, .lock = -1 };
	assert_true(store_begin(f->s, &n, &err));
	assert_false(store_commit(&n, STORE_TREE, "tree2", &err));
	store_drop(f->s, STORE_TREE, "tree1");
	assert_false(store_has(f->s, STORE_TREE, "tree1"));
	assert_int_equal(access(path, F_OK), -1);
}

static void killed_writers_are_swept(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct store_new live, live_dir;
	int ready[2];

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct store_new n, d;
		bool ok = store_begin(f->s, &n, &err) && store_begin_dir(f->s, &d, &err) &&
			write(ready[1], "x", 1) == 1;
		if (ok)
			pause();
		_exit(1);
	}
	char c;
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_true(store_begin(f->s, &live, &err));
	assert_true(store_begin_dir(f->s, &live_dir, &err));
	assert_int_equal(names_in_tmp(f), 4);
	struct store *again = store_open(f->dir, &err);
	assert_int_equal(names_in_tmp(f), 4);
	store_close(again);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	again = store_open(f->dir, &err);
	assert_int_equal(names_in_tmp(f), 2);
	store_close(again);
	assert_true(store_commit(&live, STORE_DATA, "live", &err));
	store_abort(&live);
	store_abort(&live_dir);
	close(ready[0]);
	close(ready[1]);
}

static void set_used(struct fix *f, const char *key, time_t age)
{
	time_t now = time(NULL);
	const struct timespec times[2] = { { .tv_sec = now - age }, { .tv_sec = now - age } };

	assert_int_equal(utimensat(AT_FDCWD, store_path(f->s, STORE_PIECE, key, &f->a), times, 0),
		0);
}

static void cleaning(void **state)
{
	static const struct {
		struct store_clean how;
		const char *left;
		unsigned removed;
	} cases[] = {
		{ { 0 }, "abcd", 0 },
		{ { .max_bytes = UINT64_MAX }, "abcd", 0 },
		{ { .max_bytes = 400 }, "abcd", 0 },
		{ { .max_bytes = 399 }, "bcd", 1 },
		{ { .max_bytes = 200 }, "cd", 2 },
		{ { .max_bytes = 1 }, "", 4 },
		{ { .max_age = 2500 }, "cd", 2 },
		{ { .max_age = 2500, .max_bytes = 150 }, "d", 3 },
		{ { .all = true }, "", 4 },
		{ { .all = true, .dry_run = true }, "abcd", 4 },
		{ { .max_bytes = 250, .dry_run = true }, "abcd", 2 },
	};
	struct fix *f = *state;
	char text[101] = "";

	memset(text, 'x', 100);
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct store_usage u;
		char key[] = "k-?", left[5] = "";
		for (int k = 0; k < 4; k++) {
			key[2] = (char)('a' + k);
			put(f->s, STORE_PIECE, key, text);
			set_used(f, key, 4000 - k * 1000);
		}
		assert_true(store_clean(f->s, &cases[i].how, &u, &err));
		assert_int_equal(u.objects, 4);
		assert_int_equal(u.bytes, 400);
		assert_int_equal(u.removed_objects, cases[i].removed);
		assert_int_equal(u.removed_bytes, cases[i].removed * 100);
		for (int k = 0; k < 4; k++) {
			key[2] = (char)('a' + k);
			if (access(store_path(f->s, STORE_PIECE, key, &f->a), F_OK) == 0)
				left[strlen(left)] = key[2];
		}
		assert_string_equal(left, cases[i].left);
	}
}

static void use_is_recorded(void **state)
{
	struct fix *f = *state;
	struct stat before, after;

	put(f->s, STORE_PIECE, "old", "x");
	set_used(f, "old", 10 * 86400);
	char *path = store_path(f->s, STORE_PIECE, "old", &f->a);
	assert_int_equal(stat(path, &before), 0);
	assert_true(store_has(f->s, STORE_PIECE, "old"));
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_atime > time(NULL) - 1000);
	assert_int_equal(after.st_mtime, before.st_mtime);
}

static void trees_in_use_stay(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct store_usage u;
	const struct store_clean all = { .all = true };

	commit_dir(f, "content");
	auto_fd int fd = store_get(f->s, STORE_TREE, "tree1");
	assert_true(fd >= 0);
	assert_true(store_clean(f->s, &all, &u, &err));
	assert_int_equal(u.removed_objects, 0);
	assert_true(store_has(f->s, STORE_TREE, "tree1"));
	fd_close(&fd);
	assert_true(store_clean(f->s, &all, &u, &err));
	assert_int_equal(u.removed_objects, 1);
	assert_int_equal(u.removed_bytes, strlen("content"));
	assert_false(store_has(f->s, STORE_TREE, "tree1"));
	assert_int_equal(names_in_tmp(f), 0);
}

static void many_processes(void **state)
{
	struct fix *f = *state;
	pid_t pids[6];

	for (size_t i = 0; i < countof(pids); i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		auto_err struct err err = ERR_INIT;
		struct store *s = store_open(f->dir, &err);
		bool ok = s;
		for (int k = 0; ok && k < 200; k++) {
			char key[20], text[20] = "";
			(void)snprintf(key, sizeof(key), "key%d", k % 20);
			ok = store_put(s, STORE_DATA, key, key, strlen(key), &err);
			int fd = store_get(s, STORE_DATA, key);
			if (fd >= 0)
				ok = ok && read(fd, text, sizeof(text) - 1) >= 0 &&
					strcmp(key, text) == 0;
			fd_close(&fd);
			if (k % 7 == 0)
				store_drop(s, STORE_DATA, key);
		}
		store_close(s);
		_exit(ok ? 0 : 1);
	}
	for (size_t i = 0; i < countof(pids); i++) {
		int status = -1;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(names_in_tmp(f), 0);
}

static void shared_directory_is_refused(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct stat st;
	char *dir = arena_printf(&f->a, "%s/open", f->dir);

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 01777), 0);
	assert_null(store_open(dir, &err));
	assert_int_equal(err.kind, EK_TRUST);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	/* Without the sticky bit it was an umask, and can be mended. */
	err_release(&err);
	assert_int_equal(chmod(dir, 0775), 0);
	auto_store struct store *s = store_open(dir, &err);
	assert_non_null(s);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void default_directory(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	char *base = arena_printf(&f->a, "%s/xdg", f->dir);

	assert_int_equal(setenv("XDG_CACHE_HOME", base, 1), 0);
	struct store *s = store_open(NULL, &err);
	assert_non_null(s);
	assert_string_equal(store_dir(s), arena_printf(&f->a, "%s/apko", base));
	store_close(s);
	/* Nowhere to go: a temporary one, gone afterwards. */
	assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
	assert_int_equal(setenv("HOME", "/dev/null", 1), 0);
	s = store_open(NULL, &err);
	assert_non_null(s);
	char *dir = arena_strdup(&f->a, store_dir(s));
	put(s, STORE_DATA, "abcd", "x");
	store_close(s);
	assert_int_equal(access(dir, F_OK), -1);
	assert_null(store_open("/dev/null/x", &err));
}

/* Needs to be someone for whom a directory can be read-only. */
static void read_only_directory(void **state)
{
	struct fix *f = *state;
	pid_t pid;
	int status = -1;

	put(f->s, STORE_DATA, "kept", "old");
	assert_int_equal(chmod(f->dir, 0755), 0);
	if (geteuid() == 0) {
		static const char *const subs[] = { "tmp", "data", "data/ke" };
		for (size_t i = 0; i < countof(subs); i++)
			assert_int_equal(chmod(arena_printf(&f->a, "%s/%s", f->dir, subs[i]), 0755),
				0);
	} else {
		assert_int_equal(chmod(f->dir, 0555), 0);
	}
	pid = fork();
	if (pid == 0) {
		auto_err struct err err = ERR_INIT;
		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(9);
		struct store *s = store_open(f->dir, &err);
		bool ok = s && strcmp(store_dir(s), f->dir) != 0 &&
			store_has(s, STORE_DATA, "kept") &&
			store_put(s, STORE_DATA, "kept", "newer", 5, &err) &&
			store_put(s, STORE_DATA, "fresh", "x", 1, &err) &&
			store_has(s, STORE_DATA, "fresh");
		int fd = ok ? store_get(s, STORE_DATA, "kept") : -1;
		char text[9] = "";
		ok = ok && read(fd, text, 8) == 5 && strcmp(text, "newer") == 0;
		store_close(s);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_int_equal(status, 0);
	assert_holds(f->s, STORE_DATA, "kept", "old");
}

/* What net/cache keeps in the directory counts, ages and goes like objects. */
static void indexes_are_cleaned(void **state)
{
	static const struct {
		const char *name;
		int age;	/* seconds */
		bool old, all;	/* whether it is there after either cleaning */
	} files[] = {
		{ "aa.json", 10, true, false }, { "bb.json", 9000, false, false },
		{ "bb-body", 9000, false, false }, { ".tmp-1-2", 10, true, true },
		{ ".tmp-1-3", 100000, false, false },
	};
	struct fix *f = *state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	const struct store_clean old = { .max_age = 3600 }, all = { .all = true };
	struct store_usage u;
	const char *dir = arena_printf(&a, "%s/indexes", store_dir(f->s));

	assert_int_equal(mkdir(dir, 0755), 0);
	for (size_t i = 0; i < countof(files); i++) {
		char *path = arena_printf(&a, "%s/%s", dir, files[i].name);
		struct timespec t = { .tv_sec = time(NULL) - files[i].age };
		assert_true(file_write(path, "text", 4, 0644, &err));
		assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){ t, t }, 0), 0);
	}
	assert_true(store_clean(f->s, &old, &u, &err));
	assert_int_equal(u.objects, 3);
	assert_int_equal(u.bytes, 12);
	assert_int_equal(u.removed_objects, 2);
	for (size_t i = 0; i < countof(files); i++)
		assert_int_equal(access(arena_printf(&a, "%s/%s", dir, files[i].name), F_OK) == 0,
			files[i].old);
	assert_true(store_clean(f->s, &all, &u, &err));
	for (size_t i = 0; i < countof(files); i++)
		assert_int_equal(access(arena_printf(&a, "%s/%s", dir, files[i].name), F_OK) == 0,
			files[i].all);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(put_get_drop), T(keys), T(uncommitted_leaves_nothing),
		T(directories_first_writer_wins), T(killed_writers_are_swept), T(cleaning),
		T(use_is_recorded), T(trees_in_use_stay), T(many_processes),
		T(shared_directory_is_refused), T(default_directory), T(read_only_directory),
		T(indexes_are_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
