#pragma once

#include "apko/oci/oimage.h"

/* The manifest document of one image (apko 4.3): its config and layers, and annotations. */
void oci_manifest_write(const struct oci_image *img, const struct oci_kvs *annotations,
	struct buf *out);
