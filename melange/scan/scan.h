#pragma once

#include "melange/config/model.h"
#include "shared/rootfs/tree.h"

/* The dependency scan (melange-build 4): what a package's files provide and need. */

/* What is known of the package that brings a library into the build environment. */
struct scan_lib {
	struct str pkg;
	struct str built;	/* version of its newest build in the indexes */
	struct str installed;	/* version in the environment */
	struct str so_ver;	/* value of its provided name so-ver:LIBRARY; empty = none */
};
struct scan_libs {
	/* False when no index knows the library. The texts need last for the call only. */
	bool (*find)(void *user, struct str soname, struct scan_lib *ret);
	void *user;
};

struct scan_pkg {
	const char *name, *version;	/* version: full, VERSION-rEPOCH */
	struct tree *tree;		/* its files */
	const struct pkg_options *options;	/* may be NULL */
	const struct dependencies *declared;
	/* Asks for so-ver: dependencies (MELANGE_VERSIONED_SHLIB_DEPENDS); NULL = none. */
	const struct scan_libs *libs;
};
struct scan_result {
	/* After the merge of 4.1 with what is declared. */
	struct strs runtime, provides, vendored;
	/* What the scan itself found, for --dependency-log. */
	struct strs found_runtime, found_provides;
	struct strs warnings;
};
/* pkgs[0] is the origin; all packages of the build, since a link in one may point at a library
 * in another. Scans pkgs[which]. */
bool scan(const struct scan_pkg *pkgs, size_t n, size_t which, struct arena *a,
	struct scan_result *ret, struct err *err) must_check;
