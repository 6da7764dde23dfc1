#pragma once

#include "shared/base/vec.h"
#include "shared/base/err.h"

/* Files that by their names hold licence texts (melange-build 7). Weights say how likely: LICENSE
 * more than COPYING, without an ending more than with one, at the top more than below. */

struct lic_file {
	struct str path;	/* relative to the directory */
	double weight;
};
struct lic_files {
	struct lic_file *v;
	size_t n, cap;
};
/* Of a base name, in any case; 0 = no licence file. */
double lic_weight(struct str name);
/* Regular files, the heaviest first, then by path; at most 10,000. Shallow: the directory and those
 * in it, without vendor. Links are never followed, and names with
 * control characters are passed over. */
bool lic_find(int dirfd, const char *name, bool deep, struct arena *a, struct lic_files *ret,
	struct err *err) must_check;
