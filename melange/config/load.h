#pragma once

#include "melange/config/model.h"

/* File to model: everything of melange-config 1.8 that needs no architecture. */

struct load_opts {
	const char *vars_file;			/* NULL = none */
	const struct strs *env_files;		/* may be NULL */
	const struct strs *build_options;	/* enabled options; may be NULL */
	const char *commit;			/* --git-commit; NULL = detect when asked */
	bool detect_commit;
	bool any_version;			/* a version apk does not know is only warned of */
	bool recorded;				/* a .melange.yaml: steps may hold the pipeline
						 * or script that their `uses` stood for */
	struct resources resources;		/* non-empty fields override */
	int64_t timeout;			/* 0 = the file's */
};
/* All problems of the file are reported together. Texts live in the arena. */
bool config_load(const char *path, const struct load_opts *opts, struct arena *a,
	struct config *ret, struct err *err) must_check;
/* The same from bytes; path is for messages and for finding the commit. */
bool config_parse(struct str text, const char *path, const struct load_opts *opts, struct arena *a,
	struct config *ret, struct err *err) must_check;
/* "NAME-VERSION-rEPOCH" */
struct str config_full_name(const struct config *c, struct arena *a);
