#pragma once

#include <stdbool.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* The host directory that is /home/build in the guest (melange-build 2.2). */

struct workspace {
	char *dir;	/* absolute; arena text */
	bool temporary;	/* made by us */
};
/* dir NULL makes a temporary one; else <dir>/<arch>. */
bool workspace_make(const char *dir, const char *arch, struct arena *a, struct workspace *ret,
	struct err *err) must_check;
/* Copies the regular files of a source tree that its .melangeignore lets through. */
bool workspace_fill(const struct workspace *w, const char *source_dir, struct err *err) must_check;
struct workspace_note {
	const char *ns, *name, *version, *arch, *cpe;	/* cpe NULL = none; version full */
};
/* The compiler configuration files that carry the package note. */
bool workspace_compiler_files(const struct workspace *w, const struct workspace_note *note,
	struct err *err) must_check;
void workspace_remove(const struct workspace *w);

/* .melangeignore: gitignore's meaning. */
struct ignore;
struct ignore *ignore_parse(struct str text, struct arena *a);
bool ignore_match(const struct ignore *ig, struct str path, bool is_dir);
