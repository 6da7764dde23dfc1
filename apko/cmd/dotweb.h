#pragma once

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* Graphs in a browser (apko 1.3, dot --web): a server on a free port of 127.0.0.1 that answers
 * "/" with a graph drawn by Graphviz as SVG, and "/?node=NAME&..." with one that begins at those
 * packages. Requests that name another host are refused, so that no page on the web can ask. */

struct dotweb {
	/* Writes the graph; false when a package is not in it (the others are what is drawn). */
	bool (*draw)(const struct strs *first, void *user, struct buf *out);
	void *user;
};
/* Serves until it is interrupted, which is an error (EK_CANCELLED). */
bool dotweb_serve(const struct dotweb *w, struct err *err) must_check;
