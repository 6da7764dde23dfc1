#pragma once

#include "melange/scan/scan.h"

/* What the finders share: the packages of the build, and where findings go. */

struct scan_ctx {
	const struct scan_pkg *pkgs;
	size_t n_pkgs;
	const struct scan_pkg *pkg;	/* being scanned */
	struct arena *arena;
	struct strs lib_dirs;		/* with those of etc/ld.so.conf.d */
	struct str python;		/* version of the last site-packages directory */
	struct strs runtime, provides, vendored, warnings;
};

struct scan_finder {
	const char *name;
	/* Called for every entry of the package, in walk order; path without leading slash. What
	 * cannot be read is a warning; an error ends the scan. */
	bool (*visit)(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err);
	/* At the end of the walk; may be NULL. */
	void (*finish)(struct scan_ctx *c);
};
extern const struct scan_finder find_so, find_cmds, find_docs, find_pkgconf, find_perl, find_python,
	find_ruby, find_shebang, find_kernel;

void scan_add(struct scan_ctx *c, struct strs *to, const char *fmt, ...) printf_like(3, 4);
/* A warning about path; returns true, so that the scan goes on. */
bool scan_unread(struct scan_ctx *c, struct str path, const struct err *why);
/* The parent directory of path is one of the n given (without slashes at the ends). */
bool scan_in(struct str path, const char *const *dirs, size_t n);
struct str scan_base(struct str path);
struct str scan_dir(struct str path);	/* "" at the top */
/* A declared runtime dependency is `name`, or begins with `prefix`; either may be NULL. */
bool scan_declares(const struct scan_ctx *c, const char *name, const char *prefix);
