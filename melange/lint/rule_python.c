#include "melange/lint/rule.h"

/* Rules about Python's site-packages. */

/* The site-packages directories of all Python 3 versions. */
struct sites {
	struct strs versions;	/* python3.* directories */
	VEC(struct tree_node *) dirs;
};

static struct sites find_sites(struct lint_ctx *c)
{
	struct sites s = { 0 };
	struct tree_node *lib = tree_find(c->req->tree, S("usr/lib"), true);
	for (size_t i = 0; lib && i < lib->n_kids; i++) {
		struct tree_node *version = lib->kids[i];
		if (version->type != '5' || !str_starts(version->name, S("python3.")))
			continue;
		strs_push(c->arena, &s.versions, version->name);
		struct tree_node *dir = tree_kid(version, S("site-packages"));
		if (dir && dir->type == '5')
			vec_push(c->arena, &s.dirs, dir);
	}
	return s;
}

static struct str quoted(const struct strs *names, struct arena *a)
{
	struct str out = S("");
	for (size_t i = 0; i < names->n; i++)
		out = arena_strf(a, "%.*s%s\"%.*s\"", STR_ARG(out), i ? ", " : "",
			STR_ARG(names->v[i]));
	return out;
}

/* A top-level module that every package of this kind would bring. */
static bool common_names(struct lint_ctx *c, const char *const *names, size_t n)
{
	struct sites s = find_sites(c);
	if (s.versions.n > 1)
		lint_bare(c, arena_strf(c->arena, "multiple Python versions detected: %zu found (%.*s)",
			s.versions.n, STR_ARG(quoted(&s.versions, c->arena))));
	for (size_t d = 0; d < s.dirs.n; d++)
		for (size_t i = 0; i < n; i++)
			if (tree_kid(s.dirs.v[d], str_of(names[i])))
				lint_bare(c, arena_strf(c->arena, "%s directory encountered in Python "
					"site-packages directory", names[i]));
	return true;
}

static bool docs(struct lint_ctx *c, struct err *err)
{
	static const char *const names[] = { "doc", "docs" };
	(void)err;
	return common_names(c, names, countof(names));
}

static bool tests(struct lint_ctx *c, struct err *err)
{
	static const char *const names[] = { "test", "tests" };
	(void)err;
	return common_names(c, names, countof(names));
}

/* The module an entry of site-packages is of; empty for what is none. */
static struct str module_name(struct str entry)
{
	static const char *const passed[] = { "test", "tests", "doc", "docs" };
	if (str_starts(entry, S("_")) || lint_ends(entry, ".egg-info .dist-info .pth"))
		return STR_NONE;
	for (size_t i = 0; i < countof(passed); i++)
		if (str_is(entry, passed[i]))
			return STR_NONE;
	long dot = str_rchr(entry, '.');
	return dot > 0 ? str_sub(entry, 0, (size_t)dot) : entry;
}

static bool multiple(struct lint_ctx *c, struct err *err)
{
	struct sites s = find_sites(c);
	struct strs names = { 0 };
	(void)err;
	for (size_t d = 0; d < s.dirs.n; d++) {
		for (size_t i = 0; i < s.dirs.v[d]->n_kids; i++) {
			struct str name = module_name(s.dirs.v[d]->kids[i]->name);
			if (name.n)
				strs_push(c->arena, &names, name);
		}
	}
	strs_sort(&names);
	strs_uniq(&names);
	if (names.n < 2)
		return true;
	c->found.message = arena_strf(c->arena, "multiple Python packages detected: %zu found (%.*s)",
		names.n, STR_ARG(quoted(&names, c->arena)));
	for (size_t i = 0; i < names.n; i++)
		lint_path(c, arena_strf(c->arena, "\"%.*s\"", STR_ARG(names.v[i])));
	return true;
}

const struct lint_rule lint_python_rules[] = {
	{ .name = "python/docs",
		.set = LINT_WARN,
		.advice = "Remove all docs directories from the package",
		.whole = docs },
	{ .name = "python/multiple",
		.set = LINT_WARN,
		.shape = LINT_PACKAGES,
		.advice = "Split this package up into multiple packages and verify you are not "
			  "improperly using pip install",
		.whole = multiple },
	{ .name = "python/test",
		.set = LINT_WARN,
		.advice = "Remove all test directories from the package",
		.whole = tests },
	{ 0 },
};
