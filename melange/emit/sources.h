#pragma once

#include "melange/emit/emit.h"
#include "shared/sbom/spdx.h"

/* What a top-level `fetch` or `git-checkout` step took its sources from, as an SBOM package. p comes
 * filled with what all packages share. false when the step is neither, or names no source. */
bool source_of_step(const struct emit_build *b, const struct step *s, size_t index,
	struct spdx_pkg *p, struct arena *a);
/* Whether a `git-checkout` step's repository is a URL; HOST:PATH is not. Other steps pass. */
bool source_check(const struct step *s, struct err *err) must_check;
/* "Organization: " and the name in title case. */
struct str sbom_organization(struct str name, struct arena *a);
