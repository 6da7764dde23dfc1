#pragma once

#include "shared/apk/pkg.h"
#include "shared/rootfs/tree.h"
#include "shared/sbom/spdx.h"

/* A package's own SBOM into the image's (apko 5): the packages its roots lead to, and their
 * relationships; the image contains each root. A package without one, or with one that is not
 * JSON, adds nothing. */
bool sbom_import(struct tree *t, const struct apk_pkg *p, struct str supplier, struct str image,
	struct spdx_doc *d, struct arena *a, struct err *err) must_check;
/* Packages with an id that stood before are dropped. */
void sbom_unique_packages(struct spdx_doc *d);
