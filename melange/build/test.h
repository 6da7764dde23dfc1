#pragma once

#include "melange/config/load.h"
#include "melange/sandbox/sandbox.h"
#include "shared/apk/arch.h"

/* The `test:` pipelines of a build file, for one architecture (melange-build 2.9): the main test,
 * then each subpackage's, every one in a guest of its own that holds the package under test. The
 * first that fails ends it. */

struct test_req {
	const char *config_path;
	const struct apk_arch *arch;
	const struct sandbox_ops *runner;
	const char *package;		/* main package under test, "name" or "name=version"; NULL = the
					 * file's */
	const char *source_dir;		/* copied into the workspace; NULL = none */
	const char *workspace_dir;	/* NULL = a temporary one */
	const char *cache_dir;		/* NULL or missing: not mounted */
	const char *store_dir;		/* NULL = the user's */
	struct strs pipeline_dirs;
	struct load_opts load;
	const struct strs *keys, *repos, *packages;
	bool ignore_signatures, debug, interactive, keep;
};
bool test_package(const struct test_req *req, struct err *err) must_check;
