#pragma once

#include "apko/oci/oimage.h"
#include "apko/oci/ref.h"

/* Loads the image for $GOOS/$GOARCH (linux/amd64; without one, the first) into the docker daemon
 * by its own program, as apko.local/cache:HEX of its manifest, unless it is there, and gives it
 * the tags as well. */
bool local_load(const struct oci_image *imgs, size_t n, const struct oci_ref *tags, size_t n_tags,
	struct arena *a, struct str *ret_name, struct err *err) must_check;
