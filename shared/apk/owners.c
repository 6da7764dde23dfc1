#include "shared/apk/owners.h"

#include "shared/base/num.h"

#define MAX_FILE (16u << 20)
#define NOBODY 65534

/* "NAME:x:ID:..." of both files. The first line of a name counts. */
static void add_line(struct map *m, struct str line, struct arena *a)
{
	struct str name, password, id;
	uint64_t n;

	if (!str_cut(line, ':', &name, &line) || !str_cut(line, ':', &password, &line))
		return;
	(void)str_cut(line, ':', &id, &line);
	if (!name.n || !num_u64(id, 10, &n) || n > UINT32_MAX || map_has(m, name))
		return;
	int64_t *val = arena_new(a, int64_t);
	*val = (int64_t)n;
	(void)map_put(m, name, val);
}

static bool add_file(struct map *m, struct tree *t, struct str path, struct arena *a,
	struct err *err)
{
	const struct tree_node *n = tree_find(t, path, true);
	struct str text, line;

	if (!n || n->type != '0')
		return true;
	if (!tree_read(n, a, MAX_FILE, &text, err))
		return false;
	while (str_next(&text, '\n', &line))
		add_line(m, line, a);
	return true;
}

static void add_ids(struct map *m, const struct owner_ids *ids, struct arena *a)
{
	for (size_t i = 0; ids && i < ids->n; i++) {
		if (map_has(m, ids->v[i].name))
			continue;
		int64_t *val = arena_new(a, int64_t);
		*val = ids->v[i].id;
		(void)map_put(m, arena_str(a, ids->v[i].name), val);
	}
}

bool owners_read(struct owners *o, struct tree *t, const struct owner_ids *users,
	const struct owner_ids *groups, struct arena *a, struct err *err)
{
	map_init(&o->users, a);
	map_init(&o->groups, a);
	if (!add_file(&o->users, t, S("etc/passwd"), a, err) ||
	    !add_file(&o->groups, t, S("etc/group"), a, err))
		return false;
	add_ids(&o->users, users, a);
	add_ids(&o->groups, groups, a);
	return true;
}

void owners_release(struct owners *o)
{
	map_release(&o->users);
	map_release(&o->groups);
}

static int64_t id_of(const struct map *m, struct str name)
{
	const int64_t *id = map_get(m, name);

	if (id)
		return *id;
	return str_is(name, "root") ? 0 : NOBODY;
}

int64_t owners_user(const struct owners *o, struct str name)
{
	return id_of(&o->users, name);
}

int64_t owners_group(const struct owners *o, struct str name)
{
	return id_of(&o->groups, name);
}
