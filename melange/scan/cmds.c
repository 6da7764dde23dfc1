#include "melange/scan/finder.h"

/* Commands: what stands in a directory of programs and everybody may run. */

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const dirs[] = { "bin", "sbin", "usr/bin", "usr/sbin" };
	(void)err;
	if (n->type == '0' && (n->mode & 0555) == 0555 && scan_in(path, dirs, countof(dirs)))
		scan_add(c, &c->provides, "cmd:%.*s=%s", STR_ARG(n->name), c->pkg->version);
	return true;
}
const struct scan_finder find_cmds = { .name = "cmd", .visit = visit };
