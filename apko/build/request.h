#pragma once

#include "shared/base/vec.h"
#include "shared/image/imgconf.h"
#include "shared/apk/arch.h"

/* What a build-like command was asked for (apko 1.2). */

struct apko_req {
	const char *config;
	const char *tag, *output;		/* NULL unless building */
	const char *lockfile;			/* NULL or empty: none */
	const char *format;			/* NULL or empty: the configuration's */
	struct strs archs;			/* as given; empty = the configuration's, else all */
	const char *build_arch;			/* the only one, instead of archs; NULL: not so */
	struct strs keys, build_repos, repos, packages, annotations, include_paths;
	const char *build_date, *cache_dir, *sbom_path;
	struct strs sbom_formats;
	bool json;				/* what is told is told for machines */
	bool sbom, vcs, ignore_signatures, offline, package_owners;
	int64_t max_index, max_control, max_data, max_http;	/* 0 = default, -1 = none */
};
