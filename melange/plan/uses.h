#pragma once

#include "melange/config/model.h"
#include "shared/base/map.h"

/* Definitions that `uses` names (melange-config 4.1): DIR/NAME.yaml in the directories given,
 * then /usr/share/melange/pipelines, then the ones compiled in. Each is read once. */

struct definition {
	bool bad;		/* what is wrong with it was told already */
	struct step step;	/* its keys as a step */
	struct ydoc doc;
	const char *file;
	bool has_if, has_runs, has_dir, has_label, has_pipeline, has_needs;
};

struct uses {
	struct arena *arena;
	const struct strs *dirs;
	struct map cache;	/* name to struct definition */
};
void uses_init(struct uses *u, const struct strs *dirs, struct arena *a);
void uses_release(struct uses *u);
/* NULL with the problem added to diags at the name's place, or in the definition (once). */
const struct definition *uses_find(struct uses *u, struct ystr name, struct diags *diags);

/* The compiled-in definitions: "autoconf/make" and its text, sorted by name. */
struct builtin_pipeline {
	const char *name;
	const char *text;
	size_t n;
};
extern const struct builtin_pipeline builtin_pipelines[];
extern const size_t builtin_pipelines_n;
