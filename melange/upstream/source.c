#include "melange/upstream/source_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "melange/plan/compile.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/os/proc.h"

static void say(struct str line, bool is_err, void *user)
{
	(void)is_err, (void)user;
	log_info("%.*s", STR_ARG(line));
}

static bool run(const char *dir, const char *const *argv, struct buf *out, int *ret_status,
	struct err *err)
{
	const struct proc_opts o = { .argv = argv, .cwd = dir, .stdin_fd = -1,
		.line = say, .out = out };
	return proc_run(&o, ret_status, err);
}

bool source_git(const char *dir, const char *const *argv, struct buf *out, struct err *err)
{
	int status;
	auto_arena struct arena a = ARENA_INIT;
	if (!run(dir, argv, out, &status, err))
		return false;
	return status == 0 || err_set(err, EK_CHILD, "'%s %s' in '%s' failed: %s", argv[0], argv[1],
		dir, proc_status_text(&a, status));
}

bool source_is_patch_step(const struct ynode *step)
{
	const struct ynode *uses = ynode_get(step, "uses");
	return uses && (str_is(uses->text, "patch") || str_is(uses->text, "git-am"));
}

bool source_open(struct source *s, const struct source_req *req, struct arena *a,
	const struct ynode **ret_checkout, struct err *err)
{
	*s = (struct source){ .req = req, .a = a };
	if (!upfile_load(req->path, a, &s->f, err))
		return false;
	struct upsteps steps = upstream_steps(&s->f, "git-checkout");
	if (steps.n == 0)
		return err_set(err, EK_USAGE, "'%s' has no git-checkout step", req->path);
	*ret_checkout = steps.v[0];
	struct str name = s->f.c.package.name.s, dir = path_dir(str_of(req->path));
	s->repo = path_abs(a, arena_printf(a, "%s/%.*s", req->out_dir, STR_ARG(name)));
	s->patch_dir = path_abs(a, *req->source_dir ? req->source_dir
		: arena_printf(a, "%.*s/%.*s", STR_ARG(dir.n ? dir : S(".")), STR_ARG(name)));
	upstream_scope(&s->f, s->f.c.package.version.s, s->f.c.package.epoch, &s->scope);
	return diags_ok(&s->f.diags, err);
}

/* get */

static const struct step *step_of(const struct bind_list *steps, const struct ynode *at)
{
	const struct step *s = steps->v, *found = NULL;
	for (size_t i = 0; i < steps->n && !found; i++)
		found = s[i].at == at ? &s[i] : step_of(&s[i].pipeline, at);
	return found;
}

static void collect(const struct bind_list *steps, struct buf *out)
{
	const struct step *s = steps->v;
	for (size_t i = 0; i < steps->n; i++) {
		if (s[i].runs.s.n)
			buf_printf(out, "(\n%.*s\n) || exit 1\n", STR_ARG(s[i].runs.s));
		collect(&s[i].pipeline, out);
	}
}

/* The checkout as the built-in pipeline does it, with all of the history unless the step says
 * otherwise, here and not where the build would put it. */
static bool checkout_script(struct source *s, const struct ynode *checkout, struct buf *out,
	struct err *err)
{
	struct config c = s->f.c, compiled;
	const struct compile_opts co = { .arch = apk_arch_host() };
	struct step step = *step_of(&c.pipeline, checkout);
	step.with = (struct ykvs){ 0 };
	const struct ykvs *with = &step_of(&c.pipeline, checkout)->with;
	for (size_t i = 0; i < with->n; i++)
		ykvs_set(s->a, &step.with, with->v[i].key, with->v[i].val);
	ykvs_set(s->a, &step.with, S("destination"), (struct ystr){ S("."), NULL });
	if (!ykvs_get(&step.with, S("depth")))
		ykvs_set(s->a, &step.with, S("depth"), (struct ystr){ S("-1"), NULL });
	step.if_ = (struct ystr){ 0 };
	c.pipeline = (struct bind_list){ &step, 1 };
	c.subpackages = (struct bind_list){ 0 };
	c.test = NULL;
	if (!config_compile(&c, &co, s->a, &compiled, err))
		return false;
	buf_adds(out, "set -e\n");
	collect(&compiled.pipeline, out);
	return true;
}

static bool head_of(const char *dir, struct arena *a, const char **ret, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(4096);
	if (!source_git(dir, (const char *[]){ "git", "rev-parse", "--verify", "HEAD", NULL }, &out, err))
		return false;
	struct str text = str_trim(buf_str(&out));
	*ret = arena_strndup(a, text.p, text.n);
	return true;
}

/* As a mail, else as a difference, else with some fuzz; always a commit in the end. */
static bool apply(const char *dir, const char *file, const char *name, const char *strip,
	struct arena *a, struct err *err)
{
	const char *am[] = { "git", "am", "--quiet", "--no-gpg-sign", file, NULL };
	const char *abort[] = { "git", "am", "--abort", NULL };
	const char *difference[] = { "git", "apply", "--index", strip, file, NULL };
	const char *patch[] = { "patch", "--batch", "--forward", "--fuzz=2", strip, "-i", file, NULL };
	const char *add[] = { "git", "add", "--all", NULL };
	const char *commit[] = { "git", "commit", "--quiet", "--no-gpg-sign", "-m",
		arena_printf(a, "Apply %s", name), NULL };
	auto_err struct err ignored = ERR_INIT;
	if (source_git(dir, am, NULL, &ignored))
		return true;
	(void)!source_git(dir, abort, NULL, &ignored);
	err_release(&ignored);
	if (!source_git(dir, difference, NULL, &ignored) && !source_git(dir, patch, NULL, err))
		return err_wrap(err, "cannot apply '%s'", file);
	return source_git(dir, add, NULL, err) && source_git(dir, commit, NULL, err);
}

static bool apply_named(struct source *s, const char *dir, struct str name, const char *strip,
	struct err *err)
{
	const char *text = arena_strndup(s->a, name.p, name.n);
	const char *file = arena_printf(s->a, "%s/%s", s->patch_dir, text);
	if (access(file, R_OK) != 0) {
		err_sys(err, "cannot read patch '%s'", file);
		return err_hint(err, "name the directory of the patches with --source-dir");
	}
	return apply(dir, file, text, strip, s->a, err);
}

/* The patches of a series file, a line each, options behind a name left aside. */
static bool apply_series(struct source *s, const char *dir, struct str series, const char *strip,
	struct err *err)
{
	auto_buf struct buf text = BUF_INIT(1 << 20);
	struct str rest, line, name;
	if (!file_read(arena_printf(s->a, "%s/%.*s", s->patch_dir, STR_ARG(series)), &text, err))
		return false;
	rest = buf_str(&text);
	while (str_next(&rest, '\n', &line))
		if (str_word(&line, &name) && name.p[0] != '#' &&
			!apply_named(s, dir, name, strip, err))
			return false;
	return true;
}

static bool apply_step(struct source *s, const char *dir, const struct ynode *step, struct err *err)
{
	const struct ynode *strip = upstep_with(step, "strip-components");
	const struct ynode *series = upstep_with(step, "series"), *list = upstep_with(step, "patches");
	struct str level = S("1"), names = STR_NONE, name;
	if ((strip && !upstream_text(&s->f, &s->scope, strip, &level, err)) ||
		((series || list) && !upstream_text(&s->f, &s->scope, series ? series : list, &names, err)))
		return false;
	const char *option = arena_printf(s->a, "-p%.*s", STR_ARG(str_trim(level)));
	if (series)
		return apply_series(s, dir, str_trim(names), option, err);
	while (str_word(&names, &name))
		if (!apply_named(s, dir, name, option, err))
			return false;
	return true;
}

/* The first step of patches behind the checkout. */
static bool apply_patches(struct source *s, const char *dir, const struct ynode *checkout,
	struct err *err)
{
	const struct ynode *steps = ynode_get(s->f.c.doc->root, "pipeline");
	for (size_t i = 0; i < steps->n; i++)
		if (steps->items[i]->off > checkout->off && source_is_patch_step(steps->items[i]))
			return apply_step(s, dir, steps->items[i], err);
	return true;
}

static bool fill(struct source *s, const char *dir, const struct ynode *checkout, struct err *err)
{
	auto_buf struct buf script = BUF_INIT(4u << 20);
	const char *base;
	if (!checkout_script(s, checkout, &script, err))
		return false;
	const char *sh[] = { "sh", "-c", script.p, NULL };
	int status;
	if (!run(dir, sh, NULL, &status, err))
		return false;
	if (status != 0)
		return err_set(err, EK_CHILD, "the git-checkout step of '%s' failed", s->req->path);
	if (!head_of(dir, s->a, &base, err))
		return false;
	const char *mark[] = { "git", "config", SOURCE_BASE_KEY, base, NULL };
	return source_git(dir, mark, NULL, err) && apply_patches(s, dir, checkout, err);
}

static bool get(struct source *s, const struct ynode *checkout, struct err *err)
{
	struct stat st;
	char *dir = arena_printf(s->a, "%s/.get-XXXXXX", path_abs(s->a, s->req->out_dir));
	if (lstat(s->repo, &st) == 0) {
		err_set(err, EK_CONFLICT, "'%s' exists", s->repo);
		return err_hint(err, "remove it, or name another directory with --output");
	}
	if (!dir_make(s->req->out_dir, 0755, err))
		return false;
	if (!mkdtemp(dir) || chmod(dir, 0755) != 0)
		return err_sys(err, "cannot make a directory in '%s'", s->req->out_dir);
	bool ok = fill(s, dir, checkout, err) && (rename(dir, s->repo) == 0 ||
		err_sys(err, "cannot rename '%s' to '%s'", dir, s->repo));
	auto_err struct err ignored = ERR_INIT;
	if (!ok)
		(void)!dir_remove(dir, &ignored);
	else
		log_info("the sources are in %s", s->repo);
	return ok;
}

bool source_get(const struct source_req *req, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct ynode *checkout;
	struct source s;
	bool ok = source_open(&s, req, &a, &checkout, err) && get(&s, checkout, err);
	scope_release(&s.scope);
	return ok;
}
