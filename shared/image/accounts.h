#pragma once

#include "shared/image/imgconf.h"
#include "shared/rootfs/tree.h"

/* Configured users and groups into etc/passwd, etc/group and etc/shadow, and home directories for
 * every account of the image (apko 3.2 step 3). ret_run_as gets the uid when run-as names an
 * account, else its text. */
bool accounts_apply(struct tree *t, const struct imgconf *c, struct arena *a,
	struct str *ret_run_as, struct err *err) must_check;
