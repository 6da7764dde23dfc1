#pragma once

#include "apko/build/image.h"
#include "apko/oci/ref.h"
#include "shared/os/fd.h"

/* All architectures' images, their index and SBOMs, and what becomes of them. */

struct building {
	struct context *ctx;
	struct arena *a;
	struct built *built;
	struct oci_image *images; /* sorted by OCI name, as the architectures are */
	size_t n;
	struct buf index;
	int64_t created; /* of the index */
	struct str repo; /* last part of the tag's repository; empty = unparsable */
	struct outfile sboms[APK_ARCHS + 1];
	size_t n_sboms;
};

/* Builds, then has the result delivered; SBOM files get their names when that succeeded, so that
 * a failure changes no earlier one. They go to req->sbom_path, else to the working directory, or
 * nowhere when sboms is false. */
bool build_for(const struct apko_req *req, bool sboms, struct arena *a,
	bool (*deliver)(struct building *b, void *user, struct err *err), void *user,
	struct err *err) must_check;
/* `build`: into a layout directory when req->output exists or ends in '/', else into a tar. */
bool build_all(const struct apko_req *req, struct arena *a, struct err *err) must_check;
