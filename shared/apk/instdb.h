#pragma once

#include "shared/apk/expand.h"
#include "shared/apk/owners.h"
#include "shared/base/buf.h"

/* Records of the installed database in apko's form (apk-format 6.2): every line always there but
 * `r`, `i:[]` as apko prints it, then directories and files, then a blank line. The file is part
 * of the layer, so each byte counts. */

/* What was installed of a package's entries; `kept[i]` says whether entry i is recorded. */
void instdb_record(const struct apk_file *f, const bool *kept, struct buf *out);
/* The same of a v3 package, in the form of apk-tools (apk-format 7.6): what is empty is left out,
 * `f:S` says that hashes are 160 bits of SHA-256. */
void instdb_record_v3(const struct apk_file *f, const bool *kept, const struct owners *who,
	struct buf *out);
