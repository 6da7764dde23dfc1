#include "melange/scan/finder.h"

#include "shared/base/match.h"

/* Python modules need the Python whose directory they are in: the last one, of several. */

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (n->type != '5' || !str_is(n->name, "site-packages"))
		return true;
	struct str dir = scan_base(scan_dir(path));
	if (match_glob(S("python[0-9]*.[0-9]*"), dir))
		c->python = arena_str(c->arena, str_from(dir, sizeof("python") - 1));
	return true;
}

static void finish(struct scan_ctx *c)
{
	if (c->python.n && !scan_declares(c, NULL, "python"))
		scan_add(c, &c->runtime, "python-%.*s-base", STR_ARG(c->python));
}
const struct scan_finder find_python = { .name = "python", .visit = visit, .finish = finish };
