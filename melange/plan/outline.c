#include "melange/plan/outline.h"

#include <stdlib.h>

#include "melange/plan/shellfmt.h"
#include "shared/apk/arch.h"

/* The writer's state: which form, and the arena. Structs come as nodes whose empty fields are
 * left out or not as the two forms of the existing tool do. */
struct w {
	struct arena *a;
	bool json;
};

static struct outline *node(const struct w *w, enum outline_kind kind)
{
	struct outline *o = arena_new(w->a, struct outline);
	o->kind = kind;
	return o;
}

static struct outline *map(const struct w *w)
{
	return node(w, OL_MAP);
}

static void add(const struct w *w, struct outline *to, const char *key, struct outline *val)
{
	if (to->n_items == to->cap) {
		size_t cap = to->cap ? to->cap * 2 : 8;
		struct outline_item *grown = arena_array(w->a, struct outline_item, cap);
		for (size_t i = 0; i < to->n_items; i++)
			grown[i] = to->items[i];
		to->items = grown;
		to->cap = cap;
	}
	to->items[to->n_items++] = (struct outline_item){ str_of(key), val };
}

static struct outline *text(const struct w *w, struct str s)
{
	struct outline *o = node(w, OL_TEXT);
	o->text = s;
	return o;
}

static void put(const struct w *w, struct outline *to, const char *key, struct str s)
{
	add(w, to, key, text(w, s));
}

/* Left out when empty. */
static void opt(const struct w *w, struct outline *to, const char *key, struct ystr s)
{
	if (s.s.n)
		put(w, to, key, s.s);
}

static void put_int(const struct w *w, struct outline *to, const char *key, int64_t n)
{
	struct outline *o = node(w, OL_INT);
	o->n = n;
	add(w, to, key, o);
}

static void put_bool(const struct w *w, struct outline *to, const char *key, bool b)
{
	struct outline *o = node(w, OL_BOOL);
	o->n = b;
	add(w, to, key, o);
}

static void opt_bool(const struct w *w, struct outline *to, const char *key, bool b)
{
	if (b)
		put_bool(w, to, key, b);
}

static void put_list(const struct w *w, struct outline *to, const char *key,
	const struct ystrs *list)
{
	struct outline *o = node(w, OL_LIST);
	for (size_t i = 0; i < list->n; i++)
		add(w, o, NULL, text(w, list->v[i].s));
	add(w, to, key, o);
}

static void opt_list(const struct w *w, struct outline *to, const char *key,
	const struct ystrs *list)
{
	if (list->n)
		put_list(w, to, key, list);
}

static int kv_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct ykv *)a)->key, ((const struct ykv *)b)->key);
}

static struct outline *kvs(const struct w *w, const struct ykvs *kv)
{
	struct outline *o = map(w);
	struct ykv *sorted = arena_dup(w->a, kv->v, kv->n * sizeof(*sorted));
	if (kv->n)
		qsort(sorted, kv->n, sizeof(*sorted), kv_cmp);
	for (size_t i = 0; i < kv->n; i++)
		put(w, o, arena_strndup(w->a, sorted[i].key.p, sorted[i].key.n), sorted[i].val.s);
	return o;
}

static void opt_kvs(const struct w *w, struct outline *to, const char *key, const struct ykvs *kv)
{
	if (kv->n)
		add(w, to, key, kvs(w, kv));
}

/* A nested struct: JSON shows an empty one as {}, YAML leaves it out. */
static void nested(const struct w *w, struct outline *to, const char *key, struct outline *val)
{
	if (val->n_items || w->json)
		add(w, to, key, val);
}

/* Left out when empty in both. */
static void opt_nested(const struct w *w, struct outline *to, const char *key,
	struct outline *val)
{
	if (val->n_items)
		add(w, to, key, val);
}

static struct outline *dependencies(const struct w *w, const struct dependencies *d)
{
	struct outline *o = map(w);
	opt_list(w, o, "runtime", &d->runtime);
	opt_list(w, o, "provides", &d->provides);
	opt_list(w, o, "replaces", &d->replaces);
	opt(w, o, "provider-priority", d->provider_priority);
	opt(w, o, "replaces-priority", d->replaces_priority);
	return o;
}

static void opt_options(const struct w *w, struct outline *to, const struct pkg_options *p)
{
	if (!p)
		return;
	struct outline *o = map(w);
	opt_bool(w, o, "no-provides", p->no_provides);
	opt_bool(w, o, "no-depends", p->no_depends);
	opt_bool(w, o, "no-commands", p->no_commands);
	opt_bool(w, o, "no-versioned-shlib-deps", p->no_versioned_shlib_deps);
	add(w, to, "options", o);
}

static void opt_scriptlets(const struct w *w, struct outline *to, const struct scriptlets *s)
{
	if (!s)
		return;
	struct outline *o = map(w), *trigger = map(w);
	if (w->json) {
		opt(w, trigger, "script", s->trigger.script);
		opt_list(w, trigger, "paths", &s->trigger.paths);
	} else if (s->trigger.script.s.n || s->trigger.paths.n) {
		put(w, trigger, "script", s->trigger.script.s);
		put_list(w, trigger, "paths", &s->trigger.paths);
	}
	nested(w, o, "trigger", trigger);
	opt(w, o, "pre-install", s->pre_install);
	opt(w, o, "post-install", s->post_install);
	opt(w, o, "pre-deinstall", s->pre_deinstall);
	opt(w, o, "post-deinstall", s->post_deinstall);
	opt(w, o, "pre-upgrade", s->pre_upgrade);
	opt(w, o, "post-upgrade", s->post_upgrade);
	add(w, to, "scriptlets", o);
}

static void opt_copyright(const struct w *w, struct outline *to, const struct bind_list *list)
{
	const struct copyright *c = list->v;
	struct outline *o = node(w, OL_LIST);
	for (size_t i = 0; i < list->n; i++) {
		struct outline *item = map(w);
		opt_list(w, item, "paths", &c[i].paths);
		opt(w, item, "attestation", c[i].attestation);
		put(w, item, "license", c[i].license.s);
		opt(w, item, "license-path", c[i].license_path);
		opt(w, item, "detection-override", c[i].detection_override);
		add(w, o, NULL, item);
	}
	if (list->n)
		add(w, to, "copyright", o);
}

static void opt_setcap(const struct w *w, struct outline *to, const struct bind_list *list)
{
	const struct setcap *s = list->v;
	struct outline *o = node(w, OL_LIST);
	for (size_t i = 0; i < list->n; i++) {
		struct outline *item = map(w);
		opt(w, item, "path", s[i].path);
		opt_kvs(w, item, "add", &s[i].add);
		opt(w, item, "reason", s[i].reason);
		add(w, o, NULL, item);
	}
	if (list->n)
		add(w, to, "setcap", o);
}

static struct outline *cpe(const struct w *w, const struct cpe *c)
{
	struct outline *o = map(w);
	opt(w, o, "part", c->part);
	opt(w, o, "vendor", c->vendor);
	opt(w, o, "product", c->product);
	opt(w, o, "edition", c->edition);
	opt(w, o, "language", c->language);
	opt(w, o, "sw_edition", c->sw_edition);
	opt(w, o, "target_sw", c->target_sw);
	opt(w, o, "target_hw", c->target_hw);
	opt(w, o, "other", c->other);
	return o;
}

static struct outline *resources(const struct w *w, const struct resources *r)
{
	struct outline *o = map(w);
	opt(w, o, "cpu", r->cpu);
	opt(w, o, "cpumodel", r->cpumodel);
	opt(w, o, "memory", r->memory);
	opt(w, o, "disk", r->disk);
	return o;
}

/* Go's text of a duration: "1h30m0s". */
static struct str duration(const struct w *w, int64_t ns)
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

static struct outline *checks(const struct w *w, const struct ystrs *disabled)
{
	struct outline *o = map(w);
	opt_list(w, o, "disabled", disabled);
	return o;
}

static struct outline *package(const struct w *w, const struct package *p)
{
	struct outline *o = map(w);
	put(w, o, "name", p->name.s);
	put(w, o, "version", p->version.s);
	put_int(w, o, "epoch", (int64_t)p->epoch);
	opt(w, o, "description", p->description);
	opt_kvs(w, o, "annotations", &p->annotations);
	opt(w, o, "url", p->url);
	opt(w, o, "commit", p->commit);
	opt_list(w, o, "target-architecture", &p->target_architecture);
	opt_copyright(w, o, &p->copyright);
	nested(w, o, "dependencies", dependencies(w, &p->dependencies));
	opt_options(w, o, p->options);
	opt_scriptlets(w, o, p->scriptlets);
	nested(w, o, "checks", checks(w, &p->checks.disabled));
	nested(w, o, "cpe", cpe(w, &p->cpe));
	opt_setcap(w, o, &p->setcap);
	if (p->timeout && w->json)
		put_int(w, o, "timeout", p->timeout);
	else if (p->timeout)
		put(w, o, "timeout", duration(w, p->timeout));
	/* always there after parsing */
	add(w, o, "resources", resources(w, &p->resources));
	if (p->test_resources)
		add(w, o, "test-resources", resources(w, p->test_resources));
	return o;
}

static struct outline *accounts(const struct w *w, const struct imgconf *c)
{
	struct outline *o = map(w), *users = node(w, OL_LIST), *groups = node(w, OL_LIST);
	const struct imgconf_user *u = c->accounts.users.v;
	const struct imgconf_group *g = c->accounts.groups.v;
	if (c->accounts.run_as.s.n || (!w->json && (c->accounts.users.n || c->accounts.groups.n)))
		put(w, o, "run-as", c->accounts.run_as.s);
	for (size_t i = 0; i < c->accounts.users.n; i++) {
		struct outline *item = map(w);
		if (w->json) {
			opt(w, item, "username", u[i].username);
			if (u[i].uid.n)
				put_int(w, item, "uid", u[i].uid.n);
			if (u[i].gid.set)
				put_int(w, item, "gid", u[i].gid.n);
			opt(w, item, "shell", u[i].shell);
			opt(w, item, "homedir", u[i].homedir);
		} else {
			put(w, item, "username", u[i].username.s);
			put_int(w, item, "uid", u[i].uid.n);
			if (u[i].gid.set)
				put_int(w, item, "gid", u[i].gid.n);
			put(w, item, "shell", u[i].shell.s);
			put(w, item, "homedir", u[i].homedir.s);
		}
		add(w, users, NULL, item);
	}
	for (size_t i = 0; i < c->accounts.groups.n; i++) {
		struct outline *item = map(w);
		if (g[i].groupname.s.n || !w->json)
			put(w, item, "groupname", g[i].groupname.s);
		if (g[i].gid.n || !w->json)
			put_int(w, item, "gid", g[i].gid.n);
		if (g[i].members.n || !w->json)
			put_list(w, item, "members", &g[i].members);
		add(w, groups, NULL, item);
	}
	opt_nested(w, o, "users", users);
	opt_nested(w, o, "groups", groups);
	return o;
}

static struct outline *entrypoint(const struct w *w, const struct imgconf *c)
{
	struct outline *o = map(w);
	opt(w, o, "type", c->entrypoint.type);
	opt(w, o, "command", c->entrypoint.command);
	opt(w, o, "shell-fragment", c->entrypoint.shell_fragment);
	opt_kvs(w, o, "services", &c->entrypoint.services);
	return o;
}

static struct outline *paths(const struct w *w, const struct imgconf *c)
{
	struct outline *o = node(w, OL_LIST);
	const struct imgconf_path *p = c->paths.v;
	for (size_t i = 0; i < c->paths.n; i++) {
		struct outline *item = map(w);
		opt(w, item, "path", p[i].path);
		opt(w, item, "type", p[i].type);
		if (p[i].uid.set)
			put_int(w, item, "uid", p[i].uid.n);
		if (p[i].gid.set)
			put_int(w, item, "gid", p[i].gid.n);
		if (p[i].permissions.n)
			put_int(w, item, "permissions", p[i].permissions.n);
		opt(w, item, "source", p[i].source);
		opt_bool(w, item, "recursive", p[i].recursive);
		add(w, o, NULL, item);
	}
	return o;
}

/* Architectures go by their Go names in what is printed. */
static struct ystr arch_name(struct ystr name)
{
	const struct apk_arch *arch = apk_arch_find(name.s);
	return arch ? (struct ystr){ str_of(arch->oci), name.at } : name;
}

static struct outline *environment(const struct w *w, const struct imgconf *c)
{
	struct outline *o = map(w), *contents = map(w);
	opt_list(w, contents, "build_repositories", &c->contents.build_repositories);
	opt_list(w, contents, "repositories", &c->contents.repositories);
	opt_list(w, contents, "keyring", &c->contents.keyring);
	opt_list(w, contents, "packages", &c->contents.packages);
	if (c->contents.baseimage) {
		struct outline *base = map(w);
		opt(w, base, "image", c->contents.baseimage->image);
		opt(w, base, "apkindex", c->contents.baseimage->apkindex);
		add(w, contents, "baseimage", base);
	}
	nested(w, o, "contents", contents);
	nested(w, o, "entrypoint", entrypoint(w, c));
	opt(w, o, "cmd", c->cmd);
	opt(w, o, "stop-signal", c->stop_signal);
	opt(w, o, "work-dir", c->work_dir);
	nested(w, o, "accounts", accounts(w, c));
	struct ystrs archs = { 0 };
	for (size_t i = 0; i < c->archs.n; i++)
		vec_push(w->a, &archs, arch_name(c->archs.v[i]));
	opt_list(w, o, "archs", &archs);
	opt_kvs(w, o, "environment", &c->environment);
	opt_nested(w, o, "paths", paths(w, c));
	opt(w, o, "vcs-url", c->vcs_url);
	opt_kvs(w, o, "annotations", &c->annotations);
	opt(w, o, "include", c->include);
	opt_list(w, o, "volumes", &c->volumes);
	return o;
}

static struct outline *steps(const struct w *w, const struct bind_list *list);

/* `.melange.yaml` holds scripts in one layout (melange-config 5.2); text that the printer does not
 * understand stays the author's. */
static struct ystr script(const struct w *w, const struct step *s)
{
	struct ystr runs = s->runs;
	if (!w->json && !shellfmt(s->commented, w->a, &runs.s))
		runs.s = s->runs.s;
	return runs;
}

static struct outline *step(const struct w *w, const struct step *s)
{
	struct outline *o = map(w);
	opt(w, o, "if", s->if_);
	opt(w, o, "name", s->name);
	opt(w, o, "uses", s->uses);
	opt_kvs(w, o, "with", &s->with);
	opt(w, o, "runs", script(w, s));
	opt_nested(w, o, "pipeline", steps(w, &s->pipeline));
	if (s->needs.packages.n) {
		struct outline *needs = map(w);
		opt_list(w, needs, w->json ? "Packages" : "packages", &s->needs.packages);
		add(w, o, "needs", needs);
	}
	opt(w, o, "label", s->label);
	if (s->assertions.at) {
		struct outline *asserted = map(w);
		const struct opt_int *steps = &s->assertions.required_steps;
		if (steps->set && (steps->n || !w->json))
			put_int(w, asserted, "required-steps", steps->n);
		add(w, o, "assertions", asserted);
	}
	opt(w, o, "working-directory", s->working_directory);
	opt_kvs(w, o, "environment", &s->environment);
	return o;
}

static struct outline *steps(const struct w *w, const struct bind_list *list)
{
	struct outline *o = node(w, OL_LIST);
	const struct step *s = list->v;
	for (size_t i = 0; i < list->n; i++)
		add(w, o, NULL, step(w, &s[i]));
	return o;
}

static struct outline *test(const struct w *w, const struct test *t)
{
	struct outline *o = map(w), *list = steps(w, &t->pipeline);
	nested(w, o, "environment", environment(w, &t->environment));
	if (w->json)
		add(w, o, "pipeline", list->n_items ? list : node(w, OL_NULL));
	else
		opt_nested(w, o, "pipeline", list);
	return o;
}

static struct outline *subpackages(const struct w *w, const struct config *c)
{
	struct outline *list = node(w, OL_LIST);
	const struct subpackage *s = c->subpackages.v;
	for (size_t i = 0; i < c->subpackages.n; i++) {
		if (s[i].skipped && !w->json)
			continue;
		struct outline *o = map(w);
		opt(w, o, "if", s[i].if_);
		put(w, o, "name", s[i].name.s);
		opt_nested(w, o, "pipeline", steps(w, &s[i].pipeline));
		nested(w, o, "dependencies", dependencies(w, &s[i].dependencies));
		opt_options(w, o, s[i].options);
		opt_scriptlets(w, o, s[i].scriptlets);
		opt(w, o, "description", s[i].description);
		opt_kvs(w, o, "annotations", &s[i].annotations);
		opt(w, o, "url", s[i].url);
		opt(w, o, "commit", s[i].commit);
		nested(w, o, "checks", checks(w, &s[i].checks.disabled));
		if (s[i].test)
			add(w, o, "test", test(w, s[i].test));
		opt_setcap(w, o, &s[i].setcap);
		add(w, list, NULL, o);
	}
	return list;
}

static void monitor(const struct w *w, struct outline *to, const char *key,
	const struct update_monitor *m)
{
	if (!m)
		return;
	struct outline *o = map(w);
	opt(w, o, "identifier", m->identifier);
	opt(w, o, "strip-prefix", m->strip_prefix);
	opt(w, o, "strip-suffix", m->strip_suffix);
	opt(w, o, "tag-filter", m->tag_filter);
	opt(w, o, "tag-filter-prefix", m->tag_filter_prefix);
	opt(w, o, "tag-filter-contains", m->tag_filter_contains);
	opt_bool(w, o, "use-tag", m->use_tags);
	add(w, to, key, o);
}

static void release_monitor(const struct w *w, struct outline *to, const struct release_monitor *m)
{
	if (!m)
		return;
	struct outline *o = map(w);
	put_int(w, o, "identifier", m->identifier);
	opt(w, o, "strip-prefix", m->strip_prefix);
	opt(w, o, "strip-suffix", m->strip_suffix);
	opt(w, o, "version-filter-contains", m->version_filter_contains);
	opt(w, o, "version-filter-prefix", m->version_filter_prefix);
	add(w, to, "release-monitor", o);
}

static void version_data(const struct w *w, struct outline *to, const struct version_data *d)
{
	if (!d)
		return;
	struct outline *o = map(w), *list = node(w, OL_LIST);
	opt(w, o, "version_format", d->version_format);
	const struct version_source *s = d->sources.v;
	for (size_t i = 0; i < d->sources.n; i++) {
		struct outline *item = map(w);
		opt(w, item, "name", s[i].name);
		opt(w, item, "stream", s[i].stream);
		opt_list(w, item, "ignore", &s[i].ignore);
		opt(w, item, "commit_source", s[i].commit_source);
		opt_bool(w, item, "use_release", s[i].use_release);
		add(w, list, NULL, item);
	}
	opt_nested(w, o, "sources", list);
	add(w, to, "version_data", o);
}

static struct outline *update(const struct w *w, const struct update *u)
{
	struct outline *o = map(w), *list = node(w, OL_LIST);
	if (!u->at && !w->json)
		return o;
	put_bool(w, o, "enabled", u->enabled);
	if (u->manual || !w->json)
		put_bool(w, o, "manual", u->manual);
	if (u->require_sequential || !w->json)
		put_bool(w, o, "require-sequential", u->require_sequential);
	opt_bool(w, o, "shared", u->shared);
	opt(w, o, "version-separator", u->version_separator);
	opt_list(w, o, "ignore-regex-patterns", &u->ignore_regex_patterns);
	release_monitor(w, o, u->release_monitor);
	monitor(w, o, "github", u->github);
	monitor(w, o, "git", u->git);
	monitor(w, o, "oci", u->oci);
	version_data(w, o, u->version_data);
	const struct version_transform *t = u->version_transform.v;
	for (size_t i = 0; i < u->version_transform.n; i++) {
		struct outline *item = map(w);
		put(w, item, "match", t[i].match.s);
		put(w, item, "replace", t[i].replace.s);
		add(w, list, NULL, item);
	}
	opt_nested(w, o, "version-transform", list);
	opt(w, o, "exclude-reason", u->exclude_reason);
	if (u->schedule) {
		struct outline *schedule = map(w);
		opt(w, schedule, "reason", u->schedule->reason);
		opt(w, schedule, "period", u->schedule->period);
		add(w, o, "schedule", schedule);
	}
	opt_bool(w, o, "enable-prerelease-tags", u->enable_prerelease_tags);
	return o;
}

static struct outline *transforms(const struct w *w, const struct bind_list *list)
{
	struct outline *o = node(w, OL_LIST);
	const struct transform *t = list->v;
	for (size_t i = 0; i < list->n; i++) {
		struct outline *item = map(w);
		put(w, item, "from", t[i].from.s);
		put(w, item, "match", t[i].match.s);
		put(w, item, "replace", t[i].replace.s);
		put(w, item, "to", t[i].to.s);
		add(w, o, NULL, item);
	}
	return o;
}

static int option_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct bind_map_item *)a)->key,
		((const struct bind_map_item *)b)->key);
}

static struct outline *options(const struct w *w, const struct config *c)
{
	struct outline *o = map(w);
	struct bind_map_item *items =
		arena_dup(w->a, c->options.v, c->options.n * sizeof(*items));
	if (c->options.n)
		qsort(items, c->options.n, sizeof(*items), option_cmp);
	for (size_t i = 0; i < c->options.n; i++) {
		const struct build_option *b = items[i].val;
		struct outline *item = map(w), *env = map(w), *contents = map(w), *packages = map(w);
		opt_kvs(w, item, "vars", &b->vars);
		opt_list(w, packages, "add", &b->environment.contents.packages.add);
		opt_list(w, packages, "remove", &b->environment.contents.packages.remove);
		opt_nested(w, contents, "packages", packages);
		opt_nested(w, env, "contents", contents);
		opt_nested(w, item, "environment", env);
		add(w, o, arena_strndup(w->a, items[i].key.p, items[i].key.n), item);
	}
	return o;
}

struct outline *outline_config(const struct config *c, enum outline_form form, struct arena *a)
{
	const struct w writer = { a, form == OUTLINE_JSON }, *w = &writer;
	struct outline *o = map(w), *caps = map(w);
	add(w, o, "package", package(w, &c->package));
	nested(w, o, "environment", environment(w, &c->environment));
	opt_list(w, caps, "add", &c->capabilities.add);
	opt_list(w, caps, "drop", &c->capabilities.drop);
	nested(w, o, "capabilities", caps);
	opt_nested(w, o, "pipeline", steps(w, &c->pipeline));
	opt_nested(w, o, "subpackages", subpackages(w, c));
	nested(w, o, "update", update(w, &c->update));
	opt_kvs(w, o, "vars", &c->vars);
	opt_nested(w, o, "var-transforms", transforms(w, &c->transforms));
	opt_nested(w, o, "options", options(w, c));
	if (c->test)
		add(w, o, "test", test(w, c->test));
	return o;
}
