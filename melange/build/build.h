#pragma once

#include "melange/config/load.h"
#include "melange/sandbox/sandbox.h"
#include "shared/apk/arch.h"

/* One build of one file for one architecture: the phases of melange-build 2.1, in order. */

struct build_req {
	const char *config_path;
	const struct config *config;	/* the file as loaded; the same for all architectures */
	const struct apk_arch *arch;
	const struct sandbox_ops *runner;

	/* where things come from */
	const char *source_dir;		/* NULL = none */
	const char *workspace_dir;	/* NULL = a temporary one */
	const char *cache_dir;		/* NULL or missing: not mounted */
	const char *store_dir;		/* NULL = the user's */
	const char *rootfs;		/* existing root instead of a guest of packages; NULL = none */
	struct strs pipeline_dirs;
	const struct strs *build_options, *keys, *repos, *packages;
	const char *libc_flavour;

	/* where things go */
	const char *out_dir;
	const char *signing_key;	/* NULL = unsigned */
	const char *dependency_log;	/* NULL = none */
	const char *trace;		/* spans of the phases are appended here; NULL = nowhere */
	bool generate_index, build_log, persist_lint, provenance, strip_origin_name;

	/* what is written into them */
	int64_t epoch;			/* SOURCE_DATE_EPOCH or --build-date, else 0 */
	const char *namespace_, *git_commit, *git_repo_url, *license;

	/* how */
	bool empty_workspace, ignore_signatures, debug, interactive, keep;
	bool network;
	const struct strs *lint_require, *lint_warn;	/* NULL = the defaults */
};
bool build_package(const struct build_req *req, struct err *err) must_check;
