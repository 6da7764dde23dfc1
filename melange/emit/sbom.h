#pragma once

#include "melange/emit/emit.h"

/* What no package URL can be made of, told before a build begins: ".." in the build file's path
 * behind its first component, and git repositories written HOST:PATH. */
bool sbom_check(const struct config *conf, const char *config_path, struct err *err) must_check;
/* The SPDX document of one package as text (melange-build 3.5). Licence texts are read beneath the
 * workspace. */
bool sbom_text(const struct emit_build *b, const struct emit_pkg *p, struct buf *out,
	struct err *err) must_check;
