#pragma once

#include "apko/oci/oimage.h"
#include "apko/oci/ref.h"
#include "shared/apk/install.h"
#include "shared/image/osrelease.h"

/* SBOMs of images and of their index (apko 5). */

struct image_sbom {
	const struct oci_image *image;
	const struct apk_arch *arch;
	struct str repo;		/* last part of the first tag's repository, or "image" */
	struct osrelease os;
	struct str created;		/* RFC 3339 */
	struct str vcs_url;
	struct tree *tree;		/* where packages keep their own SBOMs */
	const struct install_result *installed;
};
bool sbom_image(const struct image_sbom *s, struct buf *out, struct err *err) must_check;

struct index_sbom {
	const struct oci_image *images;	/* sorted */
	size_t n;
	struct str index;		/* bytes of index.json */
	struct str repo;		/* as above, or "index" */
	struct str image_repo;
	struct str created, vcs_url;
};
void sbom_index(const struct index_sbom *s, struct buf *out);
