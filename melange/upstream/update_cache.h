#pragma once

#include "shared/base/err.h"
#include "shared/net/http.h"

/* Downloads what the `fetch` steps of a build file ask for into a cache directory, where the fetch
 * pipeline looks first: `sha256:HEX` and `sha512:HEX` (melange-build 7). What is there with the
 * right digest is not asked for again. Files appear whole and verified or not at all. */
#define CACHE_MAX_DOWNLOAD ((int64_t)1 << 30)

/* dir "gs://...": downloads and verifies only. */
bool update_cache(const char *path, const char *dir, struct http *http, struct err *err) must_check;
