#pragma once

#include "shared/base/buf.h"
#include "shared/base/err.h"

/* The text of an ADB file, field by field as `apk adbdump` prints it, so that readers can be
 * compared. Signatures are shown as by unknown keys. */
bool adb_dump(int fd, const char *name, struct buf *out, struct err *err) must_check;
