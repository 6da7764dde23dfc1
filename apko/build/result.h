#pragma once

#include "apko/build/image.h"

/* Finished results in the store, as JSON under the hash of what they depend on. */

/* False without an error when there is none, or a layer of it is gone or no longer what it was.
 * base: the image it stands on, which the key must name; no layers if there is none. */
bool result_load(struct store *st, const char *key, const struct apk_arch *arch,
	const struct oci_base *base, struct arena *a, struct built *ret, struct strs *ret_warnings);
bool result_save(struct store *st, const char *key, const struct built *b,
	const struct oci_base *base, const struct strs *warnings, struct err *err) must_check;
