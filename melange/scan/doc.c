#include "melange/scan/finder.h"

/* Documentation packages need what reads them. */

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const man[] = { "usr/share/man" }, *const info[] = { "usr/share/info" };
	(void)n;
	(void)err;
	if (!str_ends(str_of(c->pkg->name), S("-doc")))
		return true;
	if (scan_in(path, man, 1))
		scan_add(c, &c->runtime, "man-db");
	if (scan_in(path, info, 1))
		scan_add(c, &c->runtime, "texinfo");
	return true;
}
const struct scan_finder find_docs = { .name = "doc", .visit = visit };
