#pragma once

#include "apko/build/image.h"
#include "apko/oci/ref.h"

/* `build`: all architectures, their index, the output (a layout directory when it exists or ends
 * in '/', else a tar), the SBOM files. */
bool build_all(const struct apko_req *req, struct arena *a, struct err *err) must_check;
