#include "shared/os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/tstamp.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_LINE (64u << 10)
#define GRACE_NS 2000000000 /* between asking to end and killing */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

/* Signals only set the flag; the pipe, which is never emptied, wakes all that poll. */
static volatile sig_atomic_t interrupted;
/* A child has the terminal: its user's ^C is the child's affair. */
static volatile sig_atomic_t child_on_tty;
static int wake_pipe[2] = {-1, -1};

static void on_signal(int sig)
{
	int keep = errno;
	if (sig == SIGINT && child_on_tty)
		return;
	if (!interrupted && wake_pipe[1] >= 0) {
		ssize_t ignored = write(wake_pipe[1], "", 1);
		(void)ignored;
	}
	interrupted = 1;
	errno = keep;
}

void proc_interrupts(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	if (wake_pipe[0] < 0 && pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		wake_pipe[0] = wake_pipe[1] = -1;
	struct sigaction sa = {.sa_handler = on_signal};
	for (size_t i = 0; i < countof(signals); i++)
		(void)sigaction(signals[i], &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int64_t last_moment; /* 0: none */

void proc_deadline(int64_t mono_ns)
{
	last_moment = mono_ns;
}

bool proc_interrupted(void)
{
	return interrupted;
}

bool proc_check(struct err *err)
{
	return !interrupted || err_set(err, EK_CANCELLED, "interrupted");
}

static bool runnable(const char *path)
{
	struct stat st;
	return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *proc_find(struct arena *a, const char *name)
{
	const char *path = getenv("PATH");
	struct str rest = str_of(path ? path : DEFAULT_PATH), dir;
	if (strchr(name, '/'))
		return runnable(name) ? arena_strdup(a, name) : NULL;
	while (name[0] && str_next(&rest, ':', &dir)) {
		/* what lies in the working directory is not trusted */
		if (!str_starts(dir, S("/")))
			continue;
		char *full = arena_printf(a, "%.*s/%s", STR_ARG(dir), name);
		if (runnable(full))
			return full;
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

/* Why the child could not become the program, told through a pipe that exec closes. */
struct failure {
	enum { AT_EXEC, AT_CWD, AT_SETUP } at;
	int code;
};

struct running {
	const struct proc_opts *o;
	const char *path;
	pid_t pid;
	int pidfd; /* -1 where the kernel has none: then we look every 10 ms */
	struct pump pumps[2];
	int failure;
};

static void close_on_exec(void)
{
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	struct rlimit lim;
	int max = getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < 65536 ? (int)lim.rlim_cur
									      : 65536;
	for (int fd = 3; fd < max; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void default_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &sa, NULL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static no_return void child_failed(int to, int at)
{
	struct failure f = {.at = at, .code = errno};
	ssize_t ignored = write(to, &f, sizeof(f));
	(void)ignored;
	_exit(127);
}

/* In the child: only async-signal-safe calls. from: what becomes 0, 1 and 2, each above 2, and the
 * pipe for a failure. */
static no_return void child_main(const struct running *r, pid_t parent, const int from[4])
{
	const struct proc_opts *o = r->o;
	default_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (!o->tty) {
		(void)setpgid(0, 0);
		for (int fd = 0; fd < 3; fd++)
			if (dup2(from[fd], fd) < 0)
				child_failed(from[3], AT_SETUP);
	}
	if (o->cwd && chdir(o->cwd) != 0)
		child_failed(from[3], AT_CWD);
	errno = 0;
	if (o->child && !o->child(o->child_user))
		child_failed(from[3], AT_SETUP);
	close_on_exec();
	char *const *argv = (char *const *)o->argv;
	if (o->env)
		execve(r->path, argv, (char *const *)o->env);
	else
		execv(r->path, argv);
	child_failed(from[3], AT_EXEC);
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

/* Sleeps until there is output, an end, a signal, or at most ms (-1: for ever). */
static int wait_events(struct running *r, int ms)
{
	struct pollfd fds[4] = {
		{.fd = r->pumps[0].fd, .events = POLLIN},
		{.fd = r->pumps[1].fd, .events = POLLIN},
		{.fd = interrupted ? -1 : wake_pipe[0], .events = POLLIN},
		{.fd = r->pidfd, .events = POLLIN},
	};
	int n = poll(fds, 4, ms);
	for (size_t i = 0; n > 0 && i < 2; i++)
		if (fds[i].revents)
			pump_once(r, &r->pumps[i]);
	return n;
}

/* Whether the child has ended; it is not reaped, so that its number still names its group. */
static bool ended(const struct running *r)
{
	siginfo_t info = {0};
	return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0
		       ? errno == ECHILD
		       : info.si_pid == r->pid;
}

enum ending { ENDED, TIMED_OUT, TOO_LATE, STOPPED };

/* Pumps until the child has ended, asking and then forcing it to when there is reason. */
static enum ending supervise(struct running *r)
{
	int64_t deadline;
	enum ending why = ENDED, late = TIMED_OUT;
	if (r->o->timeout_ns <= 0 ||
		__builtin_add_overflow(tstamp_mono_ns(), r->o->timeout_ns, &deadline))
		deadline = INT64_MAX;
	if (last_moment && last_moment < deadline) {
		deadline = last_moment;
		late = TOO_LATE;
	}
	while (!ended(r)) {
		int64_t now = tstamp_mono_ns();
		enum ending cause = interrupted ? STOPPED : now >= deadline ? late : ENDED;
		if (why == ENDED && cause != ENDED) {
			why = cause;
			kill_group(r, SIGTERM);
			deadline = now + GRACE_NS;
		} else if (why != ENDED && now >= deadline) {
			kill_group(r, SIGKILL);
			deadline = INT64_MAX;
		}
		int64_t left = deadline == INT64_MAX ? -1 : (deadline - now) / 1000000 + 1;
		if (left > 60000)
			left = 60000;
		if (r->pidfd < 0 && (left < 0 || left > 10))
			left = 10;
		(void)wait_events(r, (int)left);
	}
	return why;
}

/* The child has ended: whoever it left behind in its group is killed, and what they all wrote is
 * read. A process that has left the group may hold the pipes open, but not us up. */
static void finish(struct running *r, int *ret_status)
{
	int64_t until = tstamp_mono_ns() + GRACE_NS;
	if (!r->o->tty)
		kill_group(r, SIGKILL);
	fd_close(&r->pidfd);
	while (waitpid(r->pid, ret_status, 0) < 0 && errno == EINTR) {
	}
	while (!drained(r) && tstamp_mono_ns() < until)
		if (wait_events(r, 100) == 0)
			break;
	for (size_t i = 0; i < 2; i++)
		if (r->pumps[i].line.n)
			give_line(r, &r->pumps[i]);
}

/* Descriptors of the start: the ends the child gets, and ours. */
struct ends {
	int child[4]; /* stdin, stdout, stderr, failure */
	int ours[3];  /* stdout, stderr, failure */
};

static void ends_close(struct ends *e)
{
	for (size_t i = 0; i < countof(e->child); i++)
		fd_close(&e->child[i]);
	for (size_t i = 0; i < countof(e->ours); i++)
		fd_close(&e->ours[i]);
}

/* Moves *fd above 2, where dup2 to 0, 1 and 2 does not hit it. */
static bool lift(int *fd)
{
	if (*fd > 2)
		return true;
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	fd_close(fd);
	*fd = up;
	return up >= 0;
}

static bool ends_open(struct ends *e, int stdin_fd)
{
	e->child[0] = stdin_fd >= 0 ? fcntl(stdin_fd, F_DUPFD_CLOEXEC, 3)
				    : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (e->child[0] < 0 || !lift(&e->child[0]))
		return false;
	for (size_t i = 0; i < 3; i++) {
		int both[2];
		if (pipe2(both, O_CLOEXEC) != 0)
			return false;
		e->ours[i] = both[0];
		e->child[i + 1] = both[1];
		if (!lift(&e->child[i + 1]))
			return false;
	}
	return true;
}

/* An ignored SIGCHLD would have the kernel throw the status away. */
static void keep_status(void)
{
	struct sigaction sa;
	if (sigaction(SIGCHLD, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
		(void)signal(SIGCHLD, SIG_DFL);
}

static bool start(struct running *r, struct err *err)
{
	struct ends e = {{-1, -1, -1, -1}, {-1, -1, -1}};
	sigset_t all, before;
	keep_status();
	if (!ends_open(&e, r->o->stdin_fd)) {
		(void)err_sys(err, "cannot run '%s'", r->o->argv[0]);
		ends_close(&e);
		return false;
	}
	pid_t parent = getpid();
	/* our handlers must not run in the child */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r->pid = fork();
	if (r->pid == 0)
		child_main(r, parent, e.child);
	int code = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r->pid > 0) {
		if (!r->o->tty)
			(void)setpgid(r->pid, r->pid);
		r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
		r->pumps[0].fd = fd_steal(&e.ours[0]);
		r->pumps[1].fd = fd_steal(&e.ours[1]);
		r->failure = fd_steal(&e.ours[2]);
	}
	ends_close(&e);
	errno = code;
	return r->pid > 0 || err_sys(err, "cannot run '%s'", r->o->argv[0]);
}

static bool could_run(const struct running *r, struct err *err)
{
	struct failure f;
	const char *name = r->o->argv[0];
	if (read(r->failure, &f, sizeof(f)) != sizeof(f))
		return true;
	errno = f.code;
	if (f.at == AT_CWD)
		return err_sys(err, "cannot run '%s' in '%s'", name, r->o->cwd);
	if (f.code == 0)
		return err_set(err, EK_OTHER, "cannot run '%s': its setup failed", name);
	return err_sys(err, f.at == AT_SETUP ? "cannot set up '%s'" : "cannot run '%s'", name);
}

static bool judge(const struct running *r, enum ending why, struct err *err)
{
	if (!could_run(r, err))
		return false;
	if (why == STOPPED)
		return proc_check(err);
	if (why == TOO_LATE)
		return err_set(err, EK_CANCELLED, "'%s' was stopped: time is up", r->o->argv[0]);
	if (why == TIMED_OUT)
		return err_set(err, EK_CANCELLED, "'%s' was stopped after %.1f s: time is up",
			r->o->argv[0], (double)r->o->timeout_ns / 1e9);
	return true;
}

bool proc_run(const struct proc_opts *o, int *ret_status, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	if (!proc_check(err))
		return false;
	const char *path = proc_find(&a, o->argv[0]);
	if (!path)
		return err_set(err, EK_NOTFOUND, "no program '%s'%s", o->argv[0],
			strchr(o->argv[0], '/') ? "" : " on PATH");
	struct running r = {
		.o = o,
		.path = o->cwd ? path_abs(&a, path) : path,
		.pidfd = -1,
		.failure = -1,
		.pumps =
			{
				{.fd = -1, .line = BUF_INIT(MAX_LINE)},
				{.fd = -1, .line = BUF_INIT(MAX_LINE), .is_err = true},
			},
	};
	int status = 0;
	if (o->tty)
		child_on_tty = 1;
	bool ok = start(&r, err);
	if (ok) {
		enum ending why = supervise(&r);
		finish(&r, &status);
		ok = judge(&r, why, err);
	}
	if (o->tty)
		child_on_tty = 0;
	if (ok)
		*ret_status = status;
	for (size_t i = 0; i < 2; i++) {
		fd_close(&r.pumps[i].fd);
		buf_release(&r.pumps[i].line);
	}
	fd_close(&r.pidfd);
	fd_close(&r.failure);
	return ok;
}
