#pragma once

#include "shared/base/err.h"
#include "shared/base/vec.h"

/* Splits a command line into words the way a shell would, without expanding anything (apko 4.2):
 * quotes of both kinds, backslash, comments. Words are copied. `what` names the text in errors. */
bool oci_words(struct str text, const char *what, struct arena *a, struct strs *ret,
	struct err *err) must_check;
