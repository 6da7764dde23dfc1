#include "melange/build/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/os/proc.h"

#define HOME "/home/build"
#define STEP_PATH "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin"
#define NO_PIPEFAIL 42	/* exit status of the probe */

/* What a script said last and the log did not show: its error tells. */
struct unsaid {
	char line[8][200];
	size_t n;
};

static void log_step_line(struct str line, bool is_err, void *user)
{
	struct unsaid *u = user;
	int level = is_err ? LOG_WARN : LOG_INFO;
	log_line(level, "%.*s", STR_ARG(line));
	if (u && !log_enabled(level) && line.n)
		snprintf(u->line[u->n++ % countof(u->line)], sizeof(u->line[0]), "%.*s",
			STR_ARG(line));
}

static void tell_unsaid(const struct unsaid *u, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(4096);
	size_t start = u->n > countof(u->line) ? u->n - countof(u->line) : 0;
	for (size_t i = start; i < u->n; i++)
		buf_printf(&b, "\n      %s", u->line[i % countof(u->line)]);
	if (b.n)
		err_hint(err, "it said last:%s", b.p);
}

static bool run_shell(struct steps_run *r, const char *script, const struct ykvs *env,
	struct unsaid *unsaid, int *ret_status, struct err *err)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	const struct sandbox_cmd cmd = {
		.argv = argv,
		.env = env,
		.line = log_step_line,
		.user = unsaid,
	};
	return r->ops->run(r->sandbox, &cmd, ret_status, err);
}

bool steps_prepare(struct steps_run *r, struct err *err)
{
	static const char script[] =
		"if [ -x /sbin/ldconfig ]; then /sbin/ldconfig /lib 2>/dev/null || true; fi\n"
		"(set -o pipefail) 2>/dev/null || exit 42\n";
	int status;
	if (!run_shell(r, script, NULL, NULL, &status, err))
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PIPEFAIL) {
		r->no_pipefail = true;
		log_warn("the guest's /bin/sh does not know pipefail: a command that fails inside a "
			"pipe will go unnoticed");
		return true;
	}
	if (status == 0)
		return true;
	auto_arena struct arena a = ARENA_INIT;
	err_set(err, EK_CHILD, "cannot run /bin/sh in the guest: %s", proc_status_text(&a, status));
	return err_hint(err, "the environment must hold a shell: add busybox, or bash and what it "
		"needs, to environment.contents.packages");
}

bool steps_shell(struct steps_run *r, const char *script, struct err *err)
{
	int status;
	if (!run_shell(r, script, NULL, NULL, &status, err))
		return false;
	auto_arena struct arena a = ARENA_INIT;
	return status == 0 || err_set(err, EK_CHILD, "%s", proc_status_text(&a, status));
}

/* In single quotes, for the shell. */
static struct str quoted(struct arena *a, struct str s)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	buf_addc(&b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_adds(&b, "'\\''");
		else
			buf_addc(&b, s.p[i]);
	}
	buf_addc(&b, '\'');
	return arena_str(a, buf_str(&b));
}

static struct str step_dir(struct arena *a, const struct step *s)
{
	struct str dir = s->working_directory.s;
	if (dir.n == 0)
		return S(HOME);
	return dir.p[0] == '/' ? dir : path_join(a, S(HOME), dir);
}

static char *step_script(const struct steps_run *r, struct arena *a, const struct step *s)
{
	struct str dir = quoted(a, step_dir(a, s));
	const char *set = r->no_pipefail ? (r->debug ? "set -ex" : "set -e")
		: r->debug ? "set -exo pipefail" : "set -eo pipefail";
	struct str runs = s->runs.s;
	return arena_printf(a, "%s\n[ -d %.*s ] || mkdir -p %.*s\ncd %.*s\n%.*s\nexit 0\n", set,
		STR_ARG(dir), STR_ARG(dir), STR_ARG(dir), STR_ARG(runs));
}

/* The variables of a step and, behind them, those of the steps around it. */
struct inherited {
	const struct inherited *outer;
	const struct ykvs *own;
};

static void add_env(struct arena *a, const struct inherited *from, struct ykvs *env)
{
	if (from->outer)
		add_env(a, from->outer, env);
	for (size_t i = 0; i < from->own->n; i++)
		ykvs_set(a, env, from->own->v[i].key, from->own->v[i].val);
}

static void step_env(struct arena *a, const struct inherited *from, struct ykvs *env)
{
	ykvs_set(a, env, S("PATH"), (struct ystr){ S(STEP_PATH), NULL });
	add_env(a, from, env);
}

static struct str step_name(const struct step *s)
{
	return s->name.s.n ? s->name.s : s->uses.s;
}

/* Where the author wrote it. */
static struct pos step_pos(const struct step *s)
{
	const struct step *src = s->source ? s->source : s;
	return src->at ? src->at->pos : (struct pos){ 0 };
}

/* A shell where the step failed; true when the user lets the build go on. */
static bool step_rescue(struct steps_run *r, struct arena *a, const struct step *s,
	const struct ykvs *env, struct err *err)
{
	struct str dir = step_dir(a, s);
	log_error("%s", err->msg);
	log_info("the step failed; 'exit 0' goes on with the next one, anything else stops:\n%.*s",
		STR_ARG(s->runs.s));
	auto_err struct err aside = ERR_INIT;
	const char *history = arena_printf(a, "%s/.ash_history", r->workspace);
	if (!file_write(history, s->runs.s.p, s->runs.s.n, 0644, &aside))
		log_warn("no shell history: %s", aside.msg);
	struct ykvs shell_env = { 0 };
	for (size_t i = 0; i < env->n; i++)
		ykvs_set(a, &shell_env, env->v[i].key, env->v[i].val);
	const char *term = getenv("TERM");
	ykvs_set(a, &shell_env, S("HISTFILE"), (struct ystr){ S(HOME "/.ash_history"), NULL });
	ykvs_set(a, &shell_env, S("TERM"),
		(struct ystr){ str_of(term && *term ? term : "xterm-256color"), NULL });
	const char *script = arena_printf(a, "cd %.*s && exec /bin/sh", STR_ARG(quoted(a, dir)));
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	const struct sandbox_cmd cmd = { .argv = argv, .env = &shell_env, .interactive = true };
	int status;
	if (!r->ops->run(r->sandbox, &cmd, &status, &aside))
		return err_wrap(err, "%s", aside.msg);
	if (status == 0) {
		err_release(err);
		return true;
	}
	return err_wrap(err, "the shell ended with %s after", proc_status_text(a, status));
}

static bool run_script(struct steps_run *r, const struct step *s, const struct inherited *from,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ykvs env = { 0 };
	step_env(&a, from, &env);
	int status;
	struct unsaid unsaid = { .n = 0 };
	if (!run_shell(r, step_script(r, &a, s), &env, &unsaid, &status, err))
		return false;
	if (status == 0)
		return true;
	struct str name = step_name(s), dir = step_dir(&a, s);
	err_at(err, step_pos(s), "step %s%.*s%s failed: %s", name.n ? "'" : "", STR_ARG(name),
		name.n ? "'" : "without a name", proc_status_text(&a, status));
	err->kind = EK_CHILD;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		err_hint(err, "a command was not found in the guest: add its package to "
			"environment.contents.packages");
	tell_unsaid(&unsaid, err);
	err_hint(err, "it ran in '%.*s'; --debug shows each command, --interactive opens a shell there",
		STR_ARG(dir));
	return r->interactive && step_rescue(r, &a, s, &env, err);
}

static bool run_list(struct steps_run *r, const struct bind_list *pipeline,
	const struct inherited *outer, size_t *ret_ran, struct err *err);

static bool run_step(struct steps_run *r, const struct step *s, const struct inherited *outer,
	struct err *err)
{
	const struct inherited env = { outer, &s->environment };
	struct str name = step_name(s);
	if (name.n)
		log_info("running step \"%.*s\"", STR_ARG(name));
	/* An empty script still makes the working directory. */
	if ((s->runs.s.n || s->working_directory.s.n) && !run_script(r, s, &env, err))
		return false;
	size_t ran = 0;
	if (!run_list(r, &s->pipeline, &env, &ran, err))
		return false;
	const struct opt_int *want = &s->assertions.required_steps;
	if (s->assertions.at && want->set && (int64_t)ran != want->n)
		return err_at(err, step_pos(s), "%zu steps of this pipeline ran, but required-steps is %lld",
			ran, (long long)want->n);
	return true;
}

static bool run_list(struct steps_run *r, const struct bind_list *pipeline,
	const struct inherited *outer, size_t *ret_ran, struct err *err)
{
	const struct step *steps = pipeline->v;
	size_t ran = 0;
	for (size_t i = 0; i < pipeline->n; i++) {
		if (steps[i].skipped)
			continue;
		if (!run_step(r, &steps[i], outer, err))
			return false;
		ran++;
	}
	*ret_ran = ran;
	return true;
}

bool steps_run(struct steps_run *r, const struct bind_list *pipeline, size_t *ret_ran,
	struct err *err)
{
	return run_list(r, pipeline, NULL, ret_ran, err);
}
