#include "shared/image/osrelease.h"

#define MAX_FILE (1u << 20)

static struct str unquote(struct str v)
{
	if (v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.n - 1] == v.p[0])
		return str_sub(v, 1, v.n - 2);
	return v;
}

static void keep(struct osrelease *r, struct str key, struct str val)
{
	const struct {
		const char *key;
		struct str *to;
	} fields[] = {
		{"ID", &r->id},
		{"NAME", &r->name},
		{"VERSION_ID", &r->version_id},
	};
	for (size_t i = 0; i < countof(fields); i++)
		if (str_is(key, fields[i].key))
			*fields[i].to = unquote(val);
}

bool osrelease_read(struct tree *t, struct arena *a, struct osrelease *ret, struct err *err)
{
	struct osrelease r = {0};
	struct str text, line, key, val;
	const struct tree_node *file = tree_find(t, S("etc/os-release"), true);
	if (!file) {
		*ret = (struct osrelease){S("unknown"), S("apko-generated image"), S("unknown")};
		return true;
	}
	if (!tree_read(file, a, MAX_FILE, &text, err))
		return false;
	for (size_t number = 1; str_next(&text, '\n', &line); number++) {
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!str_cut(line, '=', &key, &val))
			return err_set(err, EK_PARSE, "etc/os-release: line %zu has no '=': '%.*s'",
				number, STR_ARG(line));
		keep(&r, key, val);
	}
	*ret = r;
	return true;
}
