#include "melange/lint/rule.h"

/* Rules that go by a file's mode. */

struct mode_word {
	uint32_t bits;
	const char *word;
};

/* The item of a file: mode and words for the bits it has. */
static struct lint_item mode_item(struct lint_ctx *c, const struct tree_node *n, struct str path,
	const struct mode_word *words, size_t n_words)
{
	struct lint_item item = { .path = arena_str(c->arena, path),
		.note = arena_strf(c->arena, "%o", (unsigned)n->mode & 07777) };
	for (size_t i = 0; i < n_words; i++)
		if (n->mode & words[i].bits)
			strs_push(c->arena, &item.words, str_of(words[i].word));
	return item;
}

static struct str joined(const struct strs *words, struct arena *a)
{
	struct str out = S("");
	for (size_t i = 0; i < words->n; i++)
		out = arena_strf(a, "%.*s%s%.*s", STR_ARG(out), i ? "+" : "", STR_ARG(words->v[i]));
	return out;
}

static bool special(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const struct mode_word words[] = { { 04000, "setuid" }, { 02000, "setgid" },
		{ 01000, "sticky" } };
	(void)err;
	if (n->type != '0' || !(n->mode & 07000))
		return true;
	struct lint_item item = mode_item(c, n, path, words, countof(words));
	item.line = arena_strf(c->arena, "%.*s (mode: %.*s, %.*s)", STR_ARG(path),
		STR_ARG(item.note), STR_ARG(joined(&item.words, c->arena)));
	vec_push(c->arena, &c->found.items, item);
	return true;
}

static bool world_write(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const struct mode_word words[] = { { 00002, "world-writable" },
		{ 00111, "executable" } };
	(void)err;
	if (n->type != '0' || !(n->mode & 00002))
		return true;
	struct lint_item item = mode_item(c, n, path, words, countof(words));
	item.line = arena_strf(c->arena, "%.*s (mode: %.*s) [%.*s]", STR_ARG(path),
		STR_ARG(item.note), STR_ARG(joined(&item.words, c->arena)));
	vec_push(c->arena, &c->found.items, item);
	return true;
}

const struct lint_rule lint_mode_rules[] = {
	{ .name = "setuidgid",
		.set = LINT_REQUIRED,
		.shape = LINT_MODES,
		.message = "{pkg} contains {n} {file|files} with special permissions (setuid/setgid)",
		.advice = "Unset the setuid/setgid bit on the relevant files, or remove this linter",
		.entry = special },
	{ .name = "worldwrite",
		.set = LINT_REQUIRED,
		.shape = LINT_MODES,
		.message = "{pkg} contains {n} world-writeable {file|files}",
		.advice = "Change the permissions of any permissive files in the package, disable the "
			  "linter, or make this a -compat package",
		.entry = world_write },
	{ 0 },
};
