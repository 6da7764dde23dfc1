#pragma once

#include "shared/apk/expand.h"

/* What a package holds as a tree, for looking at it: entries with the owners, modes and attributes
 * of their headers, nothing installed. Contents are read from the package's data, so that the file
 * stays open as long as the tree is used. t is initialised by the caller, who releases it. */
bool apk_file_tree(const struct apk_file *f, struct tree *t, struct err *err) must_check;
/* The content of a file of the control section; empty without it. Borrowed from f. */
bool apk_file_control(const struct apk_file *f, const char *name, struct str *ret, struct err *err)
	must_check;
