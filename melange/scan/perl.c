#include "melange/scan/finder.h"

#include "shared/base/match.h"

/* Perl modules need the perl whose directory they are in. */

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)n;
	(void)err;
	struct str rest = path;
	(void)str_skip(&rest, S("usr/"));
	if (!match_glob(S("lib/perl[0-9]*/*_perl"), rest) || scan_declares(c, "perl", NULL))
		return true;
	struct str version = str_from(rest, sizeof("lib/perl") - 1), behind;
	(void)str_cut(version, '/', &version, &behind);
	scan_add(c, &c->runtime, "perl~%.*s", STR_ARG(version));
	return true;
}
const struct scan_finder find_perl = { .name = "perl", .visit = visit };
