#pragma once

#include "apko/oci/oconfig.h"
#include "shared/apk/arch.h"
#include "shared/image/imgconf.h"

/* One architecture's image: description and layers to configuration and manifest (apko 4.2,
 * 4.3). All texts are the bytes that are digested. */

struct oci_layer {
	struct oci_desc desc;
	char diff_hex[65];	/* SHA-256 of the tar; not needed for layers of a base */
	const char *path;	/* file that holds the blob */
	bool foreign;		/* of a base: it is copied, its digest compared, never linked */
};
/* The image below, read by oci_base_read. */
struct oci_base {
	struct oci_config config;
	struct oci_layer *layers;
	size_t n_layers;
	struct oci_desc manifest;
	struct oci_kvs annotations;	/* of the manifest */
};

struct oci_image_req {
	const struct imgconf *conf;
	const struct apk_arch *arch;
	struct str run_as;		/* as assemble gives it */
	const struct oci_kvs *annotations;	/* as oci_annotations gives them */
	int64_t created;		/* bde of apko 3.3 */
	const struct oci_layer *layers;	/* new ones, bottom first */
	size_t n_layers;
	const struct oci_base *base;	/* NULL = none */
};
struct oci_image {
	const struct apk_arch *arch;
	struct str config_json, manifest_json;
	struct oci_desc config, manifest;
	struct oci_layer *layers;	/* those of the base first */
	size_t n_layers;
	struct strs os_features;
};

/* What goes on manifests, configurations (as labels) and the index: the description's, over them
 * the command line's (may be NULL), source and revision out of the vcs-url, created. */
void oci_annotations(const struct imgconf *conf, const struct ykvs *cli, int64_t created,
	struct arena *a, struct oci_kvs *ret);
/* Fails on a command that cannot be split. Result in the arena; paths are borrowed. */
bool oci_image_make(const struct oci_image_req *req, struct arena *a, struct oci_image *ret,
	struct err *err) must_check;
