#include "shared/os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/base/tstamp.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define MS INT64_C(1000000)

struct lines {
	struct buf text;
	size_t n, longest;
};

static void take_line(struct str line, bool is_err, void *user)
{
	struct lines *l = user;
	l->n++;
	if (line.n > l->longest)
		l->longest = line.n;
	if (l->text.n < 1000)
		buf_printf(&l->text, "%s%.*s|", is_err ? "!" : "",
			STR_ARG(line.n < 100 ? line : S("long")));
}

/* Runs a shell script; *l gets what it wrote. Returns the status, or -1 with *err set. */
static int shell(const char *script, struct lines *l, int64_t timeout, struct err *err)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	const struct proc_opts o = {
		.argv = argv, .stdin_fd = -1, .line = take_line, .user = l, .timeout_ns = timeout};
	int status = -1;
	return proc_run(&o, &status, err) ? status : -1;
}

static void test_lines(void **state)
{
	(void)state;
	static const struct {
		const char *script, *want;
		int status;
	} cases[] = {
		{":", "", 0},
		{"echo a; echo b", "a|b|", 0},
		{"echo a; sleep 0.05; echo b >&2; sleep 0.05; printf c", "a|!b|c|", 0},
		{"printf 'a\\n\\nb'", "a||b|", 0},
		{"printf 'a\\r\\n'", "a\r|", 0},
		{"cat; echo done", "done|", 0},
		{"exit 7", "", 7 << 8},
		{"kill -9 $$", "", 9},
		{"kill -TERM $$", "", 15},
		{"exec >&- 2>&-; sleep 0.1; exit 3", "", 3 << 8},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct lines l = {.text = BUF_INIT(2000)};
		assert_int_equal(shell(cases[i].script, &l, 0, &err), cases[i].status);
		assert_true(str_is(buf_str(&l.text), cases[i].want));
		buf_release(&l.text);
	}
}

static void test_long_lines(void **state)
{
	(void)state;
	static const struct {
		const char *script;
		size_t n, longest;
	} cases[] = {
		{"head -c 65536 /dev/zero; echo", 1, 65536},
		{"head -c 65537 /dev/zero; echo", 2, 65536},
		{"head -c 200000 /dev/zero; echo; echo x", 5, 65536},
		{"yes | head -n 100000", 100000, 1},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct lines l = {.text = BUF_INIT(BUF_NOLIMIT)};
		assert_int_equal(shell(cases[i].script, &l, 0, &err), 0);
		assert_int_equal(l.n, cases[i].n);
		assert_int_equal(l.longest, cases[i].longest);
		buf_release(&l.text);
	}
}

static void test_out(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	const char *argv[] = {"sh", "-c", "printf 'a\\nb'; echo e >&2", NULL};
	struct lines l = {.text = BUF_INIT(2000)};
	auto_buf struct buf out = BUF_INIT(3), none = BUF_INIT(2);
	struct proc_opts o = {
		.argv = argv, .stdin_fd = -1, .line = take_line, .user = &l, .out = &out};
	int status = -1;
	assert_true(proc_run(&o, &status, &err));
	assert_string_equal(out.p, "a\nb");
	assert_false(out.over);
	assert_string_equal(l.text.p, "!e|");
	buf_release(&l.text);
	/* too much is dropped, the child is not held up */
	const char *much[] = {"sh", "-c", "head -c 1000000 /dev/zero", NULL};
	o = (struct proc_opts){.argv = much, .stdin_fd = -1, .out = &none};
	assert_true(proc_run(&o, &status, &err));
	assert_true(none.over);
	assert_int_equal(status, 0);
}

static void test_surroundings(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	const char *env[] = {"ONLY=this", NULL};
	const char *argv[] = {"env", NULL}, *pwd[] = {"sh", "-c", "pwd; cat", NULL};
	auto_buf struct buf out = BUF_INIT(1000);
	struct proc_opts o = {.argv = argv, .env = env, .stdin_fd = -1, .out = &out};
	int status = -1, ends[2];
	assert_true(proc_run(&o, &status, &err));
	assert_string_equal(out.p, "ONLY=this\n");
	buf_clear(&out);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "in", 2), 2);
	close(ends[1]);
	o = (struct proc_opts){.argv = pwd, .cwd = "/usr/bin/..", .stdin_fd = ends[0], .out = &out};
	assert_true(proc_run(&o, &status, &err));
	close(ends[0]);
	assert_string_equal(out.p, "/usr\nin");
	o.cwd = "/none";
	o.stdin_fd = -1;
	assert_false(proc_run(&o, &status, &err));
	assert_string_equal(err.msg, "cannot run 'sh' in '/none': No such file or directory");
}

/* Descriptors are closed, signals are as at the start, wherever ours stand. */
static void test_inheritance(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1000);
	const char *argv[] = {"sh", "-c",
		"ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Ign|Blk)' /proc/self/status | tr -d "
		"'\\t\\n'",
		NULL};
	int open_fds[3];
	for (size_t i = 0; i < 3; i++)
		open_fds[i] = fcntl(0, F_DUPFD, i == 2 ? 500 : 10);
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	const struct proc_opts o = {.argv = argv, .stdin_fd = -1, .out = &out};
	int status = -1;
	bool ok = proc_run(&o, &status, &err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGUSR2, SIG_DFL);
	for (size_t i = 0; i < 3; i++)
		close(open_fds[i]);
	assert_true(ok);
	assert_int_equal(status, 0);
	/* 3 is the directory being listed */
	assert_string_equal(out.p, "0 1 2 3 SigBlk:0000000000000000SigIgn:0000000000000000");
}

/* With 0, 1 and 2 closed, the pipes get these numbers. */
static void test_closed_standard(void **state)
{
	(void)state;
	fflush(stdout);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(1000);
		const char *argv[] = {"sh", "-c", "cat; echo out; echo err >&2", NULL};
		const struct proc_opts o = {.argv = argv, .stdin_fd = -1, .out = &out};
		int status = -1;
		close(0);
		close(1);
		close(2);
		bool ok = proc_run(&o, &status, &err) && status == 0 &&
			  str_is(buf_str(&out), "out\n");
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_cannot_run(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	char *dir = dir_temp(&a, "test-proc-", &err);
	assert_non_null(dir);
	char *script = arena_printf(&a, "%s/script", dir), *text = arena_printf(&a, "%s/text", dir);
	assert_true(file_write(script, S("#!/none/such\n").p, 13, 0755, &err));
	assert_true(file_write(text, "text", 4, 0755, &err));
	const struct {
		const char *name, *want;
		enum err_kind kind;
	} cases[] = {
		{"no-such-program", "no program 'no-such-program' on PATH", EK_NOTFOUND},
		{"", "no program '' on PATH", EK_NOTFOUND},
		{"/none/x", "no program '/none/x'", EK_NOTFOUND},
		{dir, arena_printf(&a, "no program '%s'", dir), EK_NOTFOUND},
		{script, arena_printf(&a, "cannot run '%s': No such file or directory", script),
			EK_NOTFOUND},
		{text, arena_printf(&a, "cannot run '%s': Exec format error", text), EK_OTHER},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		const char *argv[] = {cases[i].name, NULL};
		const struct proc_opts o = {.argv = argv, .stdin_fd = -1};
		int status = 4711;
		assert_false(proc_run(&o, &status, &err));
		assert_string_equal(err.msg, cases[i].want);
		assert_int_equal(err.kind, cases[i].kind);
		assert_int_equal(status, 4711);
	}
	assert_true(dir_remove(dir, &err));
}

static bool child_hook(void *user)
{
	const int *code = user;
	errno = *code;
	return *code < 0;
}

static void test_child_hook(void **state)
{
	(void)state;
	static const struct {
		int code;
		const char *want;
	} cases[] = {
		{-1, NULL},
		{EPERM, "cannot set up 'true': Operation not permitted"},
		{0, "cannot run 'true': its setup failed"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		const char *argv[] = {"true", NULL};
		int code = cases[i].code, status = -1;
		const struct proc_opts o = {
			.argv = argv, .stdin_fd = -1, .child = child_hook, .child_user = &code};
		assert_int_equal(proc_run(&o, &status, &err), !cases[i].want);
		assert_string_equal(err.msg ? err.msg : "", cases[i].want ? cases[i].want : "");
	}
}

static void test_timeout(void **state)
{
	(void)state;
	static const struct {
		const char *script;
		int least, most; /* ms */
		const char *text;
	} cases[] = {
		{"echo a; sleep 60", 200, 1500, "a|"},
		{"trap 'echo bye; exit' TERM; sleep 60 & wait", 200, 1500, "bye|"},
		{"sleep 60 & sleep 60 & wait", 200, 1500, ""},
		{"trap '' TERM; echo b; sleep 60; sleep 60", 2200, 4500, "b|"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct lines l = {.text = BUF_INIT(2000)};
		int64_t start = tstamp_mono_ns();
		assert_int_equal(shell(cases[i].script, &l, 200 * MS, &err), -1);
		int64_t took = (tstamp_mono_ns() - start) / MS;
		assert_int_equal(err.kind, EK_CANCELLED);
		assert_string_equal(err.msg, "'sh' was stopped after 0.2 s: time is up");
		assert_true(str_is(buf_str(&l.text), cases[i].text));
		assert_in_range(took, cases[i].least, cases[i].most);
		buf_release(&l.text);
	}
	auto_err struct err err = ERR_INIT;
	struct lines l = {.text = BUF_INIT(2000)};
	assert_int_equal(shell("exit 0", &l, INT64_MAX, &err), 0);
	/* one last moment for all: it counts where it comes first */
	proc_deadline(tstamp_mono_ns() + 200 * MS);
	assert_int_equal(shell("exit 0", &l, 0, &err), 0);
	assert_int_equal(shell("sleep 60", &l, 100 * MS, &err), -1);
	assert_string_equal(err.msg, "'sh' was stopped after 0.1 s: time is up");
	assert_int_equal(shell("sleep 60", &l, INT64_MAX, &err), -1);
	assert_int_equal(err.kind, EK_CANCELLED);
	assert_string_equal(err.msg, "'sh' was stopped: time is up");
	proc_deadline(0);
	assert_int_equal(shell("exit 0", &l, 0, &err), 0);
	buf_release(&l.text);
}

/* What a child leaves behind: in its group it is killed, out of it it does not hold us up. */
static void test_left_behind(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		"sleep 60 & echo $!",
		"setsid sh -c 'echo $$; exec sleep 60' & sleep 0.3",
	};
	for (size_t i = 0; i < countof(scripts); i++) {
		auto_err struct err err = ERR_INIT;
		struct lines l = {.text = BUF_INIT(2000)};
		int64_t start = tstamp_mono_ns();
		assert_int_equal(shell(scripts[i], &l, 0, &err), 0);
		assert_true(tstamp_mono_ns() - start < 5000 * MS);
		pid_t pid = atoi(l.text.p);
		assert_true(pid > 1);
		/* a zombie stays where nobody reaps it */
		char stat[64] = "";
		auto_arena struct arena a = ARENA_INIT;
		usleep(100000);
		FILE *f = fopen(arena_printf(&a, "/proc/%d/stat", pid), "r");
		if (f) {
			assert_non_null(fgets(stat, sizeof(stat), f));
			fclose(f);
		}
		bool alive = f && !strstr(stat, ") Z");
		assert_int_equal(alive, i == 1);
		if (alive)
			kill(pid, SIGKILL);
		buf_release(&l.text);
	}
}

static void test_dies_with_us(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		auto_err struct err err = ERR_INIT;
		close(ends[0]);
		const char *argv[] = {"sleep", "60", NULL};
		const struct proc_opts o = {.argv = argv, .stdin_fd = ends[1]};
		int status;
		_exit(proc_run(&o, &status, &err));
	}
	close(ends[1]);
	usleep(200000);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* the end comes once the sleeper, who holds the pipe, is gone as well */
	char c;
	int64_t start = tstamp_mono_ns();
	assert_int_equal(read(ends[0], &c, 1), 0);
	assert_true(tstamp_mono_ns() - start < 5000 * MS);
	close(ends[0]);
}

/* In a process of its own, since an interrupt is for good. */
static int interrupted_run(int sig, const char *script, bool tty)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		auto_err struct err err = ERR_INIT;
		const char *argv[] = {"sh", "-c", script, NULL};
		const struct proc_opts o = {.argv = argv, .stdin_fd = -1, .tty = tty};
		int status = -1;
		proc_interrupts();
		if (proc_interrupted() || !proc_check(&err))
			_exit(20);
		bool ok = proc_run(&o, &status, &err);
		if (ok)
			_exit(proc_interrupted() ? 21 : 1);
		if (err.kind != EK_CANCELLED || strcmp(err.msg, "interrupted") != 0 ||
			!proc_interrupted())
			_exit(22);
		/* nothing starts any more */
		_exit(proc_run(&o, &status, &err) ? 23 : 0);
	}
	usleep(200000);
	kill(pid, sig);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void test_interrupts(void **state)
{
	(void)state;
	static const struct {
		int sig;
		const char *script;
		bool tty;
		int want, most;
	} cases[] = {
		{SIGINT, "sleep 60", false, 0, 1500},
		{SIGTERM, "sleep 60", false, 0, 1500},
		{SIGHUP, "sleep 60", false, 0, 1500},
		{SIGINT, "trap '' TERM; sleep 60; sleep 60", false, 0, 4500},
		/* who has the terminal gets its ^C, not we */
		{SIGINT, "sleep 0.5", true, 1, 1500},
		{SIGTERM, "exec sleep 60", true, 0, 1500},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		int64_t start = tstamp_mono_ns();
		assert_int_equal(interrupted_run(cases[i].sig, cases[i].script, cases[i].tty),
			cases[i].want);
		assert_true(tstamp_mono_ns() - start < cases[i].most * MS);
	}
}

static void test_find(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	char *before = arena_strdup(&a, getenv("PATH")), *dir = dir_temp(&a, "test-proc-", &err);
	assert_non_null(dir);
	char *tool = arena_printf(&a, "%s/tool", dir);
	assert_true(dir_make(arena_printf(&a, "%s/dir/tool", dir), 0755, &err));
	assert_true(file_write(tool, "", 0, 0755, &err));
	assert_true(file_write(arena_printf(&a, "%s/data", dir), "", 0, 0644, &err));
	setenv("PATH", arena_printf(&a, ":.:relative:/none:%s/dir:%s", dir, dir), 1);
	assert_string_equal(proc_find(&a, "tool"), tool);
	assert_null(proc_find(&a, "data"));
	assert_null(proc_find(&a, "none"));
	assert_null(proc_find(&a, ""));
	assert_string_equal(proc_find(&a, tool), tool);
	assert_null(proc_find(&a, dir));
	assert_int_equal(chdir(dir), 0);
	setenv("PATH", "", 1);
	assert_null(proc_find(&a, "tool"));
	assert_string_equal(proc_find(&a, "./tool"), "./tool");
	unsetenv("PATH");
	assert_non_null(proc_find(&a, "sh"));
	setenv("PATH", before, 1);
	assert_int_equal(chdir("/"), 0);
	assert_true(dir_remove(dir, &err));
}

static void test_status_text(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	assert_string_equal(proc_status_text(&a, 7 << 8), "exit status 7");
	assert_string_equal(proc_status_text(&a, 0), "exit status 0");
	assert_string_equal(proc_status_text(&a, 9), "killed by signal 9 (Killed)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_inheritance),
		cmocka_unit_test(test_closed_standard),
		cmocka_unit_test(test_cannot_run),
		cmocka_unit_test(test_child_hook),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_dies_with_us),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_status_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
