#include "melange/config/pass.h"

#include <stdlib.h>
#include <string.h>

#include "melange/config/transform.h"
#include "shared/base/buf.h"
#include "shared/base/match.h"

#define BUILD_ID 1000

void scope_package(struct scope *s, const struct config *c, struct arena *a)
{
	const struct package *p = &c->package;
	scope_set(s, S("package.name"), p->name);
	scope_set(s, S("package.version"), p->version);
	scope_set_text(s, "package.epoch", arena_strf(a, "%llu", (unsigned long long)p->epoch));
	scope_set_text(s, "package.full-version",
		arena_strf(a, "%.*s-r%llu", STR_ARG(p->version.s), (unsigned long long)p->epoch));
	scope_set(s, S("package.description"), p->description);
}

void scope_vars(struct scope *s, const struct config *c, struct arena *a, struct diags *diags)
{
	for (size_t i = 0; i < c->vars.n; i++)
		scope_set(s, arena_strf(a, "vars.%.*s", STR_ARG(c->vars.v[i].key)),
			c->vars.v[i].val);
	const struct transform *t = c->transforms.v;
	for (size_t i = 0; i < c->transforms.n; i++) {
		const struct subst x = { .scope = s, .arena = a, .diags = diags,
			.mode = SUBST_STRICT, .where = "var-transforms" };
		struct str from = subst(&x, t[i].from).s, result;
		const char *what;
		if (!transform_replace(from, t[i].match.s, t[i].replace.s, a, &result, &what)) {
			struct pos at = t[i].match.at ? t[i].match.at->pos : t[i].at->pos;
			diags_add(diags, at, "var-transforms[%zu].match: invalid regular expression: %s",
				i, what);
			continue;
		}
		scope_set(s, arena_strf(a, "vars.%.*s", STR_ARG(t[i].to.s)),
			(struct ystr){ result, t[i].replace.at });
	}
}

static struct subst lax_in(const struct scope *s, struct arena *a, struct diags *d)
{
	return (struct subst){ .scope = s, .arena = a, .diags = d, .mode = SUBST_LAX };
}

static struct subst strict_in(const struct scope *s, struct arena *a, struct diags *d)
{
	return (struct subst){ .scope = s, .arena = a, .diags = d, .mode = SUBST_STRICT,
		.where = "dependencies" };
}

/* Vars that refer to each other are an error even when nothing uses them. */
static void check_cycles(const struct config *c, const struct subst *lax)
{
	struct subst lenient = *lax;
	lenient.mode = SUBST_TRY;
	for (size_t i = 0; i < c->vars.n; i++) {
		struct ystr token = { arena_strf(lax->arena, "${{vars.%.*s}}",
			STR_ARG(c->vars.v[i].key)), NULL };
		if (subst_any(c->vars.v[i].val.s))
			(void)subst(&lenient, token);
	}
}

struct bind_list pass_steps(const struct subst *x, const struct bind_list *in)
{
	const struct step *steps = in->v;
	if (!subst_charge(x, in->n * SUBST_STEP))
		return (struct bind_list){ 0 };
	struct step *out = arena_array(x->arena, struct step, in->n ? in->n : 1);
	for (size_t i = 0; i < in->n; i++) {
		const struct step *s = &steps[i];
		struct step *t = &out[i];
		*t = *s;
		t->source = s->source ? s->source : s;
		t->name = subst(x, s->name);
		t->runs = subst(x, s->runs);
		t->working_directory = subst(x, s->working_directory);
		subst_kvs(x, &s->with, &t->with);
		subst_kvs(x, &s->environment, &t->environment);
		subst_list(x, &s->needs.packages, &t->needs.packages);
		t->pipeline = pass_steps(x, &s->pipeline);
	}
	return (struct bind_list){ out, in->n };
}

static void pass_env(const struct subst *lax, const struct subst *strict, struct imgconf *c)
{
	subst_list(lax, &c->contents.keyring, &c->contents.keyring);
	subst_list(lax, &c->contents.repositories, &c->contents.repositories);
	subst_list(lax, &c->contents.build_repositories, &c->contents.build_repositories);
	struct subst packages = *strict;
	packages.where = "environment packages";
	subst_list(&packages, &c->contents.packages, &c->contents.packages);
	subst_kvs(lax, &c->environment, &c->environment);
	subst_kvs(lax, &c->annotations, &c->annotations);
	subst_list(lax, &c->volumes, &c->volumes);
	c->cmd = subst(lax, c->cmd);
	c->stop_signal = subst(lax, c->stop_signal);
	c->work_dir = subst(lax, c->work_dir);
	c->vcs_url = subst(lax, c->vcs_url);
	c->entrypoint.type = subst(lax, c->entrypoint.type);
	c->entrypoint.command = subst(lax, c->entrypoint.command);
	c->entrypoint.shell_fragment = subst(lax, c->entrypoint.shell_fragment);
}

static void pass_deps(const struct subst *strict, struct dependencies *d)
{
	subst_list(strict, &d->runtime, &d->runtime);
	subst_list(strict, &d->provides, &d->provides);
	subst_list(strict, &d->replaces, &d->replaces);
	d->provider_priority = subst(strict, d->provider_priority);
	d->replaces_priority = subst(strict, d->replaces_priority);
}

static struct scriptlets *pass_scriptlets(const struct subst *lax, const struct scriptlets *in)
{
	if (!in)
		return NULL;
	struct scriptlets *s = arena_dup(lax->arena, in, sizeof(*in));
	struct ystr *texts[] = { &s->trigger.script, &s->pre_install, &s->post_install,
		&s->pre_deinstall, &s->post_deinstall, &s->pre_upgrade, &s->post_upgrade };
	for (size_t i = 0; i < countof(texts); i++)
		*texts[i] = subst(lax, *texts[i]);
	subst_list(lax, &s->trigger.paths, &s->trigger.paths);
	return s;
}

static struct test *pass_test(const struct subst *lax, const struct subst *strict,
	const struct test *in)
{
	if (!in)
		return NULL;
	struct test *t = arena_dup(lax->arena, in, sizeof(*in));
	imgconf_copy(&in->environment, lax->arena, &t->environment);
	pass_env(lax, strict, &t->environment);
	t->pipeline = pass_steps(lax, &in->pipeline);
	return t;
}

static void pass_package(const struct subst *lax, const struct subst *strict, struct package *p)
{
	p->name = subst(lax, p->name);
	p->version = subst(lax, p->version);
	p->description = subst(lax, p->description);
	p->url = subst(lax, p->url);
	subst_kvs(lax, &p->annotations, &p->annotations);
	subst_list(lax, &p->target_architecture, &p->target_architecture);
	struct copyright *c = p->copyright.v;
	for (size_t i = 0; i < p->copyright.n; i++) {
		c[i].license = subst(lax, c[i].license);
		c[i].license_path = subst(lax, c[i].license_path);
		subst_list(lax, &c[i].paths, &c[i].paths);
	}
	pass_deps(strict, &p->dependencies);
	p->scriptlets = pass_scriptlets(lax, p->scriptlets);
}

static void pass_monitor(const struct subst *lax, struct update_monitor *m)
{
	if (!m)
		return;
	m->identifier = subst(lax, m->identifier);
	m->tag_filter = subst(lax, m->tag_filter);
	m->tag_filter_prefix = subst(lax, m->tag_filter_prefix);
	m->tag_filter_contains = subst(lax, m->tag_filter_contains);
}

static void pass_update(const struct subst *lax, struct update *u)
{
	pass_monitor(lax, u->github);
	if (u->git) {
		u->git->tag_filter_prefix = subst(lax, u->git->tag_filter_prefix);
		u->git->tag_filter_contains = subst(lax, u->git->tag_filter_contains);
	}
	if (u->release_monitor) {
		struct release_monitor *r = u->release_monitor;
		r->version_filter_contains = subst(lax, r->version_filter_contains);
		r->version_filter_prefix = subst(lax, r->version_filter_prefix);
	}
}

static struct subpackage pass_subpackage(const struct subst *lax, const struct subst *strict,
	const struct subpackage *in)
{
	struct subpackage s = *in;
	struct subst cond = *lax;
	cond.mode = SUBST_COND_TRY;
	s.if_ = subst(&cond, in->if_);
	s.name = subst(lax, in->name);
	s.description = subst(lax, in->description);
	s.url = subst(lax, in->url);
	subst_kvs(lax, &in->annotations, &s.annotations);
	pass_deps(strict, &s.dependencies);
	s.scriptlets = pass_scriptlets(lax, in->scriptlets);
	s.pipeline = pass_steps(lax, &in->pipeline);
	s.test = pass_test(lax, strict, in->test);
	return s;
}

static int kv_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct ykv *)a)->key, ((const struct ykv *)b)->key);
}

static const struct data_set *find_data(const struct config *c, struct str name)
{
	const struct data_set *d = c->data.v;
	for (size_t i = 0; i < c->data.n; i++)
		if (str_eq(d[i].name.s, name))
			return &d[i];
	return NULL;
}

struct subpackages {
	struct subpackage *v;
	size_t n, cap;
};

static void undefined_range(const struct config *c, const struct subpackage *in, struct arena *a,
	struct diags *diags)
{
	struct pos at = in->range.at ? in->range.at->pos : in->at->pos;
	auto_buf struct buf known = BUF_INIT(1024);
	const struct data_set *d = c->data.v;
	const char **names = arena_array(a, const char *, c->data.n + 1);
	for (size_t i = 0; i < c->data.n; i++) {
		names[i] = arena_strndup(a, d[i].name.s.p, d[i].name.s.n);
		buf_printf(&known, "%s%s", i ? ", " : "; known: ", names[i]);
	}
	const char *near = match_nearest(in->range.s, names, c->data.n);
	diags_add(diags, at, "undefined range \"%.*s\"%s%s%s%s", STR_ARG(str_sub(in->range.s, 0, 60)),
		known.n ? known.p : "; known: none, there is no data",
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* One copy per item of the named data, keys sorted. */
static void expand_range(const struct config *c, const struct subpackage *in,
	const struct scope *scope, struct arena *a, struct diags *diags, struct subpackages *out)
{
	const struct data_set *d = find_data(c, in->range.s);
	if (!d) {
		undefined_range(c, in, a, diags);
		return;
	}
	struct ykv *items = arena_dup(a, d->items.v, d->items.n * sizeof(*items));
	if (d->items.n)
		qsort(items, d->items.n, sizeof(*items), kv_cmp);
	for (size_t i = 0; i < d->items.n; i++) {
		struct scope inner;
		const struct diag_note note = {
			.text = arena_printf(a, "in range %.*s item %.*s", STR_ARG(in->range.s),
				STR_ARG(items[i].key)),
			.up = diags->note,
		};
		scope_init(&inner, scope, a);
		scope_set_text(&inner, "range.key", items[i].key);
		scope_set(&inner, S("range.value"), items[i].val);
		struct subst lax = lax_in(&inner, a, diags), strict = strict_in(&inner, a, diags);
		bool affordable = subst_charge(&lax, SUBST_STEP);
		diags->note = &note;
		struct subpackage s = affordable ? pass_subpackage(&lax, &strict, in) : *in;
		diags->note = note.up;
		s.range = (struct ystr){ 0 };
		s.range_key = items[i].key;
		s.range_value = items[i].val.s;
		s.range_note = note.text;
		scope_release(&inner);
		if (!affordable)
			return;
		vec_push(a, out, s);
	}
}

static void pass_subpackages(struct config *c, const struct scope *scope, struct arena *a,
	struct diags *diags)
{
	struct subpackages out = { 0 };
	const struct subpackage *in = c->subpackages.v;
	struct subst lax = lax_in(scope, a, diags), strict = strict_in(scope, a, diags);
	for (size_t i = 0; i < c->subpackages.n; i++) {
		if (in[i].range.s.n)
			expand_range(c, &in[i], scope, a, diags, &out);
		else
			vec_push(a, &out, pass_subpackage(&lax, &strict, &in[i]));
	}
	c->subpackages = (struct bind_list){ out.v, out.n };
}

static void check_data(const struct config *c, struct diags *diags)
{
	const struct data_set *d = c->data.v;
	for (size_t i = 0; i < c->data.n; i++)
		if (find_data(c, d[i].name.s) != &d[i])
			diags_add(diags, d[i].name.at ? d[i].name.at->pos : d[i].at->pos,
				"duplicate data \"%.*s\"", STR_ARG(str_sub(d[i].name.s, 0, 60)));
}

void pass_values(struct config *c, const struct scope *scope, struct arena *a,
	struct diags *diags)
{
	struct subst lax = lax_in(scope, a, diags), strict = strict_in(scope, a, diags);
	check_data(c, diags);
	check_cycles(c, &lax);
	c->pipeline = pass_steps(&lax, &c->pipeline);
	pass_subpackages(c, scope, a, diags);
	pass_env(&lax, &strict, &c->environment);
	c->test = pass_test(&lax, &strict, c->test);
	pass_update(&lax, &c->update);
	pass_package(&lax, &strict, &c->package);
}

static void inherit(struct step *s, const struct step *parent, struct arena *a)
{
	if (parent) {
		if (s->working_directory.s.n == 0)
			s->working_directory = parent->working_directory;
		struct ykvs env = { 0 };
		for (size_t i = 0; i < parent->environment.n; i++)
			ykvs_set(a, &env, parent->environment.v[i].key, parent->environment.v[i].val);
		for (size_t i = 0; i < s->environment.n; i++)
			ykvs_set(a, &env, s->environment.v[i].key, s->environment.v[i].val);
		s->environment = env;
	}
	struct step *kids = s->pipeline.v;
	for (size_t i = 0; i < s->pipeline.n; i++)
		inherit(&kids[i], s, a);
}

static void inherit_all(struct bind_list *list, struct arena *a)
{
	struct step *steps = list->v;
	for (size_t i = 0; i < list->n; i++)
		inherit(&steps[i], NULL, a);
}

void pass_inherit(struct config *c, struct arena *a)
{
	inherit_all(&c->pipeline, a);
	struct subpackage *subs = c->subpackages.v;
	for (size_t i = 0; i < c->subpackages.n; i++)
		inherit_all(&subs[i].pipeline, a);
}

/* A list with one more element of `size` bytes at its end. */
static void *append(struct bind_list *list, size_t size, struct arena *a)
{
	char *grown = arena_array_(a, size, list->n + 1);
	if (list->n)
		memcpy(grown, list->v, list->n * size);
	list->v = grown;
	return grown + list->n++ * size;
}

void pass_build_user(struct imgconf *env, struct arena *a)
{
	const struct imgconf_group *groups = env->accounts.groups.v;
	const struct imgconf_user *users = env->accounts.users.v;
	bool has_group = false, has_user = false;
	for (size_t i = 0; i < env->accounts.groups.n; i++)
		has_group |= str_is(groups[i].groupname.s, "build");
	for (size_t i = 0; i < env->accounts.users.n; i++)
		has_user |= str_is(users[i].username.s, "build");
	struct opt_int id = { BUILD_ID, true };
	if (!has_group) {
		struct imgconf_group *g = append(&env->accounts.groups, sizeof(*g), a);
		*g = (struct imgconf_group){ .groupname = { S("build"), NULL }, .gid = id };
		vec_push(a, &g->members, (struct ystr){ S("build"), NULL });
	}
	if (!has_user) {
		struct imgconf_user *u = append(&env->accounts.users, sizeof(*u), a);
		*u = (struct imgconf_user){ .username = { S("build"), NULL }, .uid = id, .gid = id };
	}
}
