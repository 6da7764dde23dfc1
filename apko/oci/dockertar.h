#pragma once

#include "apko/oci/oimage.h"
#include "apko/oci/ref.h"

/* One tar for `docker load` and for readers of OCI archives (apko 4.6): configurations
 * "sha256:HEX", layers "HEX.tar.gz", manifest.json, manifests, index.json; and the members of an
 * OCI layout, whose blobs are hard links to those. Images come in the order given. */

/* Appears at path by rename, 0644. The reference may not have a digest (EK_USAGE). */
bool oci_dockertar_write(const char *path, const struct oci_ref *ref,
	const struct oci_image *imgs, size_t n, struct str index, struct err *err) must_check;
