#pragma once

#include "melange/inspect/pkgfile.h"
#include "melange/sandbox/sandbox.h"

/* `melange rebuild`: a package built again from what it holds (melange-build 7). Its .melange.yaml
 * is the build file, with the packages of its environment at the versions that were locked; commit,
 * repository, licence and the build file's path come from its SBOM, the date and the namespace from
 * its .PKGINFO (as maintainer: the SBOM has lost the namespace's letter case). Linters do not run
 * and no index is written. */

struct rebuild_req {
	const struct sandbox_ops *runner;
	const char *out_dir, *source_dir;
	const char *rootfs;		/* existing root instead of the locked packages; NULL = none */
	const char *signing_key;	/* NULL = unsigned */
	bool diff;			/* compare with what was given */
};
/* Builds each origin once. Appends the differences; *ret_differ is set when there are any. */
bool rebuild(const struct rebuild_req *req, const struct strs *paths, struct pkgfiles *files,
	struct arena *a, struct buf *out, bool *ret_differ, struct err *err) must_check;
