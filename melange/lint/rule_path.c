#include "melange/lint/rule.h"

#include <ctype.h>

#include "shared/base/match.h"

/* Rules that go by where a file stands and by the end of its name. */

static bool infodir(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (lint_is_file(n) && (str_is(path, "usr/share/info/dir") ||
			lint_below(path, "usr/share/info/dir")))
		lint_path(c, path);
	return true;
}

static bool tempdir(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	bool bad = lint_below(path, "var/run");
	if (lint_is_file(n)) {
		bad |= lint_below(path, "tmp var/tmp run");
	} else if (lint_below(path, "run")) {
		const struct tree_node *snippets =
			tree_find(c->req->tree, S("usr/lib/tmpfiles.d"), true);
		bad |= !snippets || !snippets->n_kids;
	}
	if (bad)
		lint_path(c, path);
	return true;
}

static bool merged_path(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char dirs[] = "sbin bin usr/sbin lib lib64";
	struct str rest = str_of(dirs), dir;
	bool bad = lint_below(path, dirs);
	(void)n;
	(void)err;
	while (str_word(&rest, &dir))
		bad |= str_eq(path, dir);
	if (bad) {
		lint_path(c, path);
		strs_push(c->arena, &c->found.more, arena_str(c->arena, path));
	}
	return true;
}

/* What stands before .so, or before .so and numbers with points; empty if neither ends it. */
static struct str library_stem(struct str name)
{
	size_t i = name.n;
	while (i > 0 && isdigit((unsigned char)name.p[i - 1])) {
		while (i > 0 && isdigit((unsigned char)name.p[i - 1]))
			i--;
		if (i == 0 || name.p[i - 1] != '.')
			return STR_NONE;
		name = str_sub(name, 0, --i);
	}
	return str_chop(&name, S(".so")) ? name : STR_NONE;
}

static bool has_test(const struct lint_ctx *c, const char *names)
{
	struct str rest = str_of(names), name;
	while (str_word(&rest, &name))
		if (c->req->test_uses && strs_has(c->req->test_uses, name))
			return true;
	return false;
}

static bool lddcheck(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (lint_is_file(n) && library_stem(path).n &&
		!has_test(c, "test/ldd-check test/tw/ldd-check"))
		lint_path(c, path);
	return true;
}

static bool cudaruntimelib(struct lint_ctx *c, struct tree_node *n, struct str path,
	struct err *err)
{
	(void)err;
	struct str stem = library_stem(path);
	if (lint_is_file(n) &&
		(str_is(stem, "usr/lib/libcuda") || str_is(stem, "usr/lib/libnvidia-ml")))
		lint_path(c, path);
	return true;
}

static bool pkgconf(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (lint_is_file(n) && lint_below(path, "usr/lib/pkgconfig usr/share/pkgconfig") &&
		!has_test(c, "test/pkgconf"))
		lint_path(c, path);
	return true;
}

static bool matches(struct str path, const char *const *globs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (match_glob(str_of(globs[i]), path))
			return true;
	return false;
}

static bool maninfo(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const globs[] = {
		"usr/share/man/man[0-9]*/?*.[0-9]*", "usr/share/man/?*.[0-9]*",
		"usr/local/share/man/man[0-9]*/?*.[0-9]*", "usr/local/share/man/?*.[0-9]*",
		"usr/man/man[0-9]*/?*.[0-9]*", "usr/man/?*.[0-9]*",
		"usr/share/info/?*.info*", "usr/local/share/info/?*.info*",
		"usr/share/info/dir", "usr/local/share/info/dir",
	};
	(void)err;
	if (lint_is_file(n) && matches(path, globs, countof(globs)))
		lint_path(c, path);
	return true;
}

static bool documentation(struct lint_ctx *c, struct tree_node *n, struct str path,
	struct err *err)
{
	static const char *const globs[] = { "*.[0-9][a-z]" };
	static const char endings[] = "READ README READ.ME TODO CREDITS .md .doc .docx .rst";
	(void)err;
	if (lint_is_file(n) &&
		(lint_ends(n->name, endings) || matches(n->name, globs, countof(globs))))
		lint_path(c, path);
	return true;
}

static bool sbom(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	struct str name = path;
	if (lint_is_file(n) && str_skip(&name, S("var/lib/db/sbom/")) && str_chr(name, '/') < 0 &&
		!str_ends(name, S(".spdx.json")))
		lint_path(c, path);
	return true;
}

static bool count_file(struct tree_node *n, struct str path, void *user, struct err *err)
{
	(void)err;
	if (lint_is_file(n) && !lint_below(path, "var/lib/db/sbom"))
		++*(size_t *)user;
	return true;
}

static bool empty(struct lint_ctx *c, struct err *err)
{
	size_t files = 0;
	if (!tree_walk(c->req->tree, count_file, &files, err))
		return false;
	if (files == 0)
		lint_bare(c, S("package is empty but no-provides is not set"));
	return true;
}

#define COMPAT "This package should be a -compat package"
#define NO_DOC "Place documentation into a separate package or remove it"
const struct lint_rule lint_path_rules[] = {
	{ .name = "dev",
		.set = LINT_REQUIRED,
		.message = "{pkg} writes to /dev",
		.advice = "If this package is creating /dev nodes, it should use udev instead; "
			  "otherwise, remove any files in /dev",
		.below = "dev" },
	{ .name = "infodir",
		.set = LINT_REQUIRED,
		.message = "{pkg} writes to /usr/share/info/dir/",
		.advice = "Remove /usr/share/info/dir from the package (run split/infodir)",
		.entry = infodir },
	{ .name = "libtool/la-files",
		.set = LINT_REQUIRED,
		.message = "{pkg} contains {n} libtool archive (.la) {file|files}. Remove them in the "
			   "build pipeline; if this package legitimately needs to ship .la files, "
			   "disable this linter via checks.disabled",
		.advice = "Remove libtool archive (.la) files from the package, or disable this linter "
			  "if they are required",
		.endings = ".la" },
	{ .name = "tempdir",
		.set = LINT_REQUIRED,
		.message = "{pkg} writes to a temp dir",
		.advice = "Remove any offending files in temporary dirs in the pipeline, or add a "
			  "/usr/lib/tmpfiles.d/ snippet in the case of dirs under /run/",
		.entry = tempdir },
	{ .name = "usrmerge",
		.set = LINT_REQUIRED,
		.message = "Package contains paths in violation of usrmerge:",
		.advice = "Move binary to /usr/bin",
		.entry = merged_path },
	{ .name = "varempty",
		.set = LINT_REQUIRED,
		.message = "{pkg} writes to /var/empty",
		.advice = "Remove any offending files in /var/empty in the pipeline",
		.below = "var/empty" },
	{ .name = "cudaruntimelib",
		.set = LINT_WARN,
		.message = "{pkg} contains CUDA driver-specific libraries",
		.advice = "CUDA driver-specific libraries should be passed into the container by the "
			  "host. Installing them in an image could override the host libraries and "
			  "break GPU support. If this library is needed for build-time linking or "
			  "ldd-check tests, please use a package containing a stub library instead. For "
			  "libcuda.so, use nvidia-cuda-cudart-$cuda_version. For libnvidia-ml.so, use "
			  "nvidia-cuda-nvml-dev-$cuda_version.",
		.entry = cudaruntimelib },
	{ .name = "dll",
		.set = LINT_WARN,
		.message = "{pkg} contains {n} DLL {file|files}",
		.advice = "This package contains Windows libraries",
		.exempt = "-dev",
		.endings = ".dll" },
	{ .name = "dylib",
		.set = LINT_WARN,
		.message = "{pkg} contains {n} dylib {file|files}",
		.advice = "This package contains macOS libraries",
		.exempt = "-dev",
		.endings = ".dylib" },
	{ .name = "lddcheck",
		.set = LINT_WARN,
		.message = "{pkg} contains shared objects but test/ldd-check is not configured",
		.advice = "This package provides shared object files, please add the ldd-check test "
			  "pipeline",
		.entry = lddcheck },
	{ .name = "maninfo",
		.set = LINT_WARN,
		.message = "{pkg} contains {n} man/info {file|files} but is not a documentation package",
		.advice = NO_DOC,
		.exempt = "-doc",
		.entry = maninfo },
	{ .name = "object",
		.set = LINT_WARN,
		.message = "{pkg} contains {n} intermediate object {file|files}. This is usually wrong. "
			   "In most cases they should be removed",
		.advice = "This package contains intermediate object files (.o files)",
		.endings = ".o" },
	{ .name = "opt",
		.set = LINT_WARN,
		.message = "{pkg} writes to /opt",
		.advice = COMPAT,
		.exempt = "-compat",
		.below = "opt" },
	{ .name = "pkgconf",
		.set = LINT_WARN,
		.message = "{pkg} contains pkgconfig files but test/pkgconf is not configured",
		.advice = "This package provides files in a pkgconfig directory, please add the pkgconf "
			  "test pipeline",
		.entry = pkgconf },
	{ .name = "sbom",
		.set = LINT_WARN,
		.message = "{pkg} writes to var/lib/db/sbom",
		.advice = "Remove any files in /var/lib/db/sbom from the package",
		.entry = sbom },
	{ .name = "srv",
		.set = LINT_WARN,
		.message = "{pkg} writes to /srv",
		.advice = COMPAT,
		.exempt = "-compat",
		.below = "srv" },
	{ .name = "staticarchive",
		.set = LINT_WARN,
		.message = "{pkg} contains {n} static {archive|archives}. Static archives bloat packages "
			   "and should typically be in -dev packages or removed",
		.advice = "This package contains static archives (.a files)",
		.exempt = "-dev -static",
		.endings = ".a" },
	{ .name = "usrlocal",
		.set = LINT_WARN,
		.message = "{pkg} contains /usr/local path in non-compat package",
		.advice = COMPAT,
		.exempt = "-compat",
		.below = "usr/local" },
	{ .name = "documentation",
		.set = LINT_OFF,
		.message = "{pkg} contains {n} documentation {file|files} but is not a documentation "
			   "package",
		.advice = NO_DOC,
		.exempt = "-doc",
		.entry = documentation },
	{ .name = "empty",
		.set = LINT_OFF,
		.advice = "Verify that this package is supposed to be empty; if it is, disable this "
			  "linter; otherwise check the build",
		.whole = empty },
	{ 0 },
};
