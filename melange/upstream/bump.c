#include "melange/upstream/bump.h"

#include <inttypes.h>

#include "melange/upstream/upstream.h"
#include "shared/apk/version.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"

#define MAX_DOWNLOAD ((int64_t)16 << 30)

struct bumping {
	const struct bump_req *req;
	struct upfile f;
	struct scope scope;
	struct yedits edits;
	uint64_t epoch;
	struct arena *a;
};

static const struct ynode *package_key(struct bumping *b, const char *key)
{
	const struct ynode *package = ynode_get(b->f.c.doc->root, "package");
	const struct ynode *n = ynode_get(package, key);
	if (!n)
		diags_add(&b->f.diags, package->pos, "package.%s missing, cannot bump", key);
	return n;
}

static void set(struct bumping *b, const struct ynode *n, struct str value, enum yedit_style style)
{
	if (n->kind == YN_NULL || !str_eq(n->text, value))
		yedit_value(&b->edits, b->f.c.doc, n, value, style, b->a);
}

/* The given version is compared as it was given, and written without blanks around it. */
static bool set_version(struct bumping *b, struct err *err)
{
	const struct ynode *version = package_key(b, "version"), *epoch = package_key(b, "epoch");
	if (!version || !epoch)
		return diags_ok(&b->f.diags, err);
	bool same = str_eq(version->text, b->req->version);
	b->epoch = same ? b->f.c.package.epoch + 1 : 0;
	set(b, version, str_trim(b->req->version), YEDIT_QUOTED);
	set(b, epoch, arena_strf(b->a, "%" PRIu64, b->epoch), YEDIT_SAME);
	return true;
}

/* Fetches */

static void set_sum(struct bumping *b, const struct ynode *step, const char *input,
	const uint8_t *md, size_t n)
{
	char *hex = arena_alloc(b->a, 2 * n + 1);
	const struct ynode *sum = upstep_with(step, input);
	hex_encode(md, n, hex);
	if (sum && (sum->kind == YN_SCALAR || sum->kind == YN_NULL))
		set(b, sum, str_of(hex), YEDIT_SAME);
}

static bool set_sums(struct bumping *b, const struct ynode *step, struct err *err)
{
	const char *url;
	struct upsums sums;
	if (!upstream_uri(&b->f, &b->scope, step, &url, err))
		return false;
	log_info("fetching %s", url);
	auto_fd int fd = upstream_download(b->req->http, url, MAX_DOWNLOAD, b->a, err);
	if (fd < 0 || !upstream_sums(fd, url, &sums, err))
		return false;
	set_sum(b, step, "expected-sha256", sums.sha256, sizeof(sums.sha256));
	set_sum(b, step, "expected-sha512", sums.sha512, sizeof(sums.sha512));
	return true;
}

static bool set_all_sums(struct bumping *b, struct err *err)
{
	struct upsteps steps = upstream_steps(&b->f, "fetch");
	for (size_t i = 0; i < steps.n; i++)
		if (!set_sums(b, steps.v[i], err))
			return false;
	return true;
}

/* Checkouts */

static bool holds(struct str text, const char *name, struct arena *a)
{
	return str_find(text, arena_strf(a, "${{%s}}", name)) >= 0 ||
		str_find(text, arena_strf(a, "$<<%s>>", name)) >= 0;
}

/* Whether a text follows the version: by itself, or through a variable or transform made from it. */
static bool derives(struct bumping *b, struct str text)
{
	const struct config *c = &b->f.c;
	const struct transform *t = c->transforms.v;
	if (holds(text, "package.version", b->a))
		return true;
	for (size_t i = 0; i < c->vars.n; i++)
		if (holds(c->vars.v[i].val.s, "package.version", b->a) &&
			holds(text, arena_printf(b->a, "vars.%.*s", STR_ARG(c->vars.v[i].key)), b->a))
			return true;
	for (size_t i = 0; i < c->transforms.n; i++)
		if (holds(t[i].from.s, "package.version", b->a) &&
			holds(text, arena_printf(b->a, "vars.%.*s", STR_ARG(t[i].to.s)), b->a))
			return true;
	return false;
}

static void set_commits(struct bumping *b)
{
	struct upsteps steps = upstream_steps(&b->f, "git-checkout");
	for (size_t i = 0; i < steps.n; i++) {
		const struct ynode *tag = upstep_with(steps.v[i], "tag");
		const struct ynode *commit = upstep_with(steps.v[i], "expected-commit");
		if (!commit || (commit->kind != YN_SCALAR && commit->kind != YN_NULL) ||
			str_find(commit->text, S("${{")) >= 0 || str_find(commit->text, S("$<<")) >= 0)
			continue;
		if (steps.n > 1 && tag && !derives(b, tag->text))
			continue;
		set(b, commit, str_of(b->req->expected_commit), YEDIT_SAME);
	}
}

static bool plausible(const struct bump_req *req, struct err *err)
{
	struct str v = str_trim(req->version);
	bool hex = true;
	if (v.n == 0)
		return err_set(err, EK_USAGE, "the version to bump to is empty");
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] < ' ' || v.p[i] == 0x7f)
			return err_set(err, EK_USAGE, "the version to bump to holds a control character");
	if (!apk_version_valid(v))
		log_warn("'%.*s' is not an apk version: a build of this file will say so", STR_ARG(v));
	for (const char *p = req->expected_commit; p && *p; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f')))
			hex = false;
	if (!hex)
		log_warn("'%s' is not the hash of a commit: git-checkout will not find it",
			req->expected_commit);
	return true;
}

static bool run(struct bumping *b, struct err *err)
{
	if (!upfile_load(b->req->path, b->a, &b->f, err))
		return false;
	if (!set_version(b, err))
		return false;
	upstream_scope(&b->f, b->req->version, b->epoch, &b->scope);
	bool ok = diags_ok(&b->f.diags, err) && set_all_sums(b, err);
	scope_release(&b->scope);
	if (ok && b->req->expected_commit && *b->req->expected_commit)
		set_commits(b);
	return ok && upfile_write(&b->f, b->req->path, &b->edits, err);
}

bool bump(const struct bump_req *req, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct bumping b = { .req = req, .a = &a };
	return plausible(req, err) && run(&b, err);
}
