#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* Paths: lexical work, and opening beneath a root directory whatever links stand in it. */

struct str path_clean(struct arena *a, struct str path);	/* Go's path.Clean */
struct str path_join(struct arena *a, struct str dir, struct str rest);	/* clean(dir/rest) */
struct str path_base(struct str path);	/* last component, "" for "" */
struct str path_dir(struct str path);	/* before the last '/', "" if none */
/* Absolute form of `path` against the working directory, cleaned. */
char *path_abs(struct arena *a, const char *path);
/* Not empty, not absolute, no empty, "." or ".." component, no NUL or control character. */
bool path_is_safe(struct str path);

/* Opens `path` with every component, and every link met, resolved as if dirfd were "/"
 * (openat2 RESOLVE_IN_ROOT; where the kernel refuses openat2, by walking components). -1 with
 * errno-style error in err. Leading slashes are allowed. */
int path_open_in(int dirfd, const char *path, int flags, mode_t mode, struct err *err) must_check;
/* For tests: makes path_open_in use the walk even where openat2 works. */
void path_force_walk(bool on);
