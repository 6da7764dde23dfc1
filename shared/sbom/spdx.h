#pragma once

#include "shared/base/buf.h"
#include "shared/base/vec.h"

/* SPDX 2.3 documents as both tools write them: two-blank JSON, keys in a fixed order, empty ones
 * left out, final line break. Texts are borrowed. */

struct spdx_checksum {
	const char *algorithm;	/* "SHA256" */
	struct str value;
};
struct spdx_ref {
	const char *category, *type;	/* "PACKAGE-MANAGER", "purl" */
	struct str locator;
};
struct spdx_pkg {
	struct str id, name, version, license_concluded, license_declared, description,
		download, originator, supplier, source_info, copyright;
	struct strs attribution;
	struct str purpose;
	struct spdx_checksum sums[4];
	size_t n_sums;
	struct spdx_ref *refs;
	size_t n_refs, cap_refs;
	bool files_analyzed;
};
struct spdx_rel {
	struct str from, to, type;
};
struct spdx_license {
	struct str id, text;
};
struct spdx_doc {
	struct str name, created, name_space;
	struct str tool;		/* "Tool: melange (0.1.0)" */
	const char *license_list;	/* "3.22" */
	struct strs describes;
	VEC(struct spdx_pkg) pkgs;
	VEC(struct spdx_rel) rels;
	VEC(struct spdx_license) licenses;
};
void spdx_write(const struct spdx_doc *d, struct buf *out);
void spdx_add_ref(struct arena *a, struct spdx_pkg *p, const char *category, const char *type,
	struct str locator);

/* ':' and '/' (with slashes) become '-', other bytes outside [A-Za-z0-9.-] "C" and their decimal
 * code (melange-build 3.5; apko 5 keeps '/' out of the first rule). */
struct str spdx_id(struct str text, bool slashes, struct arena *a);

/* Package URL parts. Names, versions and paths keep unreserved characters and !$&'()*,;=: ; */
struct str purl_part(struct str s, struct arena *a);
/* qualifier values keep unreserved characters and ':' only, */
struct str purl_qualifier(struct str s, struct arena *a);
/* and query-escaped ones (apko's) unreserved characters only. */
struct str purl_query(struct str s, struct arena *a);
