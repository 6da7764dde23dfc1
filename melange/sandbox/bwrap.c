#include "melange/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "melange/sandbox/view.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

/* Bubblewrap as the runner: one bwrap process per command, all of them over the same view of the
 * guest. The arguments and their order are those of melange-build 2.5. */

struct sandbox {
	struct arena arena;
	struct sandbox_spec spec;
	struct view *view;	/* private writable view of a shared guest; NULL = the guest itself */
	struct strs base;	/* arguments common to all commands, up to the environment */
	char *bwrap;
};

static const char *const default_caps[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
};

/* Kernel settings that forbid user namespaces, with the command that allows them. */
static const struct {
	const char *file, *bad, *remedy;
} userns_knobs[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0",
		"sysctl kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		"sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000" },
};

static bool userns_error(struct str said, struct err *err)
{
	err_set(err, EK_OTHER, "bubblewrap cannot make a user namespace: %.*s", STR_ARG(said));
	for (size_t i = 0; i < countof(userns_knobs); i++) {
		auto_buf struct buf b = BUF_INIT(64);
		auto_err struct err ignored = ERR_INIT;
		if (file_read(userns_knobs[i].file, &b, &ignored) &&
			str_is(str_trim(buf_str(&b)), userns_knobs[i].bad))
			return err_hint(err, "%s is %s; allow it with '%s', or build as root",
				userns_knobs[i].file, userns_knobs[i].bad, userns_knobs[i].remedy);
	}
	return err_hint(err, "a container needs user namespaces allowed (for Docker: "
		"--security-opt seccomp=unconfined --security-opt systempaths=unconfined), "
		"or build as root");
}

static void keep_stderr(struct str line, bool is_err, void *user)
{
	struct buf *b = user;
	if (is_err && b->n == 0)
		buf_addstr(b, line);
}

static bool bwrap_usable(struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	char *path = proc_find(&a, "bwrap");
	if (!path) {
		err_set(err, EK_OTHER, "bubblewrap is not installed: no 'bwrap' on PATH");
		return err_hint(err, "install it, for example with 'apt-get install bubblewrap'");
	}
	auto_buf struct buf said = BUF_INIT(1024);
	const char *argv[] = { path, "--unshare-user", "--ro-bind", "/", "/", "true", NULL };
	if (geteuid() == 0)
		argv[1] = "--unshare-pid";
	const char *env[] = { "LANG=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct proc_opts o = { .argv = argv, .env = env, .stdin_fd = -1, .line = keep_stderr,
		.user = &said };
	int status;
	if (!proc_run(&o, &status, err))
		return false;
	return status == 0 || userns_error(buf_str(&said), err);
}

static void arg(struct sandbox *s, struct str text)
{
	strs_push(&s->arena, &s->base, text);
}

static void args(struct sandbox *s, const char *a, const char *b, const char *c)
{
	arg(s, str_of(a));
	if (b)
		arg(s, str_of(b));
	if (c)
		arg(s, str_of(c));
}

static struct str cap_name(struct arena *a, struct str name)
{
	char *up = arena_strndup(a, name.p, name.n);
	for (char *p = up; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return str_starts(str_of(up), S("CAP_")) ? str_of(up) : arena_strf(a, "CAP_%s", up);
}

static void identity_args(struct sandbox *s)
{
	const struct sandbox_spec *sp = &s->spec;
	int64_t uid = sp->uid, gid = sp->gid;
	if (uid < 0 && geteuid() == 0)
		return;
	if (uid < 0)
		uid = 1000;
	if (gid < 0)
		gid = uid;
	args(s, "--unshare-user", NULL, NULL);
	args(s, "--uid", arena_printf(&s->arena, "%lld", (long long)uid), NULL);
	args(s, "--gid", arena_printf(&s->arena, "%lld", (long long)gid), NULL);
}

static void mount_args(struct sandbox *s)
{
	const struct sandbox_spec *sp = &s->spec;
	if (sp->guest_read_only) {
		args(s, "--ro-bind", sp->guest, "/");
		args(s, "--tmpfs", "/tmp", NULL);
		args(s, "--tmpfs", "/home", NULL);
		args(s, "--dir", "/home/build", NULL);
		args(s, "--tmpfs", "/var/cache", NULL);
	} else {
		args(s, "--bind", s->view ? view_root(s->view) : sp->guest, "/");
	}
	args(s, "--bind", sp->workspace, "/home/build");
	if (sp->resolv_conf)
		args(s, "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf");
	if (sp->cache_dir)
		args(s, "--bind", sp->cache_dir, "/var/cache/melange");
}

static void build_args(struct sandbox *s)
{
	const struct sandbox_spec *sp = &s->spec;
	arg(s, str_of(s->bwrap));
	mount_args(s);
	args(s, "--unshare-pid", "--unshare-ipc", "--unshare-uts");
	if (!sp->network)
		args(s, "--unshare-net", NULL, NULL);
	args(s, "--die-with-parent", NULL, NULL);
	args(s, "--dev", "/dev", NULL);
	args(s, "--proc", "/proc", NULL);
	args(s, "--ro-bind", "/sys", "/sys");
	args(s, "--chdir", "/home/build", "--clearenv");
	identity_args(s);
	for (size_t i = 0; i < countof(default_caps); i++)
		args(s, "--cap-add", default_caps[i], NULL);
	for (size_t i = 0; i < sp->cap_add.n; i++) {
		arg(s, S("--cap-add"));
		arg(s, cap_name(&s->arena, sp->cap_add.v[i]));
	}
	for (size_t i = 0; i < sp->cap_drop.n; i++) {
		arg(s, S("--cap-drop"));
		arg(s, cap_name(&s->arena, sp->cap_drop.v[i]));
	}
}

static void bwrap_close(struct sandbox *s)
{
	if (!s)
		return;
	view_close(s->view);
	arena_release(&s->arena);
	free(s);
}

static struct sandbox *bwrap_open(const struct sandbox_spec *spec, struct err *err)
{
	struct sandbox *s = calloc(1, sizeof(*s));
	if (!s)
		BUG("out of memory");
	arena_init(&s->arena);
	s->spec = *spec;
	s->bwrap = proc_find(&s->arena, "bwrap");
	if (!s->bwrap) {
		err_set(err, EK_OTHER, "bubblewrap is not installed: no 'bwrap' on PATH");
		bwrap_close(s);
		return NULL;
	}
	if (!spec->guest_read_only) {
		s->view = view_open(spec->guest, spec->guest_shared, err);
		if (!s->view) {
			bwrap_close(s);
			return NULL;
		}
	}
	build_args(s);
	return s;
}

/* Later settings of a variable win, so one --setenv each suffices for bwrap. */
static void env_args(struct arena *a, struct strs *argv, const struct ykvs *env)
{
	for (size_t i = 0; env && i < env->n; i++) {
		strs_push(a, argv, S("--setenv"));
		strs_push(a, argv, arena_str(a, env->v[i].key));
		strs_push(a, argv, arena_str(a, env->v[i].val.s));
	}
}

/* Whoever builds, files get the modes that steps ask for. */
static bool enter_guest(void *user)
{
	struct view *view = user;
	umask(022);
	return !view || view_enter(view);
}

static bool bwrap_run(struct sandbox *s, const struct sandbox_cmd *cmd, int *ret_status,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct strs list = { 0 };
	for (size_t i = 0; i < s->base.n; i++)
		strs_push(&a, &list, s->base.v[i]);
	if (!cmd->interactive)
		strs_push(&a, &list, S("--new-session"));
	env_args(&a, &list, &s->spec.env);
	env_args(&a, &list, cmd->env);
	for (size_t i = 0; cmd->argv[i]; i++)
		strs_push(&a, &list, str_of(cmd->argv[i]));

	const char **argv = arena_array(&a, const char *, list.n + 1);
	for (size_t i = 0; i < list.n; i++)
		argv[i] = arena_strndup(&a, list.v[i].p, list.v[i].n);
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct proc_opts o = {
		.argv = argv,
		.env = env,
		.stdin_fd = -1,
		.tty = cmd->interactive,
		.line = cmd->line,
		.user = cmd->user,
		.child = enter_guest,
		.child_user = s->view,
	};
	return proc_run(&o, ret_status, err);
}

const struct sandbox_ops sandbox_bwrap = {
	.name = "bubblewrap",
	.usable = bwrap_usable,
	.open = bwrap_open,
	.run = bwrap_run,
	.close = bwrap_close,
};
