#pragma once

#include "shared/sbom/spdx.h"

/* The package that stands for where the configuration came from: URL@HASH. */
struct spdx_pkg sbom_source(struct str vcs_url, struct arena *a);
