#include "melange/upstream/source_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

static bool output(struct source *s, const char *const *argv, struct str *ret, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(16u << 20);
	if (!source_git(s->repo, argv, &out, err))
		return false;
	*ret = str_trim(arena_str(s->a, buf_str(&out)));
	return true;
}

/* Where the commits of one's own begin. */
static bool base_of(struct source *s, const struct ynode *checkout, struct str *ret, struct err *err)
{
	auto_err struct err ignored = ERR_INIT;
	const struct ynode *expected = upstep_with(checkout, "expected-commit");
	if (output(s, (const char *[]){ "git", "config", "--get", SOURCE_BASE_KEY, NULL }, ret, &ignored))
		return true;
	if (!expected)
		return err_set(err, EK_USAGE, "the git-checkout step of '%s' has no expected-commit, and "
			"'%s' was not made by 'source get'", s->req->path, s->repo);
	return upstream_text(&s->f, &s->scope, expected, ret, err);
}

static bool clean(struct source *s, struct err *err)
{
	struct str changes;
	if (!output(s, (const char *[]){ "git", "status", "--porcelain", NULL }, &changes, err))
		return false;
	if (changes.n == 0)
		return true;
	err_set(err, EK_USAGE, "'%s' has changes that are not committed:\n%.*s", s->repo,
		STR_ARG(str_sub(changes, 0, 2000)));
	return err_hint(err, "commit them, or put them away");
}

/* The patches by the names they get; they appear in the directory by rename. */
static bool write_patches(struct source *s, struct str base, struct strs *ret, struct err *err)
{
	if (!dir_make(s->patch_dir, 0755, err))
		return false;
	char *dir = arena_printf(s->a, "%s/.pop-XXXXXX", s->patch_dir);
	if (!mkdtemp(dir))
		return err_sys(err, "cannot make a directory in '%s'", s->patch_dir);
	const char *argv[] = { "git", "format-patch", "--quiet", "--zero-commit", "--no-signature",
		"--no-numbered", "-o", dir, arena_printf(s->a, "%.*s..HEAD", STR_ARG(base)), NULL };
	bool ok = source_git(s->repo, argv, NULL, err) && dir_names(dir, s->a, ret, err);
	for (size_t i = 0; ok && i < ret->n; i++) {
		const char *from = arena_printf(s->a, "%s/%s", dir, ret->v[i].p);
		const char *to = arena_printf(s->a, "%s/%s", s->patch_dir, ret->v[i].p);
		ok = rename(from, to) == 0 || err_sys(err, "cannot write '%s'", to);
	}
	auto_err struct err ignored = ERR_INIT;
	(void)!dir_remove(dir, &ignored);
	return ok;
}

/* The build file */

/* Where the last value of a node ends: a node itself ends where the next one begins. */
static size_t last_byte(const struct ynode *n)
{
	if ((n->kind != YN_MAP && n->kind != YN_SEQ) || n->n == 0)
		return n->end > n->off ? n->end - 1 : n->off;
	const struct ynode *last = n->kind == YN_SEQ ? n->items[n->n - 1] : n->pairs[n->n - 1].val;
	size_t at = last_byte(last);
	return last->off < n->off && n->kind == YN_MAP ? last_byte(n->pairs[n->n - 1].key) : at;
}

/* The lines of an item of the pipeline, from the one with its dash; false for a flow list. */
static bool item_lines(struct str src, const struct ynode *item, size_t *ret_from, size_t *ret_to,
	struct str *ret_indent)
{
	size_t from = str_line_start(src, item->off), dash = from;
	while (dash < item->off && src.p[dash] == ' ')
		dash++;
	if (dash == item->off || src.p[dash] != '-')
		return false;
	*ret_from = from;
	*ret_to = str_line_end(src, last_byte(item));
	*ret_indent = str_sub(src, from, dash - from);
	return true;
}

static struct str new_step(struct str indent, const struct strs *patches, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	buf_printf(&b, "%.*s- uses: git-am\n%.*s  with:\n%.*s    patches:", STR_ARG(indent),
		STR_ARG(indent), STR_ARG(indent));
	for (size_t i = 0; i < patches->n; i++)
		buf_printf(&b, " %.*s", STR_ARG(patches->v[i]));
	buf_addc(&b, '\n');
	return arena_str(a, buf_str(&b));
}

static bool holds(const struct ynode *n, const struct ynode *inner)
{
	return n->off <= inner->off && inner->off < n->end;
}

/* The first step of patches becomes the new one, others go; without any it comes behind the
 * checkout. */
static bool edit(struct source *s, const struct ynode *checkout, const struct strs *patches,
	struct yedits *edits, struct err *err)
{
	const struct ynode *steps = ynode_get(s->f.c.doc->root, "pipeline");
	struct str src = s->f.c.doc->src, indent = STR_NONE;
	size_t from, to, after = 0;
	bool written = patches->n == 0;
	for (size_t i = 0; i < steps->n; i++) {
		const struct ynode *item = steps->items[i];
		bool around = holds(item, checkout), patch = source_is_patch_step(item);
		if (!around && !patch)
			continue;
		struct str margin;
		if (!item_lines(src, item, &from, &to, &margin))
			return err_at(err, item->pos, "the pipeline is not a block list, so it cannot be "
				"changed in place\nhint: begin each step on a line of its own with '- '");
		if (around) {
			after = to;
			indent = margin;
			continue;
		}
		yedit_lines(edits, from, to, written ? STR_NONE : new_step(margin, patches, s->a), s->a);
		written = true;
	}
	if (!written)
		yedit_lines(edits, after, after, new_step(indent, patches, s->a), s->a);
	return true;
}

static bool pop(struct source *s, const struct ynode *checkout, struct err *err)
{
	struct stat st;
	struct str base;
	struct strs patches = { 0 };
	struct yedits edits = { 0 };
	if (stat(s->repo, &st) != 0) {
		err_sys(err, "cannot open '%s'", s->repo);
		return err_hint(err, "make it with 'melange source get'");
	}
	if (!clean(s, err) || !base_of(s, checkout, &base, err) ||
		!edit(s, checkout, &(struct strs){ 0 }, &(struct yedits){ 0 }, err) ||
		!write_patches(s, base, &patches, err) ||
		!edit(s, checkout, &patches, &edits, err) ||
		!upfile_write(&s->f, s->req->path, &edits, err))
		return false;
	log_info("%zu patches in %s", patches.n, s->patch_dir);
	return true;
}

bool source_pop(const struct source_req *req, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct ynode *checkout;
	struct source s;
	bool ok = source_open(&s, req, &a, &checkout, err) && pop(&s, checkout, err);
	scope_release(&s.scope);
	return ok;
}
