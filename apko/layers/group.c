#include "apko/layers/group.h"

#include <stdlib.h>

#include "shared/apk/dep.h"
#include "shared/base/map.h"

/* Packages are nodes of a forest; a tree is a group. */
struct grouping {
	const struct install_result *in;
	struct arena *a;
	size_t *up;
	struct map names;	/* to the address in `up` */
};

static const struct apk_pkg *info(const struct grouping *g, size_t i)
{
	return &g->in->records[i].file->info;
}

static size_t root_of(struct grouping *g, size_t i)
{
	while (g->up[i] != i)
		i = g->up[i] = g->up[g->up[i]];
	return i;
}

static void merge(struct grouping *g, size_t i, size_t j)
{
	i = root_of(g, i);
	j = root_of(g, j);
	g->up[i < j ? j : i] = i < j ? i : j;
}

static void merge_origins(struct grouping *g)
{
	auto_map struct map origins;
	map_init(&origins, g->a);
	for (size_t i = 0; i < g->in->n; i++) {
		size_t *first = map_get(&origins, info(g, i)->origin);
		if (first)
			merge(g, i, (size_t)(first - g->up));
		else
			(void)map_put(&origins, info(g, i)->origin, &g->up[i]);
	}
}

static bool merge_replaced(struct grouping *g, size_t i, struct err *err)
{
	struct apk_deps atoms = { 0 };
	if (!apk_deps_parse(info(g, i)->replaces, g->a, &atoms, err))
		return err_wrap(err, "package '%.*s' replaces", STR_ARG(info(g, i)->name));
	for (size_t k = 0; k < atoms.n; k++) {
		const struct apk_dep *d = &atoms.v[k];
		size_t *other = map_get(&g->names, d->name);
		if (!other)
			continue;
		size_t j = (size_t)(other - g->up);
		if (apk_version_match(info(g, j)->version, d->op, d->version))
			merge(g, i, j);
	}
	return true;
}

static struct str name_of(const struct install_record *r)
{
	return r->file->info.name;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(name_of(*(const struct install_record *const *)a),
		name_of(*(const struct install_record *const *)b));
}

static void sort_names(struct layer_group *group)
{
	qsort(group->v, group->n, sizeof(group->v[0]), by_name);
}

/* Groups are not empty, and their packages sorted. */
static int by_size(const void *a, const void *b)
{
	const struct layer_group *x = a, *y = b;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return str_cmp(name_of(x->v[x->n - 1]), name_of(y->v[y->n - 1]));
}

static void take(struct layer_group *group, const struct install_record *r, struct arena *a)
{
	uint64_t sum;
	vec_push(a, group, r);
	bool over = __builtin_add_overflow(group->size, r->file->info.installed_size, &sum);
	group->size = over ? UINT64_MAX : sum;
}

static void collect(struct grouping *g, struct layer_groups *out)
{
	size_t *at = arena_array(g->a, size_t, g->in->n + 1);
	for (size_t i = 0; i < g->in->n; i++) {
		size_t root = root_of(g, i);
		if (root == i) {
			at[i] = out->n;
			vec_push(g->a, out, (struct layer_group){ 0 });
		}
		take(&out->v[at[root]], &g->in->records[i], g->a);
	}
}

static void limit(struct layer_groups *out, size_t max, struct arena *a)
{
	if (out->n <= max)
		return;
	size_t last = max ? max - 1 : 0;
	for (size_t i = last + 1; i < out->n; i++)
		for (size_t k = 0; k < out->v[i].n; k++)
			take(&out->v[last], out->v[i].v[k], a);
	out->n = last + 1;
	sort_names(&out->v[last]);
}

bool layer_group(const struct install_result *installed, int64_t budget, struct arena *a,
	struct layer_groups *ret, struct err *err)
{
	struct grouping g = { .in = installed, .a = a };
	struct layer_groups out = { 0 };
	bool ok = true;
	if (budget < 0)
		return err_set(err, EK_USAGE, "layering budget %lld is negative",
			(long long)budget);
	g.up = arena_array(a, size_t, installed->n + 1);
	map_init(&g.names, a);
	for (size_t i = 0; i < installed->n; i++) {
		g.up[i] = i;
		(void)map_put(&g.names, info(&g, i)->name, &g.up[i]);
	}
	merge_origins(&g);
	for (size_t i = 0; i < installed->n && ok; i++)
		ok = merge_replaced(&g, i, err);
	map_release(&g.names);
	if (!ok)
		return false;
	collect(&g, &out);
	for (size_t i = 0; i < out.n; i++)
		sort_names(&out.v[i]);
	if (out.n)
		qsort(out.v, out.n, sizeof(out.v[0]), by_size);
	limit(&out, (uint64_t)budget > SIZE_MAX ? SIZE_MAX : (size_t)budget, a);
	*ret = out;
	return true;
}
