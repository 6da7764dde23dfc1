#pragma once

#include "apko/oci/oimage.h"

/* An OCI image layout directory (apko 4.5). Everything in it is 0644 and appears by rename, the
 * index last; blobs of earlier builds stay. */

extern const char oci_layout_text[];	/* of the file "oci-layout" */

/* Into dir, which is made if missing. Layer blobs are linked when on the same file system (the
 * blob's own file becomes 0644 then), else copied with their times; one that is there already,
 * being that file or having its size and time, is left alone. index is the bytes of index.json. */
bool oci_layout_write(const char *dir, const struct oci_image *imgs, size_t n, struct str index,
	struct err *err) must_check;
