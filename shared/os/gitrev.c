#include "shared/os/gitrev.h"

#include <sys/stat.h>

#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_SYMREFS 5

static bool read_text(const char *path, struct arena *a, struct str *ret)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(16u << 20);
	if (!file_read(path, &b, &err))
		return false;
	*ret = arena_str(a, str_trim(buf_str(&b)));
	return true;
}

static bool is_hash(struct str s)
{
	if (s.n != 40 && s.n != 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

/* The git directory of `dir` or of a directory above it. */
static const char *git_dir(const char *dir, struct arena *a, struct str *ret_top)
{
	struct str at = str_of(path_abs(a, dir));
	for (;;) {
		char *dot = arena_printf(a, "%.*s/.git", STR_ARG(at));
		struct stat st;
		struct str text;
		*ret_top = at;
		if (stat(dot, &st) == 0 && S_ISDIR(st.st_mode))
			return dot;
		if (read_text(dot, a, &text) && str_skip(&text, S("gitdir:"))) {
			text = str_trim(text);
			return text.n && text.p[0] == '/' ? text.p : path_join(a, at, text).p;
		}
		if (at.n <= 1)
			return NULL;
		at = path_dir(at);
	}
}

static bool packed_ref(const char *common, struct str ref, struct arena *a, struct str *ret)
{
	struct str text, line, hash, name;
	if (!read_text(arena_printf(a, "%s/packed-refs", common), a, &text))
		return false;
	while (str_next(&text, '\n', &line)) {
		if (str_cut(line, ' ', &hash, &name) && str_eq(str_trim(name), ref)) {
			*ret = hash;
			return true;
		}
	}
	return false;
}

const char *gitrev_head(const char *dir, struct arena *a)
{
	struct str text, value, top;
	const char *git = git_dir(dir, a, &top), *common = git;
	if (!git || !read_text(arena_printf(a, "%s/HEAD", git), a, &value))
		return NULL;
	if (read_text(arena_printf(a, "%s/commondir", git), a, &text))
		common = text.n && text.p[0] == '/' ? text.p : path_join(a, str_of(git), text).p;
	for (int i = 0; i < MAX_SYMREFS; i++) {
		if (is_hash(value))
			return arena_strndup(a, value.p, value.n);
		struct str ref = value;
		if (!str_skip(&ref, S("ref:")))
			return NULL;
		ref = str_trim(ref);
		if (!path_is_safe(ref))
			return NULL;
		if (!read_text(arena_printf(a, "%s/%.*s", git, STR_ARG(ref)), a, &value) &&
			!read_text(arena_printf(a, "%s/%.*s", common, STR_ARG(ref)), a, &value) &&
			!packed_ref(common, ref, a, &value))
			return NULL;
	}
	return NULL;
}

/* `url` of the section [remote "origin"]. */
static const char *origin_url(struct str config, struct arena *a)
{
	struct str line, key, value;
	bool inside = false;
	while (str_next(&config, '\n', &line)) {
		line = str_trim(line);
		if (line.n && line.p[0] == '[')
			inside = str_is(line, "[remote \"origin\"]");
		if (inside && str_cut(line, '=', &key, &value) && str_is(str_trim(key), "url")) {
			value = str_trim(value);
			return arena_strndup(a, value.p, value.n);
		}
	}
	return NULL;
}

bool gitrev_read(const char *dir, struct arena *a, struct gitrev *ret)
{
	struct str text, common, top;
	const char *git = git_dir(dir, a, &top);
	if (!git)
		return false;
	const char *config = arena_printf(a, "%s/config", git);
	if (read_text(arena_printf(a, "%s/commondir", git), a, &common))
		config = arena_printf(a, "%s/config", common.n && common.p[0] == '/' ? common.p
			: path_join(a, str_of(git), common).p);
	ret->head = gitrev_head(dir, a);
	ret->origin = read_text(config, a, &text) ? origin_url(text, a) : NULL;
	ret->top = arena_strndup(a, top.p, top.n);
	return ret->head && ret->origin;
}
