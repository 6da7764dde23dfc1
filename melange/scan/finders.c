#include "melange/scan/finder.h"

#include <ctype.h>

#include "shared/base/match.h"

/* The finders that go by names: commands, documentation, language directories, shebangs. */

static const char *const bin_dirs[] = { "bin", "sbin", "usr/bin", "usr/sbin" };

static bool visit_cmd(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (n->type == '0' && (n->mode & 0555) == 0555 && scan_in(path, bin_dirs, countof(bin_dirs)))
		scan_add(c, &c->provides, "cmd:%.*s=%s", STR_ARG(scan_base(path)), c->pkg->version);
	return true;
}
const struct scan_finder find_cmds = { "cmd", visit_cmd };

static bool visit_doc(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
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
const struct scan_finder find_docs = { "doc", visit_doc };

static bool visit_perl(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)n;
	(void)err;
	if (!match_glob(S("usr/lib/perl[0-9]*/*_perl"), path) &&
		!match_glob(S("lib/perl[0-9]*/*_perl"), path))
		return true;
	for (size_t i = 0; i < c->pkg->declared->runtime.n; i++)
		if (str_is(c->pkg->declared->runtime.v[i].s, "perl"))
			return true;
	struct str rest = path, part = STR_NONE;
	while (str_next(&rest, '/', &part) && !str_starts(part, S("perl")))
		;
	scan_add(c, &c->runtime, "perl~%.*s", STR_ARG(str_from(part, 4)));
	return true;
}
const struct scan_finder find_perl = { "perl", visit_perl };

static bool is_python_dir(struct str name)
{
	return match_glob(S("python[0-9]*.[0-9]*"), name);
}

static bool visit_python(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (n->type != '5' || !str_is(scan_base(path), "site-packages") ||
		scan_declares(c, "python"))
		return true;
	struct str dir = scan_base(str_sub(path, 0, path.n - sizeof("/site-packages") + 1));
	if (is_python_dir(dir))
		scan_add(c, &c->runtime, "python-%.*s-base", STR_ARG(str_from(dir, 6)));
	return true;
}
const struct scan_finder find_python = { "python", visit_python };

static bool visit_ruby(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)n;
	(void)err;
	struct str rest = path;
	(void)str_skip(&rest, S("usr/"));
	if (!match_glob(S("lib/ruby/gems/[0-9]*.[0-9]*.[0-9]*/gems"), rest))
		return true;
	for (size_t i = 0; i < c->pkg->declared->runtime.n; i++) {
		struct str d = c->pkg->declared->runtime.v[i].s;
		if (str_is(d, "ruby") || str_starts(d, S("ruby-")))
			return true;
	}
	struct str version = str_from(rest, sizeof("lib/ruby/gems/") - 1), major, minor;
	(void)str_cut(version, '.', &major, &version);
	(void)str_cut(version, '.', &minor, &version);
	scan_add(c, &c->runtime, "ruby-%.*s.%.*s", STR_ARG(major), STR_ARG(minor));
	return true;
}
const struct scan_finder find_ruby = { "ruby", visit_ruby };

/* What `/usr/bin/env` runs; empty for forms that name nothing certain. */
static struct str env_command(struct str args)
{
	struct str word, more;
	if (!str_word(&args, &word))
		return STR_NONE;
	if (str_is(word, "-S") && !str_word(&args, &word))
		return STR_NONE;
	if (word.p[0] == '-' || str_chr(word, '=') >= 0 || str_word(&args, &more))
		return STR_NONE;
	return word;
}

static bool visit_shebang(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const roots[] = { "usr/bin/", "usr/local/bin/", "usr/local/sbin/" };
	static const char *const ignored[] = { "python3", "python", "sh", "awk", "luajit" };
	bool below = false;
	for (size_t i = 0; i < countof(roots); i++)
		below |= str_starts(path, str_of(roots[i]));
	struct str head, line, rest, interp;
	if (!below || n->type != '0')
		return true;
	if (!scan_head(n, 80, c->arena, &head, err))
		return false;
	if (!str_skip(&head, S("#!")))
		return true;
	(void)str_cut(head, '\n', &line, &rest);
	if (!str_word(&line, &interp))
		return true;
	if (str_is(interp, "/usr/bin/env")) {
		interp = env_command(line);
		if (interp.n == 0) {
			scan_add(c, &c->warnings, "%.*s: cannot tell the interpreter from its shebang",
				STR_ARG(path));
			return true;
		}
	}
	struct str base = scan_base(interp);
	for (size_t i = 0; i < countof(ignored); i++)
		if (str_is(base, ignored[i]))
			return true;
	if (base.n)
		scan_add(c, &c->runtime, "cmd:%.*s", STR_ARG(base));
	return true;
}
const struct scan_finder find_shebang = { "shebang", visit_shebang };
