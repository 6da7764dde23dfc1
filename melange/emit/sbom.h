#pragma once

#include "melange/emit/emit.h"

/* The SPDX document of one package as text (melange-build 3.5). Licence texts are read beneath the
 * workspace. */
bool sbom_text(const struct emit_build *b, const struct emit_pkg *p, struct buf *out,
	struct err *err) must_check;
