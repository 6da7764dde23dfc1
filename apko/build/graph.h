#pragma once

#include "shared/apk/solve.h"
#include "shared/base/buf.h"
#include "shared/text/bind.h"

/* A solution as a graph in the language of Graphviz (apko 1.3, dot): the configuration, the atoms
 * it asks for, each package with its version, what packages depend on, and who provides it. */

struct graph_req {
	const char *config;           /* name of the first node */
	const struct ystrs *packages; /* the atoms asked for */
	const struct solve_result *set;
	const struct strs *first; /* packages drawn before the others; NULL = none */
	bool spanning;            /* one edge to each dependency */
	const char *explorer;     /* host that nodes link to; NULL = no links */
	const char *failure;      /* message of a failed resolution; NULL = it succeeded */
};
void graph_write(const struct graph_req *req, struct arena *a, struct buf *out);
