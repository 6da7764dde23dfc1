#include <string.h>

#include "melange/config/facts.h"
#include "melange/lint/conf.h"
#include "melange/lint/lint.h"
#include "shared/sbom/license.h"

/* Rules about packages, variables and data. */

#define SHOWN(s) STR_ARG(str_sub((s), 0, 80))

static void copyright(struct conf_ctx *x)
{
	const struct package *p = &x->c->package;
	const struct copyright *list = p->copyright.v;
	if (p->copyright.n == 0)
		conf_report(x, p->at, false, "copyright", "package.copyright is missing: nobody can tell "
			"under which licence the package is");
	for (size_t i = 0; i < p->copyright.n; i++) {
		struct str l = list[i].license.s;
		if (l.n == 0)
			conf_report(x, list[i].at, false, "license", "license is missing");
		else if (!license_valid(l))
			conf_report(x, list[i].license.at, false, "license", "\"%.*s\" is no SPDX expression: "
				"SBOMs will say %.*s", SHOWN(l), SHOWN(package_license_ref(l, x->a)));
	}
}

static void repeated(struct conf_ctx *x, const struct ystrs *list, const char *what)
{
	for (size_t i = 0; i < list->n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (!str_eq(list->v[i].s, list->v[k].s))
				continue;
			conf_report(x, list->v[i].at, false, "repeated", "\"%.*s\" stands twice in %s",
				SHOWN(list->v[i].s), what);
			break;
		}
	}
}

static void scripts(struct conf_ctx *x, const struct scriptlets *s)
{
	if (!s)
		return;
	const struct ystr *all[] = { &s->pre_install, &s->post_install, &s->pre_deinstall,
		&s->post_deinstall, &s->pre_upgrade, &s->post_upgrade, &s->trigger.script };
	for (size_t i = 0; i < countof(all); i++)
		if (all[i]->s.n && !str_starts(all[i]->s, S("#!")))
			conf_report(x, all[i]->at, false, "scriptlet", "the script does not begin with #! and "
				"an interpreter, so it cannot be run");
	if (s->trigger.script.s.n && s->trigger.paths.n == 0)
		conf_report(x, s->trigger.at, false, "scriptlet", "a trigger without paths never runs");
}

static void checks(struct conf_ctx *x, const struct ystrs *disabled)
{
	for (size_t i = 0; i < disabled->n; i++)
		if (disabled->v[i].s.n && !lint_known(disabled->v[i].s))
			conf_report(x, disabled->v[i].at, true, "checks", "unknown linter: \"%.*s\"",
				SHOWN(disabled->v[i].s));
}

static void dependencies(struct conf_ctx *x, const struct dependencies *d)
{
	repeated(x, &d->runtime, "dependencies.runtime");
	repeated(x, &d->provides, "dependencies.provides");
	repeated(x, &d->replaces, "dependencies.replaces");
}

static void subpackages(struct conf_ctx *x)
{
	const struct subpackage *s = x->c->subpackages.v;
	for (size_t i = 0; i < x->c->subpackages.n; i++) {
		bool first = i == 0 || s[i].at != s[i - 1].at;	/* of a range */
		if (!first)
			continue;
		if (s[i].description.s.n == 0)
			conf_report(x, s[i].at, false, "description", "the subpackage has no description");
		const struct dependencies *d = &s[i].dependencies;
		if (s[i].pipeline.n == 0 && d->runtime.n == 0 && d->provides.n == 0)
			conf_report(x, s[i].at, false, "empty", "the subpackage has neither a pipeline nor "
				"dependencies: it will be empty");
		dependencies(x, d);
		scripts(x, s[i].scriptlets);
		checks(x, &s[i].checks.disabled);
	}
}

/* Whether the file speaks of PREFIX.NAME anywhere, as a whole word. */
static bool mentioned(const struct conf_ctx *x, const char *prefix, struct str name)
{
	struct str word = arena_strf(x->a, "%s.%.*s", prefix, STR_ARG(name)), rest = x->src;
	for (long at; (at = str_find(rest, word)) >= 0;) {
		rest = str_from(rest, (size_t)at + word.n);
		if (rest.n == 0 || !(strchr("-_.", rest.p[0]) || (rest.p[0] | 0x20) >= 'a' ||
			(rest.p[0] >= '0' && rest.p[0] <= '9')) || rest.p[0] == '}')
			return true;
	}
	return false;
}

static bool transformed(const struct conf_ctx *x, struct str name)
{
	const struct transform *t = x->c->transforms.v;
	for (size_t i = 0; i < x->c->transforms.n; i++)
		if (mentioned(x, "vars", t[i].to.s) && str_find(t[i].from.s, name) >= 0)
			return true;
	return false;
}

/* Variables reach definitions of one's own too, so this is only a warning. */
static void unused(struct conf_ctx *x)
{
	const struct ynode *vars = ynode_get(x->c->doc->root, "vars");
	for (size_t i = 0; vars && vars->kind == YN_MAP && i < vars->n; i++) {
		struct str name = vars->pairs[i].key->text;
		if (!mentioned(x, "vars", name) && !transformed(x, name))
			conf_report(x, vars->pairs[i].key, false, "unused", "variable \"%.*s\" is not used in "
				"this file", SHOWN(name));
	}
	const struct transform *t = x->c->transforms.v;
	for (size_t i = 0; i < x->c->transforms.n; i++)
		if (t[i].to.s.n && !mentioned(x, "vars", t[i].to.s))
			conf_report(x, t[i].to.at, false, "unused", "variable \"%.*s\" is made but not used in "
				"this file", SHOWN(t[i].to.s));
}

static bool ranged_over(const struct conf_ctx *x, struct str name)
{
	const struct ynode *subs = ynode_get(x->c->doc->root, "subpackages");
	for (size_t i = 0; subs && subs->kind == YN_SEQ && i < subs->n; i++) {
		const struct ynode *range = ynode_get(subs->items[i], "range");
		if (range && str_eq(range->text, name))
			return true;
	}
	return false;
}

static void unused_data(struct conf_ctx *x)
{
	const struct data_set *d = x->c->data.v;
	for (size_t i = 0; i < x->c->data.n; i++)
		if (d[i].name.s.n && !ranged_over(x, d[i].name.s))
			conf_report(x, d[i].name.at, false, "unused", "no subpackage ranges over \"%.*s\"",
				SHOWN(d[i].name.s));
}

void conf_package_rules(struct conf_ctx *x)
{
	const struct package *p = &x->c->package;
	if (p->description.s.n == 0)
		conf_report(x, p->at, false, "description", "package.description is missing");
	copyright(x);
	dependencies(x, &p->dependencies);
	scripts(x, p->scriptlets);
	checks(x, &p->checks.disabled);
	repeated(x, &x->c->environment.contents.packages, "environment.contents.packages");
	subpackages(x);
	unused(x);
	unused_data(x);
}
