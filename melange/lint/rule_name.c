#include "melange/lint/rule.h"

#include <ctype.h>
#include <string.h>

/* Rules that find the names of systems and machines in paths. */

static const struct {
	const char *word, *platform;
} platforms[] = {
	{ "darwin", "macos" },
	{ "macos", "macos" },
	{ "mac_os", "macos" },
	{ "mac-os", "macos" },
	{ "osx", "macos" },
	{ "os_x", "macos" },
	{ "os-x", "macos" },
	{ "windows", "windows" },
	{ "win32", "windows" },
	{ "win64", "windows" },
};

static bool nonlinux(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	(void)err;
	if (!lint_is_file(n))
		return true;
	char *low = arena_strndup(&scratch, path.p, path.n);
	for (char *p = low; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < countof(platforms); i++) {
		if (strstr(low, platforms[i].word)) {
			lint_noted(c, path, str_of(platforms[i].platform));
			break;
		}
	}
	return true;
}

static const char *const archs[] = { "i386", "i686", "x86_32", "x86-32", "ppc64", "ppc64le",
	"powerpc", "s390x", "s390", "mips", "mipsel", "mips64", "riscv", "riscv64", "sparc", "sparc64",
	"ia64", "m68k" };
static const char *const built_archs[] = { "x86_64", "aarch64", "amd64", "arm64" };

static bool names_built_arch(struct str path)
{
	for (size_t i = 0; i < countof(built_archs); i++)
		if (str_find(path, str_of(built_archs[i])) >= 0)
			return true;
	return false;
}

/* A directory that begins so. */
static bool dir_begins(struct str dirs, struct str arch)
{
	for (struct str rest = dirs;;) {
		long slash = str_chr(rest, '/');
		if (slash < 0)
			return false;
		rest = str_from(rest, (size_t)slash + 1);
		if (str_starts(rest, arch))
			return true;
	}
}

/* Between a separator and the same one, a point or the end. */
static bool between_separators(struct str base, struct str arch)
{
	for (size_t i = 1; i + arch.n <= base.n; i++) {
		if (!strchr("-_.", base.p[i - 1]) || !str_starts(str_from(base, i), arch))
			continue;
		struct str after = str_from(base, i + arch.n);
		if (after.n == 0 || after.p[0] == '.' || after.p[0] == base.p[i - 1])
			return true;
	}
	return false;
}

static bool unsupportedarch(struct lint_ctx *c, struct tree_node *n, struct str path,
	struct err *err)
{
	(void)err;
	struct str dirs = str_sub(path, 0, path.n - n->name.n);
	bool built = names_built_arch(path);
	for (size_t i = 0; lint_is_file(n) && i < countof(archs); i++) {
		struct str arch = str_of(archs[i]);
		if (dir_begins(dirs, arch) || (!built && between_separators(n->name, arch))) {
			lint_noted(c, path, arch);
			break;
		}
	}
	return true;
}

const struct lint_rule lint_name_rules[] = {
	{ .name = "nonlinux",
		.set = LINT_WARN,
		.shape = LINT_REFERENCES,
		.message = "{pkg} contains {n} non-Linux reference(s)",
		.advice = "This package contains references to non-Linux paths",
		.entry = nonlinux },
	{ .name = "unsupportedarch",
		.set = LINT_WARN,
		.shape = LINT_ARCHES,
		.message = "{pkg} contains {n} unsupported architecture reference(s)",
		.advice = "This package contains references to unsupported architectures (only "
			  "aarch64/arm64 and amd64/x86_64 are supported)",
		.entry = unsupportedarch },
	{ 0 },
};
