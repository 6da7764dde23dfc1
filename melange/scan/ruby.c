#include "melange/scan/finder.h"

#include "shared/base/match.h"

/* Gems need the Ruby they were installed for. Its directories end in the ABI's third number, of
 * which the reference knows only the first digits 0 and 9. */

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)n;
	(void)err;
	struct str rest = path, major, minor;
	(void)str_skip(&rest, S("usr/"));
	if (!match_glob(S("lib/ruby/gems/[0-9]*.[0-9]*.[0.9]*/gems"), rest) ||
		scan_declares(c, "ruby", "ruby-"))
		return true;
	rest = str_from(rest, sizeof("lib/ruby/gems/") - 1);
	(void)str_cut(rest, '.', &major, &rest);
	(void)str_cut(rest, '.', &minor, &rest);
	scan_add(c, &c->runtime, "ruby-%.*s.%.*s", STR_ARG(major), STR_ARG(minor));
	return true;
}
const struct scan_finder find_ruby = { .name = "ruby", .visit = visit };
