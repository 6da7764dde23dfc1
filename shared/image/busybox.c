#include "shared/image/busybox.h"

#include <ctype.h>
#include <string.h>

#include "shared/os/path.h"

#define MAX_LIST (4u << 20)
#define NEWEST 36

static const struct apk_pkg *find_package(const struct apk_pkg *const *pkgs, size_t n)
{
	const struct apk_pkg *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (str_is(pkgs[i]->name, "busybox"))
			return pkgs[i];
		if (str_find(pkgs[i]->provides, S("busybox")) >= 0)
			found = pkgs[i];
	}
	return found;
}

static bool skip_digits(struct str *s)
{
	size_t n = 0;
	while (n < s->n && isdigit((unsigned char)s->p[n]))
		n++;
	*s = str_from(*s, n);
	return n > 0;
}

/* Length of the "x.y.z" in "[v]x.y.z[-word]"; 0 when it is something else. */
static size_t release_length(struct str v)
{
	struct str s = v;
	if (!skip_digits(&s) || !str_skip(&s, S(".")) || !skip_digits(&s) ||
		!str_skip(&s, S(".")) || !skip_digits(&s))
		return 0;
	size_t n = v.n - s.n;
	if (s.n == 0)
		return n;
	if (s.p[0] != '-' || s.n == 1)
		return 0;
	for (size_t i = 1; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_')
			return 0;
	return n;
}

/* Minor number of the release whose applets to link; unknown ones count as the newest. */
static bool release_of(struct str version, unsigned *ret_minor, struct err *err)
{
	static const struct {
		const char *release;
		unsigned minor;
	} known[] = {
		{"1.32.1", 32},
		{"1.33.0", 33},
		{"1.33.1", 33},
		{"1.33.2", 33},
		{"1.34.0", 34},
		{"1.34.1", 34},
		{"1.35.0", 35},
	};
	struct str v = version;
	(void)str_skip(&v, S("v"));
	size_t n = release_length(v);
	if (!n)
		return err_set(err, EK_PARSE, "invalid busybox version '%.*s'", STR_ARG(version));
	*ret_minor = NEWEST;
	for (size_t i = 0; i < countof(known); i++)
		if (str_is(str_sub(v, 0, n), known[i].release))
			*ret_minor = known[i].minor;
	return true;
}

static bool add_link(struct tree *t, struct str path, int64_t mtime, struct err *err)
{
	(void)str_skip(&path, S("/"));
	if (!path_is_safe(path))
		return err_set(
			err, EK_PARSE, "'%.*s' is no path for a link to busybox", STR_ARG(path));
	struct str name = path_base(path);
	struct tree_node *dir = tree_mkdirs(t, path_dir(path), 0755, err);
	if (!dir)
		return false;
	dir->mtime = mtime;
	struct tree_node *n = tree_kid(dir, name);
	if (n && n->type == '5')
		return err_set(err, EK_CONFLICT,
			"cannot link '/%.*s' to busybox: it is a directory", STR_ARG(path));
	if (n)
		return true;
	n = tree_add(t, dir, name, '2');
	n->link = S("/bin/busybox");
	n->mtime = mtime;
	return true;
}

static bool links_of_list(struct tree *t, struct str list, int64_t mtime, struct err *err)
{
	struct str line;
	while (str_next(&list, '\n', &line)) {
		line = str_trim(line);
		if (str_chr(line, '/') < 0 || str_is(line, "/bin/busybox"))
			continue;
		if (!add_link(t, line, mtime, err))
			return false;
	}
	return true;
}

static bool links_of_release(struct tree *t, unsigned minor, int64_t mtime, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	for (const struct busybox_group *g = busybox_groups; g->dir; g++) {
		struct str names = str_of(g->names), name;
		while (g->since <= minor && str_word(&names, &name)) {
			struct str path = arena_strf(&a, "%s/%.*s", g->dir, STR_ARG(name));
			if (!add_link(t, path, mtime, err))
				return false;
		}
	}
	return true;
}

bool busybox_links(struct tree *t, const struct apk_pkg *const *pkgs, size_t n, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str list;
	unsigned minor = 0;
	const struct tree_node *program = tree_find(t, S("bin/busybox"), true);
	if (!program)
		return true;
	const struct apk_pkg *pkg = find_package(pkgs, n);
	if (!pkg)
		return err_set(err, EK_NOTFOUND,
			"no installed package provides busybox, but "
			"'/bin/busybox' exists");
	int64_t mtime = program->mtime;
	struct str path = arena_strf(&a, "etc/busybox-paths.d/%.*s", STR_ARG(pkg->name));
	const struct tree_node *file = tree_find(t, path, true);
	if (!file)
		return release_of(pkg->version, &minor, err) &&
		       links_of_release(t, minor, mtime, err);
	return tree_read(file, &a, MAX_LIST, &list, err) && links_of_list(t, list, mtime, err);
}
