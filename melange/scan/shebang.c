#include "melange/scan/content.h"
#include "melange/scan/finder.h"

/* Scripts need their interpreters, but for those that are everywhere or found another way. */

#define HEAD 80

static const char *const ignored[] = { "python3", "python", "sh", "awk", "luajit" };

/* What `/usr/bin/env` runs; empty for forms that name nothing certain. */
static struct str env_command(struct str args)
{
	struct str word, more;
	if (!str_word(&args, &word))
		return STR_NONE;
	if (str_is(word, "-S")) {
		if (!str_word(&args, &word))
			return STR_NONE;
	} else if (str_word(&args, &more)) {
		return STR_NONE;
	}
	return word.p[0] == '-' || str_chr(word, '=') >= 0 ? STR_NONE : word;
}

/* The interpreter of a file that begins so; empty if none, or none that is sure. */
static struct str interpreter(struct scan_ctx *c, struct str path, struct str head)
{
	struct str line, rest, word;
	if (!str_skip(&head, S("#!")))
		return STR_NONE;
	(void)str_cut(head, '\n', &line, &rest);
	if (!str_word(&line, &word))
		return STR_NONE;
	if (!str_is(word, "/usr/bin/env"))
		return scan_base(word);
	struct str command = env_command(line);
	if (command.n == 0)
		scan_add(c, &c->warnings,
			"'%.*s': which interpreter its '#!/usr/bin/env' runs is not certain",
			STR_ARG(path));
	return scan_base(command);
}

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const roots[] = { "usr/bin/", "usr/local/bin/", "usr/local/sbin/" };
	auto_err struct err unread = ERR_INIT;
	auto_arena struct arena scratch = ARENA_INIT;
	bool below = false;
	struct str head;
	(void)err;
	for (size_t i = 0; i < countof(roots); i++)
		below |= str_starts(path, str_of(roots[i]));
	if (!below || n->type != '0' || n->body->size < 3)
		return true;
	if (!content_head(n, HEAD, &scratch, &head, &unread))
		return scan_unread(c, path, &unread);
	struct str name = interpreter(c, path, head);
	for (size_t i = 0; i < countof(ignored); i++)
		if (str_is(name, ignored[i]))
			return true;
	if (name.n)
		scan_add(c, &c->runtime, "cmd:%.*s", STR_ARG(name));
	return true;
}
const struct scan_finder find_shebang = { .name = "shebang", .visit = visit };
