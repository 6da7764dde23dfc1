#pragma once

#include <stdint.h>
#include "shared/base/vec.h"
#include "shared/text/jwrite.h"

/* Descriptors: what a blob is, how long, and its digest. */

#define OCI_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_TYPE_LAYER "application/vnd.oci.image.layer.v1.tar+gzip"

struct oci_desc {
	struct str type;
	uint64_t size;
	char hex[65];		/* SHA-256 */
};
/* A descriptor of these bytes; type is borrowed. */
struct oci_desc oci_desc_of(const char *type, struct str bytes);
/* The members mediaType, size, digest; the caller writes the braces. */
void oci_desc_json(struct jwrite *w, const struct oci_desc *d);
/* "sha256:HEX" */
struct str oci_desc_digest(const struct oci_desc *d, struct arena *a);

/* Texts by key, sorted by key bytewise. */
struct oci_kv {
	struct str key, val;
};
struct oci_kvs {
	struct oci_kv *v;
	size_t n, cap;
};
/* Adds or replaces. */
void oci_kvs_set(struct arena *a, struct oci_kvs *kvs, struct str key, struct str val);
struct str oci_kvs_get(const struct oci_kvs *kvs, struct str key);
/* An object under key, nothing if empty. */
void oci_kvs_json(struct jwrite *w, const char *key, const struct oci_kvs *kvs);
