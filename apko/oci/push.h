#pragma once

#include "apko/oci/oimage.h"
#include "apko/oci/registry.h"

/* Images into a repository (apko 4.9): what is there already is not sent again. */

/* Blobs, four at a time, then manifests by digest. A transfer that breaks off is tried again. */
bool push_images(
	struct registry *r, const struct oci_image *imgs, size_t n, struct err *err) must_check;
/* The index under the reference's tag, or its digest when it has none. */
bool push_index(struct registry *r, struct str index, struct str tag, struct err *err) must_check;
