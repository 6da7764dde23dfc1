#pragma once

#include "melange/config/model.h"

/* A compiled configuration as a plain ordered document, from which `compile` (JSON) and
 * `.melange.yaml` are printed: the same content, but for what the two formats leave out and how
 * a few keys are spelt (melange-config 5.3). */

enum outline_kind { OL_TEXT, OL_INT, OL_BOOL, OL_NULL, OL_LIST, OL_MAP };

struct outline {
	enum outline_kind kind;
	struct str text;
	int64_t n;
	struct outline_item {
		struct str key;		/* OL_MAP */
		struct outline *val;
	} *items;
	size_t n_items, cap;
};

enum outline_form { OUTLINE_JSON, OUTLINE_YAML };
struct outline *outline_config(const struct config *c, enum outline_form form, struct arena *a);
