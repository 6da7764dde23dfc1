#pragma once

#include "shared/text/ynode.h"

/* The pairs of a map as they stand in the text, made those of the finished map: keys checked,
 * duplicates reported, `<<` replaced by what it brings. */

struct ypairs {
	struct ypair *v;
	size_t n, cap;
};

void ymerge_pairs(const struct ypairs *pairs, struct ynode *map, struct arena *a,
	struct diags *d);
