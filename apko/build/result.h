#pragma once

#include "apko/build/image.h"

/* Finished results in the store, as JSON under the hash of what they depend on. */

/* False without an error when there is none, or a layer of it is gone. */
bool result_load(struct store *st, const char *key, const struct apk_arch *arch, struct arena *a,
	struct built *ret, struct strs *ret_warnings);
bool result_save(struct store *st, const char *key, const struct built *b,
	const struct strs *warnings, struct err *err) must_check;
