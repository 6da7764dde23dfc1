#include "melange/scan/finder.h"

#include "shared/base/buf.h"
#include "shared/base/map.h"

/* pkg-config files: names they provide, names they require (melange-build 4.3). */

#define MAX_PC (1u << 20)
#define MAX_DEPTH 8
#define MAX_EXPANSIONS 10000	/* in one file: variables of variables grow fast */

struct pc {
	struct arena *a;
	struct map *vars;
	unsigned expansions;
	bool known;		/* a line was understood */
	struct strs requires;
};

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '-' || c == '.' || c == '+' || c == ':' || c == '/';
}

/* ${name} replaced by its value; what has none, or is too deep, becomes nothing. */
static struct str expand(struct pc *pc, struct str in, unsigned depth)
{
	auto_buf struct buf b = BUF_INIT(MAX_PC);
	for (size_t i = 0; i < in.n && !b.over; i++) {
		struct str rest = str_from(in, i), name, behind;
		if (!str_skip(&rest, S("${")) || !str_cut(rest, '}', &name, &behind)) {
			buf_addc(&b, in.p[i]);
			continue;
		}
		const struct str *v = map_get(pc->vars, name);
		if (v && depth < MAX_DEPTH && pc->expansions++ < MAX_EXPANSIONS)
			buf_addstr(&b, expand(pc, *v, depth + 1));
		i += name.n + 2;
	}
	return arena_str(pc->a, buf_str(&b));
}

/* Package names of a Requires value: operators and versions are passed over. */
static void add_requires(struct pc *pc, struct str value)
{
	bool version = false;
	while (value.n) {
		size_t n = 0;
		while (n < value.n && is_name(value.p[n]))
			n++;
		if (n == 0) {
			char ch = value.p[0];
			version |= ch == '<' || ch == '>' || ch == '=' || ch == '!';
			if (ch == ',')
				version = false;
			value = str_from(value, 1);
			continue;
		}
		if (!version)
			strs_push(pc->a, &pc->requires, str_sub(value, 0, n));
		version = false;
		value = str_from(value, n);
	}
}

static void read_line(struct pc *pc, struct str line)
{
	static const char *const keys[] = { "Requires", "Requires.private", "Requires.internal" };
	struct str key, value;
	size_t i = 0;
	long hash = str_chr(line, '#');
	if (hash >= 0)
		line = str_sub(line, 0, (size_t)hash);
	while (i < line.n && line.p[i] != ':' && line.p[i] != '=')
		i++;
	if (i >= line.n)
		return;
	pc->known = true;
	key = str_trim(str_sub(line, 0, i));
	value = str_trim(str_from(line, i + 1));
	if (line.p[i] == '=') {
		struct str *v = arena_new(pc->a, struct str);
		*v = value;
		(void)map_put(pc->vars, key, v);
		return;
	}
	for (size_t k = 0; k < countof(keys); k++)
		if (str_is(key, keys[k]))
			add_requires(pc, expand(pc, value, 0));
}

static struct str joined_lines(struct str text, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(MAX_PC);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] == '\n')
			i++;
		else if (text.p[i] != '\r')
			buf_addc(&b, text.p[i]);
	}
	return arena_str(a, buf_str(&b));
}

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const dirs[] = { "usr/local/lib/pkgconfig", "usr/local/share/pkgconfig",
		"usr/lib/pkgconfig", "usr/lib64/pkgconfig", "usr/share/pkgconfig" };
	auto_err struct err unread = ERR_INIT;
	auto_arena struct arena scratch = ARENA_INIT;
	auto_map struct map vars = { 0 };
	struct str stem = n->name, text, rest, line;
	bool offered = scan_in(path, dirs, countof(dirs));
	(void)err;
	if (n->type != '0' || !str_chop(&stem, S(".pc")))
		return true;
	if (!tree_read(n, &scratch, MAX_PC, &text, &unread))
		return scan_unread(c, path, &unread);
	map_init(&vars, &scratch);
	struct pc pc = { .a = &scratch, .vars = &vars };
	rest = joined_lines(text, &scratch);
	while (str_next(&rest, '\n', &line))
		read_line(&pc, line);
	if (!pc.known && str_trim(text).n) {
		scan_add(c, &c->warnings, "'%.*s' is not a pkg-config file", STR_ARG(path));
		return true;
	}
	scan_add(c, offered ? &c->provides : &c->vendored, "pc:%.*s=%s", STR_ARG(stem),
		c->pkg->version);
	for (size_t i = 0; offered && i < pc.requires.n; i++)
		scan_add(c, &c->runtime, "pc:%.*s", STR_ARG(pc.requires.v[i]));
	return true;
}
const struct scan_finder find_pkgconf = { .name = "pc", .visit = visit };
