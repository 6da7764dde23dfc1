#pragma once

#include "apko/oci/oimage.h"

/* The index document of several architectures' images (apko 4.4). */

/* Sorts images by OCI architecture name, bytewise. */
void oci_images_sort(struct oci_image *imgs, size_t n);
/* Of sorted images. */
void oci_index_write(const struct oci_image *imgs, size_t n, const struct oci_kvs *annotations,
	struct buf *out);
