#pragma once

#include "melange/config/model.h"
#include "melange/inspect/pkgfile.h"
#include "shared/apk/arch.h"

/* `melange scan`: what a build file would say of packages that are built already (melange-build 7).
 * The files of each package are scanned again; the new .PKGINFO takes what only a build knows
 * (commit, size, data hash, architecture, build date) from the old one. */

struct rescan_req {
	const char *config_path;
	const struct config *config;	/* as loaded */
	const char *repo;		/* packages are REPO/ARCH/NAME-VERSION.apk; path or URL */
	const char *package;		/* the only one told of; NULL = all */
	const char *namespace_;
	bool diff;			/* differences to the old texts instead of the new ones */
	bool comments;			/* in which comment lines count */
};
/* Appends the texts or differences, subpackages before the origin. *ret_differ is set when there is a
 * difference. A subpackage that a web server does not have is passed over with a warning. */
bool rescan(const struct rescan_req *req, const struct apk_arch *arch, struct pkgfiles *files,
	struct arena *a, struct buf *out, bool *ret_differ, struct err *err) must_check;
