#include "melange/plan/outline.h"

#include <stdlib.h>

#include "melange/plan/outline_int.h"
#include "melange/plan/shellfmt.h"

static struct outline *dependencies(const struct ol *w, const struct dependencies *d)
{
	struct outline *o = ol_map(w);
	ol_opt_list(w, o, "runtime", &d->runtime);
	ol_opt_list(w, o, "provides", &d->provides);
	ol_opt_list(w, o, "replaces", &d->replaces);
	ol_opt(w, o, "provider-priority", d->provider_priority);
	ol_opt(w, o, "replaces-priority", d->replaces_priority);
	return o;
}

static void opt_options(const struct ol *w, struct outline *to, const struct pkg_options *p)
{
	if (!p)
		return;
	struct outline *o = ol_map(w);
	ol_opt_bool(w, o, "no-provides", p->no_provides);
	ol_opt_bool(w, o, "no-depends", p->no_depends);
	ol_opt_bool(w, o, "no-commands", p->no_commands);
	ol_opt_bool(w, o, "no-versioned-shlib-deps", p->no_versioned_shlib_deps);
	ol_add(w, to, "options", o);
}

static void opt_scriptlets(const struct ol *w, struct outline *to, const struct scriptlets *s)
{
	if (!s)
		return;
	struct outline *o = ol_map(w), *trigger = ol_map(w);
	if (w->json) {
		ol_opt(w, trigger, "script", s->trigger.script);
		ol_opt_list(w, trigger, "paths", &s->trigger.paths);
	} else if (s->trigger.script.s.n || s->trigger.paths.n) {
		ol_put(w, trigger, "script", s->trigger.script.s);
		ol_put_list(w, trigger, "paths", &s->trigger.paths);
	}
	ol_nested(w, o, "trigger", trigger);
	ol_opt(w, o, "pre-install", s->pre_install);
	ol_opt(w, o, "post-install", s->post_install);
	ol_opt(w, o, "pre-deinstall", s->pre_deinstall);
	ol_opt(w, o, "post-deinstall", s->post_deinstall);
	ol_opt(w, o, "pre-upgrade", s->pre_upgrade);
	ol_opt(w, o, "post-upgrade", s->post_upgrade);
	ol_add(w, to, "scriptlets", o);
}

static void opt_copyright(const struct ol *w, struct outline *to, const struct bind_list *list)
{
	const struct copyright *c = list->v;
	struct outline *o = ol_node(w, OL_LIST);
	for (size_t i = 0; i < list->n; i++) {
		struct outline *item = ol_map(w);
		ol_opt_list(w, item, "paths", &c[i].paths);
		ol_opt(w, item, "attestation", c[i].attestation);
		ol_put(w, item, "license", c[i].license.s);
		ol_opt(w, item, "license-path", c[i].license_path);
		ol_opt(w, item, "detection-override", c[i].detection_override);
		ol_add(w, o, NULL, item);
	}
	if (list->n)
		ol_add(w, to, "copyright", o);
}

static void opt_setcap(const struct ol *w, struct outline *to, const struct bind_list *list)
{
	const struct setcap *s = list->v;
	struct outline *o = ol_node(w, OL_LIST);
	for (size_t i = 0; i < list->n; i++) {
		struct outline *item = ol_map(w);
		ol_opt(w, item, "path", s[i].path);
		ol_opt_kvs(w, item, "add", &s[i].add);
		ol_opt(w, item, "reason", s[i].reason);
		ol_add(w, o, NULL, item);
	}
	if (list->n)
		ol_add(w, to, "setcap", o);
}

static struct outline *cpe(const struct ol *w, const struct cpe *c)
{
	struct outline *o = ol_map(w);
	ol_opt(w, o, "part", c->part);
	ol_opt(w, o, "vendor", c->vendor);
	ol_opt(w, o, "product", c->product);
	ol_opt(w, o, "edition", c->edition);
	ol_opt(w, o, "language", c->language);
	ol_opt(w, o, "sw_edition", c->sw_edition);
	ol_opt(w, o, "target_sw", c->target_sw);
	ol_opt(w, o, "target_hw", c->target_hw);
	ol_opt(w, o, "other", c->other);
	return o;
}

static struct outline *resources(const struct ol *w, const struct resources *r)
{
	struct outline *o = ol_map(w);
	ol_opt(w, o, "cpu", r->cpu);
	ol_opt(w, o, "cpumodel", r->cpumodel);
	ol_opt(w, o, "memory", r->memory);
	ol_opt(w, o, "disk", r->disk);
	return o;
}

/* Go's text of a duration: "1h30m0s". */
static struct str duration(const struct ol *w, int64_t ns)
{
	int64_t s = ns / 1000000000, frac = ns % 1000000000;
	if (frac)
		return arena_strf(w->a, "%g%s", (double)ns / (frac % 1000000 ? 1e3 : 1e6),
			frac % 1000000 ? "\xc2\xb5s" : "ms");
	if (s >= 3600)
		return arena_strf(w->a, "%lldh%lldm%llds", (long long)(s / 3600),
			(long long)(s / 60 % 60), (long long)(s % 60));
	if (s >= 60)
		return arena_strf(w->a, "%lldm%llds", (long long)(s / 60), (long long)(s % 60));
	return arena_strf(w->a, "%llds", (long long)s);
}

static struct outline *checks(const struct ol *w, const struct ystrs *disabled)
{
	struct outline *o = ol_map(w);
	ol_opt_list(w, o, "disabled", disabled);
	return o;
}

static struct outline *package(const struct ol *w, const struct package *p)
{
	struct outline *o = ol_map(w);
	ol_put(w, o, "name", p->name.s);
	ol_put(w, o, "version", p->version.s);
	ol_put_int(w, o, "epoch", (int64_t)p->epoch);
	ol_opt(w, o, "description", p->description);
	ol_opt_kvs(w, o, "annotations", &p->annotations);
	ol_opt(w, o, "url", p->url);
	ol_opt(w, o, "commit", p->commit);
	ol_opt_list(w, o, "target-architecture", &p->target_architecture);
	opt_copyright(w, o, &p->copyright);
	ol_nested(w, o, "dependencies", dependencies(w, &p->dependencies));
	opt_options(w, o, p->options);
	opt_scriptlets(w, o, p->scriptlets);
	ol_nested(w, o, "checks", checks(w, &p->checks.disabled));
	ol_nested(w, o, "cpe", cpe(w, &p->cpe));
	opt_setcap(w, o, &p->setcap);
	if (p->timeout && w->json)
		ol_put_int(w, o, "timeout", p->timeout);
	else if (p->timeout)
		ol_put(w, o, "timeout", duration(w, p->timeout));
	/* always there after parsing */
	ol_add(w, o, "resources", resources(w, &p->resources));
	if (p->test_resources)
		ol_add(w, o, "test-resources", resources(w, p->test_resources));
	return o;
}

static struct outline *steps(const struct ol *w, const struct bind_list *list);

/* `.melange.yaml` holds scripts in one layout (melange-config 5.2); text that the printer does not
 * understand stays the author's. */
static struct ystr script(const struct ol *w, const struct step *s)
{
	struct ystr runs = s->runs;
	if (!w->json && !shellfmt(s->commented, w->a, &runs.s))
		runs.s = s->runs.s;
	return runs;
}

static struct outline *step(const struct ol *w, const struct step *s)
{
	struct outline *o = ol_map(w);
	ol_opt(w, o, "if", s->if_);
	ol_opt(w, o, "name", s->name);
	ol_opt(w, o, "uses", s->uses);
	ol_opt_kvs(w, o, "with", &s->with);
	ol_opt(w, o, "runs", script(w, s));
	ol_opt_nested(w, o, "pipeline", steps(w, &s->pipeline));
	if (s->needs.packages.n) {
		struct outline *needs = ol_map(w);
		ol_opt_list(w, needs, w->json ? "Packages" : "packages", &s->needs.packages);
		ol_add(w, o, "needs", needs);
	}
	ol_opt(w, o, "label", s->label);
	if (s->assertions.at) {
		struct outline *asserted = ol_map(w);
		const struct opt_int *steps = &s->assertions.required_steps;
		if (steps->set && (steps->n || !w->json))
			ol_put_int(w, asserted, "required-steps", steps->n);
		ol_add(w, o, "assertions", asserted);
	}
	ol_opt(w, o, "working-directory", s->working_directory);
	ol_opt_kvs(w, o, "environment", &s->environment);
	return o;
}

static struct outline *steps(const struct ol *w, const struct bind_list *list)
{
	struct outline *o = ol_node(w, OL_LIST);
	const struct step *s = list->v;
	for (size_t i = 0; i < list->n; i++)
		ol_add(w, o, NULL, step(w, &s[i]));
	return o;
}

static struct outline *test(const struct ol *w, const struct test *t)
{
	struct outline *o = ol_map(w), *list = steps(w, &t->pipeline);
	ol_nested(w, o, "environment", ol_environment(w, &t->environment));
	if (w->json)
		ol_add(w, o, "pipeline", list->n_items ? list : ol_node(w, OL_NULL));
	else
		ol_opt_nested(w, o, "pipeline", list);
	return o;
}

static struct outline *subpackages(const struct ol *w, const struct config *c)
{
	struct outline *list = ol_node(w, OL_LIST);
	const struct subpackage *s = c->subpackages.v;
	for (size_t i = 0; i < c->subpackages.n; i++) {
		if (s[i].skipped && !w->json)
			continue;
		struct outline *o = ol_map(w);
		ol_opt(w, o, "if", s[i].if_);
		ol_put(w, o, "name", s[i].name.s);
		ol_opt_nested(w, o, "pipeline", steps(w, &s[i].pipeline));
		ol_nested(w, o, "dependencies", dependencies(w, &s[i].dependencies));
		opt_options(w, o, s[i].options);
		opt_scriptlets(w, o, s[i].scriptlets);
		ol_opt(w, o, "description", s[i].description);
		ol_opt_kvs(w, o, "annotations", &s[i].annotations);
		ol_opt(w, o, "url", s[i].url);
		ol_opt(w, o, "commit", s[i].commit);
		ol_nested(w, o, "checks", checks(w, &s[i].checks.disabled));
		if (s[i].test)
			ol_add(w, o, "test", test(w, s[i].test));
		opt_setcap(w, o, &s[i].setcap);
		ol_add(w, list, NULL, o);
	}
	return list;
}

static struct outline *transforms(const struct ol *w, const struct bind_list *list)
{
	struct outline *o = ol_node(w, OL_LIST);
	const struct transform *t = list->v;
	for (size_t i = 0; i < list->n; i++) {
		struct outline *item = ol_map(w);
		ol_put(w, item, "from", t[i].from.s);
		ol_put(w, item, "match", t[i].match.s);
		ol_put(w, item, "replace", t[i].replace.s);
		ol_put(w, item, "to", t[i].to.s);
		ol_add(w, o, NULL, item);
	}
	return o;
}

static int option_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct bind_map_item *)a)->key,
		((const struct bind_map_item *)b)->key);
}

static struct outline *options(const struct ol *w, const struct config *c)
{
	struct outline *o = ol_map(w);
	struct bind_map_item *items =
		arena_dup(w->a, c->options.v, c->options.n * sizeof(*items));
	if (c->options.n)
		qsort(items, c->options.n, sizeof(*items), option_cmp);
	for (size_t i = 0; i < c->options.n; i++) {
		const struct build_option *b = items[i].val;
		struct outline *item = ol_map(w), *env = ol_map(w), *contents = ol_map(w), *packages = ol_map(w);
		ol_opt_kvs(w, item, "vars", &b->vars);
		ol_opt_list(w, packages, "add", &b->environment.contents.packages.add);
		ol_opt_list(w, packages, "remove", &b->environment.contents.packages.remove);
		ol_opt_nested(w, contents, "packages", packages);
		ol_opt_nested(w, env, "contents", contents);
		ol_opt_nested(w, item, "environment", env);
		ol_add(w, o, arena_strndup(w->a, items[i].key.p, items[i].key.n), item);
	}
	return o;
}

struct outline *outline_config(const struct config *c, enum outline_form form, struct arena *a)
{
	const struct ol writer = { a, form == OUTLINE_JSON }, *w = &writer;
	struct outline *o = ol_map(w), *caps = ol_map(w);
	ol_add(w, o, "package", package(w, &c->package));
	ol_nested(w, o, "environment", ol_environment(w, &c->environment));
	ol_opt_list(w, caps, "add", &c->capabilities.add);
	ol_opt_list(w, caps, "drop", &c->capabilities.drop);
	ol_nested(w, o, "capabilities", caps);
	ol_opt_nested(w, o, "pipeline", steps(w, &c->pipeline));
	ol_opt_nested(w, o, "subpackages", subpackages(w, c));
	ol_nested(w, o, "update", ol_update(w, &c->update));
	ol_opt_kvs(w, o, "vars", &c->vars);
	ol_opt_nested(w, o, "var-transforms", transforms(w, &c->transforms));
	ol_opt_nested(w, o, "options", options(w, c));
	if (c->test)
		ol_add(w, o, "test", test(w, c->test));
	return o;
}
