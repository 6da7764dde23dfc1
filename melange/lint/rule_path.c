#include "melange/lint/rule.h"

#include <ctype.h>
#include <string.h>

/* Rules that go by path, type and mode. */

static bool is_file(const struct tree_node *n)
{
	return n->type != '5';
}

static struct str base_of(struct str path)
{
	return str_from(path, (size_t)(str_rchr(path, '/') + 1));
}

static bool below(struct str path, const char *dir)
{
	return str_starts(path, str_of(dir)) && path.n > strlen(dir) && path.p[strlen(dir)] == '/';
}

/* A file below the directory named. */
#define FILE_BELOW(fn, ...)                                                                        \
	static bool fn(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)  \
	{                                                                                          \
		static const char *const dirs[] = { __VA_ARGS__ };                                 \
		(void)err;                                                                         \
		for (size_t i = 0; i < countof(dirs) && is_file(n); i++)                           \
			if (below(path, dirs[i]))                                                  \
				lint_item(c, path);                                                \
		return true;                                                                       \
	}
FILE_BELOW(dev, "dev")
FILE_BELOW(opt, "opt")
FILE_BELOW(srv, "srv")
FILE_BELOW(usrlocal, "usr/local")
FILE_BELOW(varempty, "var/empty")

#define FILE_ENDS(fn, ending)                                                                      \
	static bool fn(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)  \
	{                                                                                          \
		(void)err;                                                                         \
		if (is_file(n) && str_ends(path, S(ending)))                                       \
			lint_item(c, path);                                                        \
		return true;                                                                       \
	}
FILE_ENDS(la_files, ".la")
FILE_ENDS(dll, ".dll")
FILE_ENDS(dylib, ".dylib")
FILE_ENDS(object, ".o")
FILE_ENDS(staticarchive, ".a")

static bool infodir(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (is_file(n) && (str_is(path, "usr/share/info/dir") || below(path, "usr/share/info/dir")))
		lint_item(c, path);
	return true;
}

static bool setuidgid(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (n->type == '0' && (n->mode & 07000))
		lint_item(c, path);
	return true;
}

static bool worldwrite(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (n->type == '0' && (n->mode & 0002))
		lint_item(c, path);
	return true;
}

static bool tempdir(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	struct tree_node *declared = tree_find(c->req->tree, S("usr/lib/tmpfiles.d"), true);
	bool has_tmpfiles = declared && declared->n_kids;
	bool bad = is_file(n) && (below(path, "tmp") || below(path, "var/tmp") || below(path, "run"));
	bad |= below(path, "var/run");
	bad |= !is_file(n) && below(path, "run") && !has_tmpfiles;
	if (bad)
		lint_item(c, path);
	return true;
}

static bool usrmerge(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const dirs[] = { "sbin", "bin", "usr/sbin", "lib", "lib64" };
	(void)err;
	(void)n;
	for (size_t i = 0; i < countof(dirs); i++)
		if (str_is(path, dirs[i]) || below(path, dirs[i]))
			lint_item(c, path);
	return true;
}

static bool maninfo(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	bool man = below(path, "usr/share/man") || below(path, "usr/local/share/man") ||
		below(path, "usr/man");
	bool info = (below(path, "usr/share/info") || below(path, "usr/local/share/info")) &&
		(str_find(base_of(path), S(".info")) >= 0 || str_is(base_of(path), "dir"));
	if (is_file(n) && (man || info))
		lint_item(c, path);
	return true;
}

static bool nonlinux(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const words[] = { "darwin", "macos", "mac_os", "mac-os", "osx", "os_x",
		"os-x", "windows", "win32", "win64" };
	(void)err;
	char *low = arena_strndup(c->arena, path.p, path.n);
	for (char *p = low; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < countof(words) && is_file(n); i++) {
		if (strstr(low, words[i])) {
			lint_item(c, path);
			break;
		}
	}
	return true;
}

static bool has_test(const struct lint_ctx *c, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c->req->test_uses && strs_has(c->req->test_uses, str_of(names[i])))
			return true;
	return false;
}

static bool lddcheck(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const tests[] = { "test/ldd-check", "test/tw/ldd-check" };
	(void)err;
	struct str rest = base_of(path);
	long at = str_find(rest, S(".so"));
	if (!is_file(n) || at < 0 || has_test(c, tests, countof(tests)))
		return true;
	rest = str_from(rest, (size_t)at + 3);
	for (size_t i = 0; i < rest.n; i++)
		if (!isdigit((unsigned char)rest.p[i]) && rest.p[i] != '.')
			return true;
	lint_item(c, path);
	return true;
}

static bool pkgconf(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const tests[] = { "test/pkgconf" };
	(void)err;
	if (is_file(n) && (below(path, "usr/lib/pkgconfig") || below(path, "usr/share/pkgconfig")) &&
		!has_test(c, tests, countof(tests)))
		lint_item(c, path);
	return true;
}

static bool sbom(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	struct str rest = path;
	if (is_file(n) && str_skip(&rest, S("var/lib/db/sbom/")) && str_chr(rest, '/') < 0 &&
		!str_ends(rest, S(".spdx.json")))
		lint_item(c, path);
	return true;
}

static bool documentation(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const names[] = { "README", "READ.ME", "READ", "TODO", "CREDITS" };
	static const char *const endings[] = { ".md", ".doc", ".docx", ".rst" };
	(void)err;
	struct str base = base_of(path);
	bool bad = false;
	for (size_t i = 0; i < countof(names); i++)
		bad |= str_ends(base, str_of(names[i]));
	for (size_t i = 0; i < countof(endings); i++)
		bad |= str_ends(base, str_of(endings[i]));
	if (is_file(n) && bad)
		lint_item(c, path);
	return true;
}

static bool count_file(struct tree_node *n, struct str path, void *user, struct err *err)
{
	(void)err;
	if (is_file(n) && !below(path, "var/lib/db/sbom"))
		++*(size_t *)user;
	return true;
}

static bool empty(struct lint_ctx *c, struct err *err)
{
	size_t files = 0;
	if (!tree_walk(c->req->tree, count_file, &files, err))
		return false;
	if (files == 0)
		lint_item(c, str_of(c->req->pkg));
	return true;
}

static bool cudaruntimelib(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	struct str rest = path;
	if (!is_file(n) || !str_skip(&rest, S("usr/lib/lib")) ||
		!(str_skip(&rest, S("cuda")) || str_skip(&rest, S("nvidia-ml"))) ||
		!str_skip(&rest, S(".so")))
		return true;
	for (size_t i = 0; i < rest.n; i++)
		if (!isdigit((unsigned char)rest.p[i]) && rest.p[i] != '.')
			return true;
	lint_item(c, path);
	return true;
}

#define R LINT_REQUIRED
#define W LINT_WARN
#define MOVE "move it into another package or remove it"
const struct lint_rule lint_path_rules[] = {
	{ "dev", R, "package writes to /dev", "remove files below dev/", dev, NULL, NULL },
	{ "infodir", R, "package contains usr/share/info/dir", "remove the info directory file",
		infodir, NULL, NULL },
	{ "libtool/la-files", R, "package contains .la files", "remove the libtool archives", la_files,
		NULL, NULL },
	{ "setuidgid", R, "file has the setuid, setgid or sticky bit", "clear the bit", setuidgid, NULL,
		NULL },
	{ "tempdir", R, "package writes to a temporary directory", "create it at run time, for "
		"example with tmpfiles.d", tempdir, NULL, NULL },
	{ "usrmerge", R, "package writes to a directory that is merged into /usr",
		"install below usr/bin and usr/lib", usrmerge, NULL, NULL },
	{ "varempty", R, "package writes to /var/empty", "leave var/empty empty", varempty, NULL, NULL },
	{ "worldwrite", R, "file can be written by everybody", "clear the o+w bit", worldwrite, NULL,
		NULL },
	{ "cudaruntimelib", W, "package contains a CUDA driver library", "leave it to the host",
		cudaruntimelib, NULL, NULL },
	{ "dll", W, "package contains Windows libraries", MOVE, dll, NULL, "-dev" },
	{ "dylib", W, "package contains macOS libraries", MOVE, dylib, NULL, "-dev" },
	{ "lddcheck", W, "shared libraries without an ldd-check test", "add a test/tw/ldd-check step",
		lddcheck, NULL, NULL },
	{ "maninfo", W, "manual or info pages outside a -doc package", "use split/manpages", maninfo,
		NULL, "-doc" },
	{ "nonlinux", W, "package contains files for other systems", MOVE, nonlinux, NULL, NULL },
	{ "object", W, "package contains object files", MOVE, object, NULL, NULL },
	{ "opt", W, "package writes to /opt", "install below usr/", opt, NULL, "-compat" },
	{ "pkgconf", W, "pkg-config files without a pkgconf test", "add a test/pkgconf step", pkgconf,
		NULL, NULL },
	{ "sbom", W, "a file among the SBOMs is none", "write SBOMs as .spdx.json", sbom, NULL, NULL },
	{ "srv", W, "package writes to /srv", "install below usr/", srv, NULL, "-compat" },
	{ "staticarchive", W, "package contains static archives", "use split/static", staticarchive,
		NULL, "-dev -static" },
	{ "usrlocal", W, "package writes to /usr/local", "install below usr/", usrlocal, NULL,
		"-compat" },
	{ "documentation", LINT_OFF, "package contains documentation", "use split/alldocs",
		documentation, NULL, "-doc" },
	{ "empty", LINT_OFF, "package is empty", "remove it, or mark it as intended", NULL, empty,
		NULL },
	{ 0 },
};
