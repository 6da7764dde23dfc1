#pragma once

#include "apko/build/context.h"
#include "apko/oci/oimage.h"

/* One architecture from its solution to configuration, manifest, layers in the store, and SBOM
 * text (apko 3.2 to 5). A result whose inputs are the same as an earlier one's is taken from the
 * store whole: packages by checksum, keys, description, times, the encoder, the program. */

struct built {
	struct oci_image image;
	int64_t date;		/* bde of apko 3.3 */
	struct str sbom;	/* empty when not asked for */
};
bool build_image(struct context *ctx, size_t arch, struct str sbom_repo, struct arena *a,
	struct built *ret, struct err *err) must_check;
