#pragma once

#include "shared/base/buf.h"
#include "shared/base/err.h"

/* The text of an ADB file, field by field as `apk adbdump` prints it, so that readers can be
 * compared. Signatures are shown as by unknown keys. */
struct adb;
/* Of the ADB alone, which has been checked. */
bool adb_dump_values(const struct adb *db, struct buf *out, struct err *err) must_check;
bool adb_dump(int fd, const char *name, struct buf *out, struct err *err) must_check;
