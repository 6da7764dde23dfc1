#include "melange/build/workspace.h"

#include "shared/base/match.h"
#include "shared/base/vec.h"

struct pattern {
	struct str glob;	/* without '!', leading and trailing '/' */
	bool negated, dir_only, anchored;
};
struct ignore {
	VEC(struct pattern) list;
};

static bool parse_line(struct str line, struct pattern *p)
{
	if (line.n && line.p[0] == '#')
		return false;
	line = str_trim(line);
	p->negated = str_skip(&line, S("!"));
	p->dir_only = str_chop(&line, S("/"));
	p->anchored = str_chr(line, '/') >= 0;
	while (str_skip(&line, S("./")) || str_skip(&line, S("/")))
		;
	p->glob = line;
	return line.n > 0;
}

struct ignore *ignore_parse(struct str text, struct arena *a)
{
	struct ignore *ig = arena_new(a, struct ignore);
	struct str line;
	while (str_next(&text, '\n', &line)) {
		struct pattern p;
		if (!parse_line(line, &p))
			continue;
		p.glob = arena_str(a, p.glob);
		vec_push(a, &ig->list, p);
	}
	return ig;
}

static struct str base_name(struct str path)
{
	long slash = str_rchr(path, '/');
	return slash < 0 ? path : str_from(path, (size_t)slash + 1);
}

static bool pattern_hits(const struct pattern *p, struct str path, bool is_dir)
{
	if (p->dir_only && !is_dir)
		return false;
	return match_glob(p->glob, path) || (!p->anchored && match_glob(p->glob, base_name(path)));
}

bool ignore_match(const struct ignore *ig, struct str path, bool is_dir)
{
	bool ignored = false;
	for (size_t i = 0; i < ig->list.n; i++)
		if (pattern_hits(&ig->list.v[i], path, is_dir))
			ignored = !ig->list.v[i].negated;
	return ignored;
}
