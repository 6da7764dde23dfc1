#pragma once

#include <stdbool.h>
#include "shared/apk/arch.h"
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* Image references: [REGISTRY/]REPOSITORY[:TAG][@sha256:HEX]. The first part is a registry if it
 * is "localhost" or holds '.' or ':'. */

struct oci_ref {
	struct str registry;	/* "index.docker.io" unless given; docker.io is that as well */
	struct str repo;	/* with "library/" in front of a single name on that registry */
	struct str tag;		/* "latest" unless given; empty with a digest alone */
	struct str digest;	/* "sha256:HEX", or empty */
};

/* Texts are copied. Names: [a-z0-9_./-]{2,255}, tags [A-Za-z0-9_.-]{1,128}. EK_USAGE. */
bool oci_ref_parse(struct str text, struct arena *a, struct oci_ref *ret, struct err *err)
	must_check;
/* "REGISTRY/REPO" */
struct str oci_ref_name(const struct oci_ref *r, struct arena *a);
/* "REGISTRY/REPO:TAG-ARCH", the slash of an architecture as '_' */
struct str oci_ref_arch_tag(const struct oci_ref *r, const struct apk_arch *arch,
	struct arena *a);
