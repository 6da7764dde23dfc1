#pragma once

#include "apko/oci/oimage.h"

/* The image that another one is built on (apko 4.8): an OCI layout directory. */

/* Reads the configuration, the layers and the annotations of the image for an architecture: of
 * the first nested index if there is one, the first manifest whose configuration is for it
 * (variants do not count). Documents are compared with their digests, sizes bounded; layers must
 * be there in full size. EK_NOTFOUND when no image is for the architecture. Texts and paths live
 * in the arena. */
bool oci_base_read(const char *dir, const struct apk_arch *arch, struct arena *a,
	struct oci_base *ret, struct err *err) must_check;
