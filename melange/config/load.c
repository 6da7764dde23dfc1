#include "melange/config/load.h"

#include <unistd.h>

#include "melange/config/envfile.h"
#include "melange/config/facts.h"
#include "melange/config/options.h"
#include "melange/config/pass.h"
#include "melange/config/schema.h"
#include "melange/config/validate.h"
#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/os/gitrev.h"
#include "shared/os/path.h"

#define MAX_FILE ((size_t)64 << 20)

struct loading {
	struct config *c;
	const struct load_opts *opts;
	struct arena *a;
	struct diags diags;
	struct scope scope;
};

struct str config_full_name(const struct config *c, struct arena *a)
{
	struct str version = package_full_version(&c->package, a);
	return arena_strf(a, "%.*s-%.*s", STR_ARG(c->package.name.s), STR_ARG(version));
}

/* --vars-file: one map of texts, laid over `vars`. */
static bool vars_file(struct loading *l, struct err *err)
{
	struct ydoc doc;
	if (!l->opts->vars_file)
		return true;
	if (!ydoc_load(l->opts->vars_file, l->a, &doc, err))
		return false;
	if (!doc.root)
		return err_set(err, EK_PARSE, "loading variables file: '%s' is empty",
			l->opts->vars_file);
	static const struct bind_field fields[] = { { "vars", BIND_KVS, 0, NULL, NULL, 0 }, { 0 } };
	static const struct bind_schema schema = { "the variables file", sizeof(struct ykvs), fields,
		BIND_NO_NODE, false };
	struct ynode key = { .kind = YN_SCALAR, .text = S("vars"), .pos = doc.root->pos };
	struct ypair pair = { &key, doc.root };
	struct ynode wrap = { .kind = YN_MAP, .pos = doc.root->pos, .pairs = &pair, .n = 1 };
	struct ykvs vars = { 0 };
	struct diags diags;
	diags_init(&diags, l->a, &doc);
	bind_struct(&schema, &wrap, &vars, l->a, &diags);
	if (!diags_ok(&diags, err))
		return false;
	for (size_t i = 0; i < vars.n; i++)
		ykvs_set(l->a, &l->c->vars, vars.v[i].key, vars.v[i].val);
	return true;
}

static bool bind_text(struct loading *l, struct str text, const char *path, struct err *err)
{
	struct ydoc *doc = arena_new(l->a, struct ydoc);
	diags_init(&l->diags, l->a, doc);
	if (!ydoc_parse_into(text, path, l->a, doc, &l->diags))
		return diags_ok(&l->diags, err);
	if (!doc->root)
		diags_add(&l->diags, (struct pos){ doc->file, 1, 1 }, "empty configuration\n"
			"hint: a build file needs at least package.name and package.version");
	bind_struct(&config_schema, doc->root, l->c, l->a, &l->diags);
	l->c->doc = doc;
	return diags_ok(&l->diags, err);
}

static void set_default(struct arena *a, struct ykvs *env, struct str key, struct str value)
{
	const struct ystr *have = ykvs_get(env, key);
	if (!have || have->s.n == 0)
		ykvs_set(a, env, key, (struct ystr){ value, NULL });
}

static bool env_files(struct loading *l, struct err *err)
{
	const struct strs *files = l->opts->env_files;
	struct ykvs *env = &l->c->environment.environment;
	for (size_t i = 0; files && i < files->n; i++) {
		struct ykvs read = { 0 };
		if (!envfile_load(files->v[i].p, l->a, &read, err))
			return false;
		for (size_t k = 0; k < read.n; k++)
			if (!ykvs_get(env, read.v[k].key))
				ykvs_set(l->a, env, read.v[k].key, read.v[k].val);
	}
	return true;
}

static void default_env(struct loading *l)
{
	static const struct {
		const char *key, *value;
	} defaults[] = {
		{ "HOME", "/home/build" },
		{ "GOPATH", "/home/build/.cache/go" },
		{ "GOMODCACHE", "/var/cache/melange/gomodcache" },
		{ "UV_CACHE_DIR", "/var/cache/melange/uv" },
		{ "PIP_CACHE_DIR", "/var/cache/melange/pip" },
		{ "COMPOSER_CACHE_DIR", "/var/cache/melange/composer" },
		{ "npm_config_cache", "/var/cache/melange/npm" },
	};
	for (size_t i = 0; i < countof(defaults); i++)
		set_default(l->a, &l->c->environment.environment, str_of(defaults[i].key),
			str_of(defaults[i].value));
}

/* Subpackages have their origin's commit unless they name one. */
static void inherit_commit(struct config *c)
{
	struct subpackage *subs = c->subpackages.v;
	for (size_t i = 0; i < c->subpackages.n; i++)
		if (subs[i].commit.s.n == 0)
			subs[i].commit = c->package.commit;
}

static void find_commit(struct loading *l, const char *path)
{
	struct ystr *commit = &l->c->package.commit;
	if (commit->s.n)
		return;
	if (l->opts->commit) {
		commit->s = arena_str(l->a, str_of(l->opts->commit));
		return;
	}
	if (!l->opts->detect_commit)
		return;
	struct str dir = path_dir(str_of(path_abs(l->a, path)));
	const char *head = gitrev_head(dir.n ? arena_strndup(l->a, dir.p, dir.n) : "/", l->a);
	if (!head)
		log_warn("unable to detect git commit for build configuration: not in a git repository");
	commit->s = str_of(head ? head : "unknown");
}

static void override(struct ystr *field, struct ystr by)
{
	if (by.s.n)
		*field = by;
}

static void resources(struct loading *l)
{
	struct resources *r = &l->c->package.resources;
	override(&r->cpu, l->opts->resources.cpu);
	override(&r->cpumodel, l->opts->resources.cpumodel);
	override(&r->memory, l->opts->resources.memory);
	override(&r->disk, l->opts->resources.disk);
	if (l->opts->timeout)
		l->c->package.timeout = l->opts->timeout;
}

static bool finish_environments(struct loading *l, struct err *err)
{
	struct config *c = l->c;
	pass_build_user(&c->environment, l->a);
	if (c->test)
		pass_build_user(&c->test->environment, l->a);
	struct subpackage *subs = c->subpackages.v;
	for (size_t i = 0; i < c->subpackages.n; i++)
		if (subs[i].test && subs[i].test->pipeline.n)
			pass_build_user(&subs[i].test->environment, l->a);
	if (!env_files(l, err))
		return false;
	default_env(l);
	return true;
}

static bool load(struct loading *l, struct str text, const char *path, struct err *err)
{
	if (!bind_text(l, text, path, err) || !vars_file(l, err))
		return false;
	options_apply(l->c, l->opts->build_options, l->a);
	scope_package(&l->scope, l->c, l->a);
	scope_vars(&l->scope, l->c, l->a, &l->diags);
	pass_values(l->c, &l->scope, l->a, &l->diags);
	if (!finish_environments(l, err))
		return false;
	pass_inherit(l->c, l->a);
	resources(l);
	find_commit(l, path);
	inherit_commit(l->c);
	validate(l->c, l->opts, &l->diags);
	return diags_ok(&l->diags, err);
}

bool config_parse(struct str text, const char *path, const struct load_opts *opts, struct arena *a,
	struct config *ret, struct err *err)
{
	struct config c = { 0 };
	struct loading l = { .c = &c, .opts = opts, .a = a };
	scope_init(&l.scope, NULL, a);
	bool ok = load(&l, text, path, err);
	scope_release(&l.scope);
	if (ok)
		*ret = c;
	return ok;
}

bool config_load(const char *path, const struct load_opts *opts, struct arena *a,
	struct config *ret, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_FILE);
	return file_read(path, &text, err) &&
		config_parse(buf_str(&text), path, opts, a, ret, err);
}
