#pragma once

#include "shared/apk/index.h"
#include "shared/base/vec.h"
#include "shared/store/store.h"

/* Repository lines to verified indexes. A line is `URL`, `PATH` or `@tag URL-or-PATH`. What ends in
 * `.adb` is a v3 index itself, with the packages beside it; anything else is a directory with one
 * for each architecture, of v2 or else v3. */

struct http;
struct repo_opts {
	const struct keyring *keys;
	bool ignore_signatures;
	struct store *store;		/* cache of remote and parsed indexes */
	struct http *http;		/* NULL: local repositories only */
	uint64_t max_inflated;		/* 0 = 300 MiB */
};
struct repo_line {
	struct str tag, url;		/* url without trailing slashes */
	bool is_local;
};
/* Whether the URL is one of an index, not of a directory. */
bool repo_is_index(struct str url);
/* URL or path of the v2 index, or of the one that the line names. */
struct str repo_index_url(struct str url, struct str arch, struct arena *a);
bool repo_line_parse(struct str line, struct repo_line *ret, struct err *err) must_check;
/* Loads REPO/ARCH/APKINDEX.tar.gz of every line, or where there is none REPO/ARCH/Packages.adb, or
 * the index that the line names, in order. A missing local index is a warning and gives no index;
 * anything else is an error. */
bool repo_load(const struct strs *lines, struct str arch, const struct repo_opts *opts,
	struct arena *a, struct apk_indexes *ret, struct err *err) must_check;
