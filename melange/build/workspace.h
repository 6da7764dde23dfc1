#pragma once

#include <stdbool.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* The host directory that is /home/build in the guest (melange-build 2.2). What lies in it is the
 * work of steps and not to be trusted: nothing here follows a link below it. */

struct workspace {
	char *dir;	/* absolute; arena text */
	int fd;		/* the same, open */
	bool temporary;	/* made by us */
};
#define WORKSPACE_INIT { .fd = -1 }
/* dir NULL makes a temporary one; else <dir>/<arch>. */
bool workspace_make(const char *dir, const char *arch, struct arena *a, struct workspace *ret,
	struct err *err) must_check;
/* Opens the directory at `path` below it; with `make` missing ones are made, else ret_fd is -1 when
 * it is missing. A link or a file in its place is an error. */
bool workspace_open(const struct workspace *w, struct str path, bool make, int *ret_fd,
	struct err *err) must_check;
/* melange-out/NAME is there. */
bool workspace_make_out(const struct workspace *w, struct str name, struct err *err) must_check;
/* Copies the regular files of a source tree that its .melangeignore lets through. */
bool workspace_fill(const struct workspace *w, const char *source_dir, struct err *err) must_check;
struct workspace_note {
	const char *ns, *name, *version, *arch, *cpe;	/* cpe NULL = none; version full */
};
/* The compiler configuration files that carry the package note. */
bool workspace_compiler_files(const struct workspace *w, const struct workspace_note *note,
	struct err *err) must_check;
/* Closes it, and removes it unless it is to be kept. */
void workspace_release(struct workspace *w, bool keep);

/* .melangeignore: gitignore's meaning. */
struct ignore;
struct ignore *ignore_parse(struct str text, struct arena *a);
bool ignore_match(const struct ignore *ig, struct str path, bool is_dir);
