#pragma once

#include "melange/emit/emit.h"

/* NAME-VERSION.attest.tar.gz beside the package: a SLSA v1 statement in in-toto form, made and
 * signed like a control section (melange-build 3.6). */
bool provenance_write(const struct emit_build *b, const struct emit_pkg *p, const char *apk,
	struct arena *a, struct err *err) must_check;
