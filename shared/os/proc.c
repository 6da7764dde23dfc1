#include "shared/os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/tstamp.h"
#include "shared/os/fd.h"

#define MAX_LINE (64u << 10)
#define GRACE_NS 2000000000

/* Signals only set the flag; the pipe wakes whoever polls. */
static volatile sig_atomic_t interrupted;
static int wake_pipe[2] = { -1, -1 };

static void on_signal(int sig)
{
	int keep = errno;
	(void)sig;
	interrupted = 1;
	if (wake_pipe[1] >= 0) {
		ssize_t ignored = write(wake_pipe[1], "", 1);
		(void)ignored;
	}
	errno = keep;
}

void proc_interrupts(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	if (wake_pipe[0] < 0 && pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		wake_pipe[0] = wake_pipe[1] = -1;
	struct sigaction sa = { .sa_handler = on_signal };
	for (size_t i = 0; i < countof(signals); i++)
		(void)sigaction(signals[i], &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int64_t deadline;

void proc_deadline(int64_t mono_ns)
{
	deadline = mono_ns;
}

bool proc_interrupted(void)
{
	return interrupted;
}

bool proc_check(struct err *err)
{
	return !interrupted || err_set(err, EK_CANCELLED, "interrupted");
}

char *proc_find(struct arena *a, const char *name)
{
	struct str rest = str_of(getenv("PATH")), dir;
	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? arena_strdup(a, name) : NULL;
	while (str_next(&rest, ':', &dir)) {
		struct stat st;
		char *path = arena_printf(a, "%.*s/%s", STR_ARG(dir.n ? dir : S(".")), name);
		if (access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return path;
	}
	return NULL;
}

char *proc_status_text(struct arena *a, int status)
{
	if (WIFSIGNALED(status))
		return arena_printf(a, "killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	return arena_printf(a, "exit status %d", WEXITSTATUS(status));
}

/* One output of the child, cut into lines. */
struct pump {
	int fd;
	bool is_err;
	struct buf line;
};

struct running {
	const struct proc_opts *o;
	pid_t pid;
	struct pump pumps[2];
	int failure[2];		/* the child's errno when it can't be run */
};

/* In the child: never returns. Only async-signal-safe calls. */
static void child_main(const struct proc_opts *o, const char *path, pid_t parent, int in,
	const int out[2], int failure)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int s = 1; s < 32; s++)
		(void)signal(s, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (!o->tty) {
		setpgid(0, 0);
		if (dup2(in, 0) < 0 || dup2(out[0], 1) < 0 || dup2(out[1], 2) < 0)
			goto failed;
	}
	if (fcntl(failure, F_SETFD, FD_CLOEXEC) != 0 || (o->cwd && chdir(o->cwd) != 0) ||
		(o->child && !o->child(o->child_user)))
		goto failed;
	for (int fd = 3; fd < 256; fd++)
		if (fd != failure)
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (o->env)
		execve(path, (char *const *)o->argv, (char *const *)o->env);
	else
		execv(path, (char *const *)o->argv);
failed:;
	int code = errno;
	ssize_t ignored = write(failure, &code, sizeof(code));
	(void)ignored;
	_exit(127);
}

static void give_line(const struct running *r, struct pump *p)
{
	if (r->o->line)
		r->o->line(buf_str(&p->line), p->is_err, r->o->user);
	buf_clear(&p->line);
}

static void take_output(const struct running *r, struct pump *p, const char *bytes, size_t n)
{
	if (r->o->out && !p->is_err) {
		buf_add(r->o->out, bytes, n);
		return;
	}
	for (struct str rest = str_n(bytes, n); rest.n;) {
		long at = str_chr(rest, '\n');
		size_t part = at < 0 ? rest.n : (size_t)at, room = MAX_LINE - p->line.n;
		buf_add(&p->line, rest.p, part < room ? part : room);
		if (part > room) {
			give_line(r, p);
			rest = str_from(rest, room);
			continue;
		}
		if (at >= 0)
			give_line(r, p);
		rest = str_from(rest, part + (at >= 0));
	}
}

/* Reads what is there; closes the pump at its end. */
static void pump_once(const struct running *r, struct pump *p)
{
	char block[16384];
	ssize_t n = read(p->fd, block, sizeof(block));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		take_output(r, p, block, (size_t)n);
		return;
	}
	if (p->line.n)
		give_line(r, p);
	fd_close(&p->fd);
}

static void kill_group(const struct running *r, int sig)
{
	kill(r->o->tty ? r->pid : -r->pid, sig);
}

static bool drained(const struct running *r)
{
	return r->pumps[0].fd < 0 && r->pumps[1].fd < 0;
}

/* Sleeps until there is output, a signal, or at most ms. */
static void wait_events(struct running *r, int ms)
{
	struct pollfd fds[3] = {
		{ .fd = r->pumps[0].fd, .events = POLLIN },
		{ .fd = r->pumps[1].fd, .events = POLLIN },
		{ .fd = interrupted ? -1 : wake_pipe[0], .events = POLLIN },
	};
	if (poll(fds, 3, ms) <= 0)
		return;
	for (size_t i = 0; i < 2; i++)
		if (fds[i].fd >= 0 && fds[i].revents)
			pump_once(r, &r->pumps[i]);
	char sink[64];
	if (fds[2].revents)
		while (read(wake_pipe[0], sink, sizeof(sink)) > 0)
			;
}

enum ending { ENDED, TIMED_OUT, STOPPED };

/* Pumps until the child has ended; whoever it left behind in its group is killed, so that no
 * process outlives the step. */
static enum ending supervise(struct running *r, int *ret_status)
{
	int64_t start = tstamp_mono_ns(), asked = 0;
	enum ending why = ENDED;
	for (;;) {
		int64_t now = tstamp_mono_ns();
		pid_t got = waitpid(r->pid, ret_status, WNOHANG);
		if (got == r->pid || (got < 0 && errno == ECHILD))
			break;
		if (why == ENDED && interrupted && !r->o->tty)
			why = STOPPED;
		if (why == ENDED && ((r->o->timeout_ns && now - start > r->o->timeout_ns) ||
				(deadline && now > deadline)))
			why = TIMED_OUT;
		if (why != ENDED && !asked) {
			kill_group(r, SIGTERM);
			asked = now;
		} else if (asked && now - asked > GRACE_NS) {
			kill_group(r, SIGKILL);
		}
		/* A child that closed its outputs is asked more often. */
		wait_events(r, drained(r) ? 5 : 20);
	}
	if (!r->o->tty)
		kill_group(r, SIGKILL);
	while (!drained(r))
		wait_events(r, 100);
	return why;
}

static bool start(struct running *r, const char *path, struct err *err)
{
	const struct proc_opts *o = r->o;
	int out[2][2] = { { -1, -1 }, { -1, -1 } };
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || pipe2(r->failure, O_CLOEXEC) != 0 || pipe2(out[0], O_CLOEXEC) != 0 ||
		pipe2(out[1], O_CLOEXEC) != 0)
		return err_sys(err, "cannot run '%s'", o->argv[0]);
	pid_t parent = getpid();
	r->pid = fork();
	if (r->pid == 0) {
		const int to[2] = { out[0][1], out[1][1] };
		child_main(o, path, parent, o->stdin_fd >= 0 ? o->stdin_fd : null, to,
			r->failure[1]);
	}
	int failed = errno;
	if (r->pid > 0 && !o->tty)
		(void)setpgid(r->pid, r->pid);
	fd_close(&out[0][1]);
	fd_close(&out[1][1]);
	fd_close(&r->failure[1]);
	r->pumps[0] = (struct pump){ .fd = out[0][0], .line = BUF_INIT(MAX_LINE) };
	r->pumps[1] = (struct pump){ .fd = out[1][0], .is_err = true, .line = BUF_INIT(MAX_LINE) };
	errno = failed;
	return r->pid > 0 || err_sys(err, "cannot run '%s'", o->argv[0]);
}

static bool judge(const struct running *r, enum ending why, struct err *err)
{
	int code;
	if (read(r->failure[0], &code, sizeof(code)) == sizeof(code)) {
		errno = code;
		return err_sys(err, "cannot run '%s'", r->o->argv[0]);
	}
	if (why == STOPPED)
		return proc_check(err);
	if (why == TIMED_OUT)
		return err_set(err, EK_CANCELLED, "'%s' was stopped: its time is up", r->o->argv[0]);
	return true;
}

bool proc_run(const struct proc_opts *o, int *ret_status, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	if (!proc_check(err))
		return false;
	const char *path = proc_find(&a, o->argv[0]);
	if (!path)
		return err_set(err, EK_NOTFOUND, "no program '%s' on PATH", o->argv[0]);
	struct running r = { .o = o, .failure = { -1, -1 }, .pumps = { { .fd = -1 }, { .fd = -1 } } };
	bool ok = start(&r, path, err);
	if (ok) {
		int status = 0;
		enum ending why = supervise(&r, &status);
		ok = judge(&r, why, err);
		if (ok)
			*ret_status = status;
	}
	for (size_t i = 0; i < 2; i++) {
		fd_close(&r.pumps[i].fd);
		buf_release(&r.pumps[i].line);
		fd_close(&r.failure[i]);
	}
	return ok;
}
