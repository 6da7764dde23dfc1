#pragma once

#include "melange/config/model.h"
#include "melange/scan/scan.h"
#include "shared/apk/pkg.h"
#include "shared/crypto/sigkey.h"
#include "shared/rootfs/passwd.h"
#include "shared/rootfs/tree.h"
#include "shared/store/pool.h"

/* Observed trees to signed packages (melange-build 3): SBOM, control data, sections. */

struct emit_build {
	const struct config *conf;	/* compiled and locked */
	const char *config_path;	/* as given, for the SBOM */
	const char *arch;
	const char *out_dir;		/* OUT/ARCH exists */
	int64_t epoch;			/* SOURCE_DATE_EPOCH or --build-date, else 0 */
	const char *namespace_, *git_commit, *git_repo_url, *license;
	bool strip_origin_name, provenance;
	int64_t started, finished;	/* for provenance only */
	const struct sigkey *key;	/* NULL = unsigned */
	const char *key_path;
	int workspace_fd;		/* for license-path */
	struct pool *pool;
};
struct emit_pkg {
	const struct subpackage *sub;	/* NULL = the origin */
	const char *name;
	struct tree *tree;		/* owners already mapped */
	struct id_names names;		/* of the guest's accounts */
};
/* Puts var/lib/db/sbom/NAME-VERSION.spdx.json into each tree. */
bool emit_sboms(const struct emit_build *b, struct emit_pkg *pkgs, size_t n, struct arena *a,
	struct err *err) must_check;
/* Writes OUT/NAME-VERSION.apk (by rename); ret_record is its index record. */
bool emit_package(const struct emit_build *b, const struct emit_pkg *p,
	const struct scan_result *deps, struct arena *a, struct apk_pkg *ret_record,
	struct err *err) must_check;
