#include "shared/os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/os/dir.h"
#include "shared/os/path.h"

struct fixture {
	struct arena a;
	struct err err;
	char *dir, *file;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	f->dir = dir_temp(&f->a, "test-fd-", &f->err);
	f->file = arena_printf(&f->a, "%s/file", f->dir);
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

static size_t count_names(struct fixture *f)
{
	struct strs names = {0};
	assert_true(dir_names(f->dir, &f->a, &names, &f->err));
	return names.n;
}

static void check_file(struct fixture *f, const char *want, mode_t mode)
{
	auto_buf struct buf b = BUF_INIT(1000);
	struct stat st;
	assert_true(file_read(f->file, &b, &f->err));
	assert_true(str_is(buf_str(&b), want));
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_close_and_steal(void **state)
{
	(void)state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), stolen;
	assert_true(fd >= 0);
	stolen = fd_steal(&fd);
	assert_int_equal(fd, -1);
	errno = EXDEV;
	fd_close(&fd);
	assert_int_equal(fcntl(stolen, F_GETFD), FD_CLOEXEC);
	int copy = stolen;
	fd_close(&stolen);
	assert_int_equal(stolen, -1);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	errno = EXDEV;
	fd_close(&copy);
	assert_int_equal(errno, EXDEV);
}

static void test_read_limits(void **state)
{
	struct fixture *f = *state;
	static const struct {
		size_t size, max, before;
		bool ok;
	} cases[] = {
		{0, 0, 0, true},
		{0, 10, 0, true},
		{1, 0, 0, false},
		{10, 10, 0, true},
		{11, 10, 0, false},
		{10, 11, 2, false},
		{10, 12, 2, true},
		{300000, 300000, 0, true},
		{300001, 300000, 0, false},
	};
	char *data = arena_alloc(&f->a, 300001);
	memset(data, 'd', 300001);
	for (size_t i = 0; i < countof(cases); i++) {
		auto_buf struct buf b = BUF_INIT(cases[i].max);
		assert_true(file_write(f->file, data, cases[i].size, 0644, &f->err));
		for (size_t j = 0; j < cases[i].before; j++)
			buf_addc(&b, 'b');
		assert_int_equal(file_read(f->file, &b, &f->err), cases[i].ok);
		assert_int_equal(b.n, cases[i].before + (cases[i].ok ? cases[i].size : 0));
		if (cases[i].ok)
			assert_int_equal(strspn(b.p + cases[i].before, "d"), cases[i].size);
	}
}

static void test_read_other(void **state)
{
	struct fixture *f = *state;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	assert_false(file_read(f->file, &b, &f->err));
	assert_int_equal(f->err.kind, EK_NOTFOUND);
	assert_non_null(strstr(f->err.msg, f->file));
	assert_false(file_read(f->dir, &b, &f->err));
	/* no size is known of a pipe, and of files in /proc it is 0 */
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_true(fd_write_all(ends[1], "piped", 5, "pipe", &f->err));
	close(ends[1]);
	assert_true(fd_read_all(ends[0], "pipe", &b, &f->err));
	close(ends[0]);
	assert_string_equal(b.p, "piped");
	assert_true(file_read("/proc/self/status", &b, &f->err));
	assert_true(b.n > 100);
	char four[4];
	auto_fd int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(fd_pread_all(fd, four, 4, 0, "exe", &f->err));
	assert_memory_equal(four, "\177ELF", 4);
	assert_false(fd_pread_all(fd, four, 4, (off_t)1 << 40, "exe", &f->err));
	assert_int_equal(f->err.kind, EK_PARSE);
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	auto_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_false(fd_write_all(fd, "x", 1, "full", &f->err));
	assert_string_equal(f->err.msg, "cannot write 'full': No space left on device\n"
				     "hint: free some space there");
}

static void test_copy(void **state)
{
	struct fixture *f = *state;
	char *data = arena_alloc(&f->a, 1000000);
	for (size_t i = 0; i < 1000000; i++)
		data[i] = (char)(i * 31 / 7);
	assert_true(file_write(f->file, data, 1000000, 0600, &f->err));
	auto_fd int from = open(f->file, O_RDONLY | O_CLOEXEC);
	/* to a file, and to one open for appending, which copy_file_range refuses */
	static const int flags[] = {0, O_APPEND};
	for (size_t i = 0; i < countof(flags); i++) {
		char *path = arena_printf(&f->a, "%s/copy%zu", f->dir, i);
		auto_fd int to = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags[i], 0600);
		auto_buf struct buf b = BUF_INIT(1 << 20);
		assert_true(fd_copy(from, 12345, to, 900000, "copy", &f->err));
		assert_true(fd_copy(from, 0, to, 0, "copy", &f->err));
		assert_true(file_read(path, &b, &f->err));
		assert_int_equal(b.n, 900000);
		assert_memory_equal(b.p, data + 12345, 900000);
		assert_false(fd_copy(from, 999999, to, 2, "copy", &f->err));
		assert_string_equal(f->err.msg, "unexpected end of 'copy'");
	}
}

static void test_outfile(void **state)
{
	struct fixture *f = *state;
	static const mode_t modes[] = {0600, 0644, 0755, 04755, 0444};
	mode_t before = umask(077);
	for (size_t i = 0; i < countof(modes); i++) {
		auto_outfile struct outfile o = OUTFILE_INIT;
		char *text = arena_printf(&f->a, "text %zu", i);
		assert_true(outfile_open(&o, f->file, modes[i], &f->err));
		assert_int_equal(count_names(f), i ? 2 : 1);
		assert_true(fd_write_all(o.fd, text, strlen(text), f->file, &f->err));
		assert_true(outfile_commit(&o, i % 2, &f->err));
		check_file(f, text, modes[i]);
		assert_int_equal(count_names(f), 1);
	}
	umask(before);
	auto_outfile struct outfile dropped = OUTFILE_INIT;
	assert_true(outfile_open(&dropped, f->file, 0600, &f->err));
	assert_int_equal(count_names(f), 2);
	outfile_release(&dropped);
	assert_int_equal(count_names(f), 1);
	check_file(f, "text 4", 0444);
}

static void test_outfile_failures(void **state)
{
	struct fixture *f = *state;
	auto_outfile struct outfile o = OUTFILE_INIT;
	char *missing = arena_printf(&f->a, "%s/none/file", f->dir);
	assert_false(outfile_open(&o, missing, 0600, &f->err));
	assert_int_equal(f->err.kind, EK_NOTFOUND);
	assert_int_equal(o.fd, -1);
	/* the target became a directory meanwhile */
	assert_true(outfile_open(&o, f->file, 0600, &f->err));
	assert_int_equal(mkdir(f->file, 0755), 0);
	assert_false(outfile_commit(&o, false, &f->err));
	outfile_release(&o);
	assert_int_equal(count_names(f), 1);
	/* a link is replaced, what it points to stays */
	char *other = arena_printf(&f->a, "%s/other", f->dir);
	assert_int_equal(rmdir(f->file), 0);
	assert_true(file_write(other, "other", 5, 0600, &f->err));
	assert_int_equal(symlink("other", f->file), 0);
	assert_true(file_write(f->file, "new", 3, 0600, &f->err));
	check_file(f, "new", 0600);
	auto_buf struct buf b = BUF_INIT(100);
	assert_true(file_read(other, &b, &f->err));
	assert_string_equal(b.p, "other");
}

/* A file that may not grow stands for a disk that is full. */
static void test_write_keeps_old(void **state)
{
	struct fixture *f = *state;
	assert_true(file_write(f->file, "old", 3, 0640, &f->err));
	struct rlimit before, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	char *large = arena_alloc(&f->a, 100000);
	bool ok = file_write(f->file, large, 100000, 0640, &f->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_false(ok);
	assert_non_null(strstr(f->err.msg, "File too large"));
	assert_int_equal(count_names(f), 1);
	check_file(f, "old", 0640);
}

static void test_lock(void **state)
{
	struct fixture *f = *state;
	auto_fd int fd = file_lock(f->file, false, &f->err);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(file_lock(f->file, false, &f->err), -1);
	assert_int_equal(f->err.kind, EK_CONFLICT);
	/* one that waits gets it once we let go */
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* the copy inherited here would hold the lock for ever */
		close(fd);
		int got = file_lock(f->file, true, &f->err);
		_exit(got >= 0 ? 0 : 1);
	}
	int status;
	usleep(50000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	fd_close(&fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd = file_lock(f->file, false, &f->err);
	assert_true(fd >= 0);
	assert_int_equal(file_lock(arena_printf(&f->a, "%s/no/lock", f->dir), true, &f->err), -1);
	assert_int_equal(f->err.kind, EK_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_and_steal),
		cmocka_unit_test_setup_teardown(test_read_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outfile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outfile_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_keeps_old, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
