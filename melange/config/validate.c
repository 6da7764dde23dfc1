#include "melange/config/validate.h"

#include "melange/config/capability.h"
#include "melange/config/scope.h"
#include "shared/apk/version.h"
#include "shared/base/log.h"
#include "shared/base/num.h"

#define SHOWN(s) STR_ARG(str_sub((s), 0, 60))

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static struct pos pos_of(struct ystr s, const struct ynode *otherwise)
{
	if (s.at)
		return s.at->pos;
	return otherwise ? otherwise->pos : (struct pos){ 0 };
}

/* Where what is missing belongs: the key that should hold it. */
static struct pos key_of(const struct ynode *map, const char *key, struct pos otherwise)
{
	const struct ynode *k = ynode_key(map, str_of(key));
	return k ? k->pos : otherwise;
}

/* The same one level down: the key below a map's key. */
static struct pos key_in(const struct ynode *map, const char *key, struct str below,
	struct pos otherwise)
{
	const struct ynode *k = ynode_key(ynode_get(map, key), below);
	return k ? k->pos : otherwise;
}

#define NAME_RULE "^[a-zA-Z\\d][a-zA-Z\\d+_.-]*$"

static void check_name(struct ystr name, struct pos missing, const char *what, struct diags *diags)
{
	bool ok = name.s.n && is_alnum(name.s.p[0]);
	for (size_t i = 0; i < name.s.n; i++) {
		char c = name.s.p[i];
		ok &= is_alnum(c) || c == '+' || c == '_' || c == '.' || c == '-';
	}
	if (name.s.n == 0)
		diags_add(diags, name.at ? name.at->pos : missing, "%s is required", what);
	else if (!ok)
		diags_add(diags, name.at ? name.at->pos : missing, "%s \"%.*s\" must match %s", what,
			SHOWN(name.s), NAME_RULE);
}

static void check_priority(struct ystr p, const char *what, struct str package,
	struct diags *diags)
{
	int64_t n;
	if (p.s.n && !num_i64(p.s, &n))
		diags_add(diags, pos_of(p, NULL), "%s \"%.*s\" must be an integer, in package \"%.*s\"",
			what, SHOWN(p.s), SHOWN(package));
}

static void check_priorities(const struct dependencies *d, struct str package,
	struct diags *diags)
{
	check_priority(d->provider_priority, "provider-priority", package, diags);
	check_priority(d->replaces_priority, "replaces-priority", package, diags);
}

static void check_step(const struct step *s, struct diags *diags)
{
	const struct step *src = s->source ? s->source : s;
	struct pos at = src->at ? src->at->pos : (struct pos){ 0 };
	if (s->uses.s.n && s->runs.s.n)
		diags_add(diags, key_of(src->at, "runs", at), "step has both \"uses\" and \"runs\"");
	if (s->with.n && !s->uses.s.n && s->runs.s.n)
		diags_add(diags, key_of(src->at, "with", at),
			"\"with\" cannot be combined with \"runs\"");
	else if (s->with.n && !s->uses.s.n)
		diags_add(diags, key_of(src->at, "with", at), "\"with\" needs \"uses\"");
	if (s->uses.s.n && s->pipeline.n)
		log_warn("%s:%d:%d: step has both uses and a pipeline: uses '%.*s' is ignored",
			at.file ? at.file : "", at.line, at.col, SHOWN(s->uses.s));
}

static void check_steps(const struct bind_list *list, struct diags *diags)
{
	const struct step *steps = list->v;
	for (size_t i = 0; i < list->n; i++) {
		check_step(&steps[i], diags);
		check_steps(&steps[i].pipeline, diags);
	}
}

static void check_cap_names(const struct setcap *cap, const struct ykv *kv, struct diags *diags)
{
	static const char *const known[] = { "cap_net_bind_service", "cap_net_admin", "cap_net_raw",
		"cap_ipc_lock", "cap_sys_admin" };
	struct str rest = kv->key, name;
	while (str_next(&rest, ',', &name)) {
		bool ok = false;
		name = str_trim(name);
		for (size_t j = 0; j < countof(known); j++)
			ok |= str_is(name, known[j]);
		if (!ok)
			diags_add(diags, key_in(cap->at, "add", kv->key, cap->at->pos),
				"unknown capability \"%.*s\" for path \"%.*s\"; known: %s, %s, %s, %s, %s",
				SHOWN(name), SHOWN(cap->path.s), known[0], known[1], known[2],
				known[3], known[4]);
	}
}

static void check_cap_sets(const struct setcap *cap, const struct ykv *kv, struct diags *diags)
{
	struct str value = kv->val.s;
	if (value.n && (value.p[0] == '+' || value.p[0] == '='))
		value = str_from(value, 1);
	bool letters = value.n > 0;
	for (size_t j = 0; j < value.n; j++)
		letters &= value.p[j] == 'e' || value.p[j] == 'i' || value.p[j] == 'p';
	if (!letters)
		diags_add(diags, pos_of(kv->val, cap->at),
			"capability sets \"%.*s\" must be '+' or '=' and letters of e, i, p",
			SHOWN(kv->val.s));
}

static void check_setcap(const struct bind_list *list, struct diags *diags)
{
	const struct setcap *caps = list->v;
	for (size_t i = 0; i < list->n; i++) {
		const struct setcap *cap = &caps[i];
		if (!cap->at)
			continue;
		if (cap->path.s.n == 0)
			diags_add(diags, cap->at->pos, "setcap entry needs a path");
		if (cap->reason.s.n == 0)
			diags_add(diags, cap->at->pos, "setcap entry for \"%.*s\" needs a reason",
				SHOWN(cap->path.s));
		for (size_t k = 0; k < cap->add.n; k++) {
			check_cap_names(cap, &cap->add.v[k], diags);
			check_cap_sets(cap, &cap->add.v[k], diags);
		}
	}
}

static bool is_cpe_text(struct str s)
{
	for (size_t k = 0; k < s.n; k++) {
		char c = s.p[k];
		bool first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!first && (k == 0 || !(c == '+' || c == '_' || c == '.' || c == '-')))
			return false;
	}
	return true;
}

static void check_cpe(const struct package *p, struct diags *diags)
{
	const struct cpe *c = &p->cpe;
	const struct {
		const char *name;
		const struct ystr *value;
	} fields[] = {
		{ "vendor", &c->vendor }, { "product", &c->product }, { "edition", &c->edition },
		{ "language", &c->language }, { "sw_edition", &c->sw_edition },
		{ "target_sw", &c->target_sw }, { "target_hw", &c->target_hw },
		{ "other", &c->other },
	};
	for (size_t i = 0; i < countof(fields); i++) {
		struct ystr v = *fields[i].value;
		if (!is_cpe_text(v.s))
			diags_add(diags, pos_of(v, p->at),
				"package.cpe.%s \"%.*s\" must match ^[a-z\\d][a-z\\d+_.-]*$",
				fields[i].name, SHOWN(v.s));
	}
	if (c->part.s.n && !str_is(c->part.s, "a") && !str_is(c->part.s, "o"))
		diags_add(diags, pos_of(c->part, p->at), "package.cpe.part \"%.*s\" must be a or o",
			SHOWN(c->part.s));
	if ((c->vendor.s.n == 0) != (c->product.s.n == 0))
		diags_add(diags, key_of(p->at, "cpe", p->at ? p->at->pos : (struct pos){ 0 }),
			"package.cpe.%s is required: vendor and product go together",
			c->vendor.s.n ? "product" : "vendor");
}

/* The text of a licence is read beneath the workspace. */
static void check_copyright(const struct package *p, struct diags *diags)
{
	const struct copyright *c = p->copyright.v;
	for (size_t i = 0; i < p->copyright.n; i++) {
		struct str rest = c[i].license_path.s, part;
		bool outside = rest.n && rest.p[0] == '/';
		while (str_next(&rest, '/', &part))
			outside |= str_is(part, "..");
		if (outside)
			diags_add(diags, pos_of(c[i].license_path, c[i].at),
				"package.copyright[%zu].license-path must stay inside the workspace", i);
	}
}

static void check_capabilities(const struct ystrs *list, struct diags *diags)
{
	for (size_t i = 0; i < list->n; i++)
		if (!capability_known(list->v[i].s))
			diags_add(diags, pos_of(list->v[i], NULL), "unknown capability \"%.*s\"",
				SHOWN(list->v[i].s));
}

/* What looks like a variable and is none stays as text: probably not what was meant. */
static void warn_tokens(struct ystr text, const char *what)
{
	struct pos at = pos_of(text, NULL);
	if (subst_any(text.s))
		log_warn("%s:%d:%d: %s holds a variable reference that is not replaced",
			at.file ? at.file : "", at.line, at.col, what);
}

/* Keys of an image's description that a guest has no use for. */
static void warn_environment(const struct imgconf *env)
{
	static const char *const top[] = { "include", "layering", "format" };
	static const char *const contents[] = { "runtime_repositories", "runtime_keyring" };
	const struct ynode *found[countof(top) + countof(contents)] = { 0 };
	for (size_t i = 0; i < countof(top); i++)
		found[i] = ynode_key(env->at, str_of(top[i]));
	for (size_t i = 0; i < countof(contents); i++)
		found[countof(top) + i] =
			ynode_key(ynode_get(env->at, "contents"), str_of(contents[i]));
	for (size_t i = 0; i < countof(found); i++)
		if (found[i])
			log_warn("%s:%d:%d: '%.*s' has no effect in a build file", found[i]->pos.file,
				found[i]->pos.line, found[i]->pos.col, STR_ARG(found[i]->text));
}

static void check_unique(struct map *names, const struct config *c, const struct subpackage *s,
	struct diags *diags)
{
	struct pos at = pos_of(s->name, s->at);
	if (s->name.s.n == 0)
		return;
	const struct ystr *first = map_get(names, s->name.s);
	if (!first) {
		(void)map_put(names, s->name.s, (void *)&s->name);
		return;
	}
	struct pos other = first->at ? first->at->pos : (struct pos){ 0 };
	if (first == &c->package.name)
		diags_add(diags, at, "subpackage name \"%.*s\" is already the main package\n"
			"note: the main package is at %s:%d:%d", SHOWN(s->name.s), other.file,
			other.line, other.col);
	else
		diags_add(diags, at, "duplicate subpackage name \"%.*s\"\nnote: first at %s:%d:%d",
			SHOWN(s->name.s), other.file ? other.file : "", other.line, other.col);
}

static void check_subpackages(const struct config *c, struct diags *diags)
{
	const struct subpackage *subs = c->subpackages.v;
	auto_arena struct arena a = ARENA_INIT;
	auto_map struct map names;
	map_init(&names, &a);
	if (c->package.name.s.n && c->package.name.at)
		(void)map_put(&names, c->package.name.s, (void *)&c->package.name);
	for (size_t i = 0; i < c->subpackages.n; i++) {
		const struct subpackage *s = &subs[i];
		const struct diag_note note = { .text = s->range_note, .up = diags->note };
		if (s->range_note)
			diags->note = &note;
		check_name(s->name, s->at ? s->at->pos : c->doc->root->pos, "subpackage name", diags);
		check_unique(&names, c, s, diags);
		warn_tokens(s->description, "description");
		warn_tokens(s->url, "url");
		check_priorities(&s->dependencies, s->name.s, diags);
		check_setcap(&s->setcap, diags);
		diags->note = note.up;
	}
}

static void check_all_steps(const struct config *c, struct diags *diags)
{
	const struct subpackage *subs = c->subpackages.v;
	check_steps(&c->pipeline, diags);
	if (c->test)
		check_steps(&c->test->pipeline, diags);
	for (size_t i = 0; i < c->subpackages.n; i++) {
		const struct diag_note note = { .text = subs[i].range_note, .up = diags->note };
		if (subs[i].range_note)
			diags->note = &note;
		check_steps(&subs[i].pipeline, diags);
		if (subs[i].test)
			check_steps(&subs[i].test->pipeline, diags);
		diags->note = note.up;
	}
}

static void check_version(const struct config *c, struct pos missing, bool any,
	struct diags *diags)
{
	const struct ystr *v = &c->package.version;
	if (v->s.n == 0)
		diags_add(diags, v->at ? v->at->pos : missing, "package.version is required");
	else if (any && !apk_version_valid(v->s))
		log_warn("package.version \"%.*s\" is not an apk version", SHOWN(v->s));
	else if (!apk_version_valid(v->s))
		diags_add(diags, pos_of(*v, NULL), "package.version \"%.*s\" is not an apk version\n"
			"hint: write it as 1.2.3, with suffixes such as _rc1 or _p2", SHOWN(v->s));
}

void validate(const struct config *c, const struct load_opts *opts, struct diags *diags)
{
	const struct package *p = &c->package;
	struct pos package = key_of(c->doc->root, "package", c->doc->root->pos);
	check_name(p->name, package, "package.name", diags);
	check_version(c, package, opts->any_version, diags);
	check_priorities(&p->dependencies, p->name.s, diags);
	if (!opts->recorded)
		check_all_steps(c, diags);
	check_setcap(&p->setcap, diags);
	check_subpackages(c, diags);
	warn_environment(&c->environment);
	if (c->test)
		warn_environment(&c->test->environment);
	warn_tokens(p->description, "package.description");
	warn_tokens(p->url, "package.url");
	check_cpe(p, diags);
	check_copyright(p, diags);
	check_capabilities(&c->capabilities.add, diags);
	check_capabilities(&c->capabilities.drop, diags);
	validate_update(&c->update);
}
