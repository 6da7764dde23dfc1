#pragma once

#include <stdbool.h>
#include "shared/base/err.h"

/* Foreign archives (tar of any compression, zip) into a directory, by libarchive, held beneath
 * it: no absolute or ".." names, no writing through links, no devices. */

struct unpack_opts {
	unsigned strip_components;
	unsigned long long max_bytes; /* of all content; 0 = 16 GiB */
	unsigned long max_entries;    /* 0 = 1,000,000 */
};
bool unpack_file(const char *archive, const char *dir, const struct unpack_opts *opts,
	struct err *err) must_check;
