#pragma once

#include "melange/config/model.h"

/* What follows from the keys of `package` and is said in several places: indexes, SBOMs, reports,
 * queries. Texts live in the arena or belong to the package. */

/* "VERSION-rEPOCH" */
struct str package_full_version(const struct package *p, struct arena *a);
/* The licences joined by AND, each an SPDX expression or a LicenseRef; empty without any. */
struct str package_license(const struct package *p, struct arena *a);
/* The identifier of a licence text that is no SPDX expression. */
struct str package_license_ref(struct str text, struct arena *a);
/* The attestations, a line each; empty without any. */
struct str package_copyright(const struct package *p, struct arena *a);
/* "cpe:2.3:..." (melange-config 1.2); asked only of packages with a vendor. */
struct str package_cpe(const struct package *p, struct arena *a);
/* "pkg:apk/DISTRO/NAME@VERSION?arch=ARCH&distro=DISTRO", the last left out when "unknown". */
struct str package_purl(struct str distro, struct str name, struct str version, struct str arch,
	struct arena *a);
