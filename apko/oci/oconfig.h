#pragma once

#include "apko/oci/blob.h"
#include "shared/base/err.h"

/* The image configuration document. */

struct oci_history {
	struct str author, created, created_by, comment;
	bool empty_layer;
};
struct oci_histories {
	struct oci_history *v;
	size_t n, cap;
};
struct oci_config {
	struct str arch, variant, os, author, created;
	struct strs os_features;
	struct oci_histories history;	/* bottom first */
	struct strs diff_ids;		/* "sha256:HEX", bottom first */
	struct strs cmd, entrypoint;
	struct oci_kvs env;		/* written as sorted "KEY=VALUE" */
	struct oci_kvs labels;
	struct strs volumes;		/* any order */
	struct str user, work_dir, stop_signal;
};

/* What is empty is left out; volumes are sorted. */
void oci_config_write(const struct oci_config *c, struct arena *a, struct buf *out);
/* A document of someone else: what is not in the struct is lost. Texts live in the arena. */
bool oci_config_read(struct str json, const char *name, struct arena *a, struct oci_config *ret,
	struct err *err) must_check;
