#pragma once

#include "shared/rootfs/tree.h"
#include "shared/text/bind.h"

/* Services of an image for s6-svscan: sv/NAME/run, an execline script each (apko 3.2 step 8).
 * A name that is no plain file name is an error at its place in the description. */
bool services_write(struct tree *t, const struct ykvs *services, struct err *err) must_check;
