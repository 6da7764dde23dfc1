#pragma once

#include "apko/oci/oimage.h"

/* Copies the blob open at `from` to where `to` stands; name is that of `to`, for messages. The
 * bytes of a foreign layer are compared with its digest: EK_TRUST. */
bool oci_layer_copy(
	const struct oci_layer *l, int from, int to, const char *name, struct err *err) must_check;
