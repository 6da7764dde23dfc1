#pragma once

#include <stdbool.h>
#include "shared/base/str.h"

/* How a text may stand in block YAML. */

struct yscalar {
	bool multiline;              /* holds a line break */
	bool plain, single, literal; /* the styles that give the text back */
};
/* What the characters allow. Double quotes always work. */
struct yscalar yscalar_look(struct str s);
/* A plain scalar of this text is read as something else than text: null, a boolean (also the
 * YAML 1.1 words), a number (also to base 60), a date, a merge key. */
bool yscalar_resolves(struct str s);
