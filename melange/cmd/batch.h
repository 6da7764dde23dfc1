#pragma once

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* The same work on several build files: done by all workers, printed in the order given. */

/* More than one argument, or a directory, which stands for the build files directly in it. */
bool batch_wanted(const struct strs *args);
/* one: appends what is printed for a file; its errors are logged with the file's name in front and
 * the other files go on. In the end "N of M files WHAT" is the error when any failed. */
bool batch_run(const struct strs *args, const char *what,
	bool (*one)(const char *path, struct arena *a, struct buf *out, void *user, struct err *err),
	void *user, struct arena *a, struct err *err) must_check;
