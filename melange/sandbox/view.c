#include "melange/sandbox/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/arena.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

struct view {
	struct arena arena;
	char *root;		/* where the guest is seen */
	char *state;		/* temporary directory of ours; NULL = none */
	int user_ns, mount_ns;	/* of the keeper; -1 = none */
	int keeper_pipe;	/* closing it ends the keeper */
	pid_t keeper;
};

/* All the keeper needs, made before the fork: it may only call what is safe then. */
struct keeper_plan {
	char *merged, *options, *options_volatile, *scratch, *scratch_options, *scratch_volatile;
	char *upper, *work, *scratch_upper, *scratch_work;
	char uid_map[64], gid_map[64];
	bool user_ns;
};

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static bool own_namespaces(const struct keeper_plan *p)
{
	if (unshare(CLONE_NEWNS | (p->user_ns ? CLONE_NEWUSER : 0)) != 0)
		return false;
	if (p->user_ns &&
		(!write_file("/proc/self/setgroups", "deny") ||
			!write_file("/proc/self/uid_map", p->uid_map) ||
			!write_file("/proc/self/gid_map", p->gid_map)))
		return false;
	return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Volatile: nothing of it outlives the build, so ending it need not write everything to disk.
 * Older kernels do not know the option. */
static bool mount_one(const char *where, const char *options, const char *volatile_options)
{
	return mount("overlay", where, "overlay", MS_NODEV, volatile_options) == 0 ||
	       mount("overlay", where, "overlay", MS_NODEV, options) == 0;
}

/* The upper layer on the temporary directory's file system, else on a tmpfs (an overlay cannot
 * be stacked on some file systems, another overlay among them). */
static bool mount_overlay(const struct keeper_plan *p)
{
	if (mount_one(p->merged, p->options, p->options_volatile))
		return true;
	if (mount("tmpfs", p->scratch, "tmpfs", 0, "mode=0755") != 0)
		return false;
	return mkdir(p->scratch_upper, 0755) == 0 && mkdir(p->scratch_work, 0755) == 0 &&
		mount_one(p->merged, p->scratch_options, p->scratch_volatile);
}

static void keeper_main(const struct keeper_plan *p, int ready, int wait_on)
{
	int failure = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	if (!own_namespaces(p) || !mount_overlay(p))
		failure = errno ? errno : EINVAL;
	if (write(ready, &failure, sizeof(failure)) != sizeof(failure) || failure)
		_exit(1);
	close(ready);
	char c;
	while (read(wait_on, &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* ':' separates lower layers and ',' separates options. */
static char *escape(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, 2 * strlen(path) + 1), *q = out;
	for (const char *p = path; *p; p++) {
		if (*p == ':' || *p == ',' || *p == '\\')
			*q++ = '\\';
		*q++ = *p;
	}
	return out;
}

static char *overlay_options(struct arena *a, const char *lower, const char *upper,
	const char *work, bool user_ns)
{
	return arena_printf(a, "lowerdir=%s,upperdir=%s,workdir=%s%s", escape(a, lower),
		escape(a, upper), escape(a, work), user_ns ? ",userxattr" : "");
}

static void keeper_plan(struct view *v, const char *guest, struct keeper_plan *p)
{
	struct arena *a = &v->arena;
	p->user_ns = geteuid() != 0;
	p->merged = arena_printf(a, "%s/root", v->state);
	p->upper = arena_printf(a, "%s/upper", v->state);
	p->work = arena_printf(a, "%s/work", v->state);
	p->scratch = arena_printf(a, "%s/scratch", v->state);
	p->scratch_upper = arena_printf(a, "%s/upper", p->scratch);
	p->scratch_work = arena_printf(a, "%s/work", p->scratch);
	p->options = overlay_options(a, guest, p->upper, p->work, p->user_ns);
	p->scratch_options =
		overlay_options(a, guest, p->scratch_upper, p->scratch_work, p->user_ns);
	p->options_volatile = arena_printf(a, "%s,volatile", p->options);
	p->scratch_volatile = arena_printf(a, "%s,volatile", p->scratch_options);
	snprintf(p->uid_map, sizeof(p->uid_map), "%u %u 1", geteuid(), geteuid());
	snprintf(p->gid_map, sizeof(p->gid_map), "%u %u 1", getegid(), getegid());
}

static int open_ns(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Starts the keeper. false without an error: overlays can't be had here. */
static bool start_keeper(struct view *v, const char *guest)
{
	struct keeper_plan p = { 0 };
	keeper_plan(v, guest, &p);
	const char *dirs[] = { p.merged, p.upper, p.work, p.scratch };
	for (size_t i = 0; i < countof(dirs); i++)
		if (mkdir(dirs[i], 0755) != 0)
			return false;
	int ready[2], hold[2];
	if (pipe2(ready, O_CLOEXEC) != 0)
		return false;
	if (pipe2(hold, O_CLOEXEC) != 0) {
		close(ready[0]);
		close(ready[1]);
		return false;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(ready[0]);
		close(hold[1]);
		keeper_main(&p, ready[1], hold[0]);
	}
	close(ready[1]);
	close(hold[0]);
	v->keeper = pid;
	v->keeper_pipe = hold[1];
	int failure = ECHILD;
	bool ok = pid > 0 && read(ready[0], &failure, sizeof(failure)) == sizeof(failure) &&
		failure == 0;
	close(ready[0]);
	if (!ok) {
		log_debug("no overlay for the guest: %s", strerror(failure));
		return false;
	}
	v->mount_ns = open_ns(pid, "mnt");
	if (p.user_ns)
		v->user_ns = open_ns(pid, "user");
	v->root = p.merged;
	return v->mount_ns >= 0 && (!p.user_ns || v->user_ns >= 0);
}

static void stop_keeper(struct view *v)
{
	fd_close(&v->keeper_pipe);
	if (v->keeper > 0)
		while (waitpid(v->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	v->keeper = 0;
	fd_close(&v->mount_ns);
	fd_close(&v->user_ns);
}

struct copy {
	int to;
	const char *name;
};

static bool copy_file(const struct dir_entry *e, int to, struct err *err)
{
	auto_fd int in = openat(e->dirfd, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int out = openat(to, e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (in < 0 || out < 0)
		return err_sys(err, "cannot copy guest file '%s'", e->path);
	return fd_copy(in, 0, out, e->st.st_size, e->path, err) &&
		(fchmod(out, e->st.st_mode & 07777) == 0 ||
			err_sys(err, "cannot set the mode of '%s'", e->path));
}

static bool copy_entry(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	(void)skip;
	struct copy *c = user;
	if (S_ISDIR(e->st.st_mode))
		return (mkdirat(c->to, e->path, 0700) == 0 &&
			fchmodat(c->to, e->path, (e->st.st_mode & 07777) | 0700, 0) == 0) ||
			err_sys(err, "cannot make guest directory '%s'", e->path);
	if (e->link)
		return symlinkat(e->link, c->to, e->path) == 0 ||
			err_sys(err, "cannot make guest link '%s'", e->path);
	return !S_ISREG(e->st.st_mode) || copy_file(e, c->to, err);
}

static bool copy_guest(struct view *v, const char *guest, struct err *err)
{
	v->root = arena_printf(&v->arena, "%s/copy", v->state);
	if (mkdir(v->root, 0755) != 0)
		return err_sys(err, "cannot make '%s'", v->root);
	auto_fd int to = open(v->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy c = { .to = to, .name = v->root };
	return dir_walk(guest, copy_entry, &c, err);
}

static const struct {
	const char *path;
	bool file;
} mount_points[] = {
	{ "dev", false }, { "proc", false }, { "sys", false }, { "home", false },
	{ "home/build", false }, { "var", false }, { "var/cache", false },
	{ "var/cache/melange", false }, { "etc", false }, { "etc/resolv.conf", true },
};

/* Makes one mount point under the root; what the view may replace (a link in the place of
 * resolv.conf) is replaced, a link in the place of a directory is refused. */
static int make_mount_point(int root, const char *path, bool file)
{
	struct stat st;
	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return errno;
	} else if (file ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode)) {
		return 0;
	} else if (!file) {
		return ELOOP;
	} else if (unlinkat(root, path, 0) != 0) {
		return errno;
	}
	if (!file)
		return mkdirat(root, path, 0755) == 0 ? 0 : errno;
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* In a child that has entered the view: the parent does not see its mounts. */
static int make_mount_points(struct view *v, unsigned *ret_which)
{
	int root = open(v->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno;
	int failure = 0;
	for (unsigned i = 0; i < countof(mount_points) && !failure; i++) {
		*ret_which = i;
		failure = make_mount_point(root, mount_points[i].path, mount_points[i].file);
	}
	close(root);
	return failure;
}

static bool prepare_mount_points(struct view *v, struct err *err)
{
	int out[2];
	if (pipe2(out, O_CLOEXEC) != 0)
		return err_sys(err, "cannot make a pipe");
	pid_t pid = fork();
	if (pid == 0) {
		unsigned said[2] = { 0, 0 };
		said[1] = view_enter(v) ? (unsigned)make_mount_points(v, &said[0]) : (unsigned)errno;
		_exit(write(out[1], said, sizeof(said)) == sizeof(said) ? 0 : 1);
	}
	close(out[1]);
	unsigned said[2] = { 0, ECHILD };
	if (pid < 0 || read(out[0], said, sizeof(said)) != sizeof(said))
		said[1] = ECHILD;
	close(out[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (said[1] == 0)
		return true;
	const char *path = mount_points[said[0]].path;
	if (said[1] == ELOOP)
		return err_set(err, EK_OTHER,
			"the guest has something else than a directory at '/%s', where the build needs "
			"a mount point\nhint: remove the package that brings it from the environment",
			path);
	errno = (int)said[1];
	return err_sys(err, "cannot make the mount point '/%s' in the guest", path);
}

struct view *view_open(const char *guest, bool shared, struct err *err)
{
	struct view *v = calloc(1, sizeof(*v));
	if (!v)
		BUG("out of memory");
	arena_init(&v->arena);
	v->user_ns = v->mount_ns = v->keeper_pipe = -1;
	v->root = arena_strdup(&v->arena, guest);
	if (shared) {
		v->state = dir_temp(&v->arena, "melange-guest-", err);
		if (!v->state)
			goto failed;
		if (!start_keeper(v, guest)) {
			stop_keeper(v);
			if (!copy_guest(v, guest, err))
				goto failed;
		}
	}
	if (prepare_mount_points(v, err))
		return v;
failed:
	view_close(v);
	return NULL;
}

const char *view_root(const struct view *v)
{
	return v->root;
}

bool view_enter(struct view *v)
{
	if (v->user_ns >= 0 && setns(v->user_ns, CLONE_NEWUSER) != 0)
		return false;
	return v->mount_ns < 0 || setns(v->mount_ns, CLONE_NEWNS) == 0;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	stop_keeper(v);
	if (v->state) {
		auto_err struct err err = ERR_INIT;
		if (!dir_remove(v->state, &err))
			log_warn("cannot remove the temporary guest: %s", err.msg);
	}
	arena_release(&v->arena);
	free(v);
}
