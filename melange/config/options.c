#include "melange/config/options.h"

static void remove_package(struct ystrs *list, struct str name)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!str_eq(list->v[i].s, name))
			list->v[kept++] = list->v[i];
	list->n = kept;
}

static void apply(struct config *c, const struct build_option *o, struct arena *a)
{
	struct ystrs *packages = &c->environment.contents.packages;
	for (size_t i = 0; i < o->vars.n; i++)
		ykvs_set(a, &c->vars, o->vars.v[i].key, o->vars.v[i].val);
	const struct ystrs *add = &o->environment.contents.packages.add;
	for (size_t i = 0; i < add->n; i++)
		vec_push(a, packages, add->v[i]);
	const struct ystrs *remove = &o->environment.contents.packages.remove;
	for (size_t i = 0; i < remove->n; i++)
		remove_package(packages, remove->v[i].s);
}

void options_apply(struct config *c, const struct strs *enabled, struct arena *a)
{
	for (size_t i = 0; enabled && i < enabled->n; i++)
		for (size_t k = 0; k < c->options.n; k++)
			if (str_eq(c->options.v[k].key, enabled->v[i]))
				apply(c, c->options.v[k].val, a);
}
