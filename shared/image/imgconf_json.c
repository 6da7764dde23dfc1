#include "shared/image/imgconf.h"

#include <stdlib.h>
#include <string.h>

#include "shared/text/jwrite.h"

/* /etc/apko.json: keys in this order, empty ones left out but contents, entrypoint, accounts. */

static void strings(struct jwrite *w, const char *key, const struct ystrs *list)
{
	if (list->n == 0)
		return;
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < list->n; i++)
		jw_str(w, list->v[i].s);
	jw_array_end(w);
}

static int kv_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct ykv *)a)->key, ((const struct ykv *)b)->key);
}

static void pairs(struct jwrite *w, const char *key, const struct ykvs *kv)
{
	auto_arena struct arena a = ARENA_INIT;
	if (kv->n == 0)
		return;
	struct ykv *sorted = arena_dup(&a, kv->v, kv->n * sizeof(*sorted));
	qsort(sorted, kv->n, sizeof(*sorted), kv_cmp);
	jw_key(w, key);
	jw_object(w);
	for (size_t i = 0; i < kv->n; i++) {
		jw_key_str(w, sorted[i].key);
		jw_str(w, sorted[i].val.s);
	}
	jw_object_end(w);
}

static void opt_int(struct jwrite *w, const char *key, struct opt_int n)
{
	if (n.set)
		jw_kint(w, key, n.n);
}

static void nonzero(struct jwrite *w, const char *key, int64_t n)
{
	if (n)
		jw_kint(w, key, n);
}

static void contents(struct jwrite *w, const struct imgconf *c)
{
	jw_key(w, "contents");
	jw_object(w);
	strings(w, "build_repositories", &c->contents.build_repositories);
	strings(w, "runtime_repositories", &c->contents.runtime_repositories);
	strings(w, "repositories", &c->contents.repositories);
	strings(w, "keyring", &c->contents.keyring);
	const struct imgconf_key *keys = c->contents.runtime_keyring.v;
	if (c->contents.runtime_keyring.n) {
		jw_key(w, "runtime_keyring");
		jw_array(w);
		for (size_t i = 0; i < c->contents.runtime_keyring.n; i++) {
			jw_object(w);
			jw_kstr(w, "name", keys[i].name.s);
			jw_kstr(w, "content", keys[i].content.s);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	strings(w, "packages", &c->contents.packages);
	if (c->contents.baseimage) {
		jw_key(w, "baseimage");
		jw_object(w);
		jw_kstr_opt(w, "image", c->contents.baseimage->image.s);
		jw_kstr_opt(w, "apkindex", c->contents.baseimage->apkindex.s);
		jw_object_end(w);
	}
	jw_object_end(w);
}

static void entrypoint(struct jwrite *w, const struct imgconf *c)
{
	jw_key(w, "entrypoint");
	jw_object(w);
	jw_kstr_opt(w, "type", c->entrypoint.type.s);
	jw_kstr_opt(w, "command", c->entrypoint.command.s);
	jw_kstr_opt(w, "shell-fragment", c->entrypoint.shell_fragment.s);
	pairs(w, "services", &c->entrypoint.services);
	jw_object_end(w);
}

static void users(struct jwrite *w, const struct imgconf *c)
{
	const struct imgconf_user *u = c->accounts.users.v;
	if (c->accounts.users.n == 0)
		return;
	jw_key(w, "users");
	jw_array(w);
	for (size_t i = 0; i < c->accounts.users.n; i++) {
		jw_object(w);
		jw_kstr_opt(w, "username", u[i].username.s);
		nonzero(w, "uid", u[i].uid.n);
		opt_int(w, "gid", u[i].gid);
		jw_kstr_opt(w, "shell", u[i].shell.s);
		jw_kstr_opt(w, "homedir", u[i].homedir.s);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void groups(struct jwrite *w, const struct imgconf *c)
{
	const struct imgconf_group *g = c->accounts.groups.v;
	if (c->accounts.groups.n == 0)
		return;
	jw_key(w, "groups");
	jw_array(w);
	for (size_t i = 0; i < c->accounts.groups.n; i++) {
		jw_object(w);
		jw_kstr_opt(w, "groupname", g[i].groupname.s);
		nonzero(w, "gid", g[i].gid.n);
		strings(w, "members", &g[i].members);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void paths(struct jwrite *w, const struct imgconf *c)
{
	const struct imgconf_path *p = c->paths.v;
	if (c->paths.n == 0)
		return;
	jw_key(w, "paths");
	jw_array(w);
	for (size_t i = 0; i < c->paths.n; i++) {
		jw_object(w);
		jw_kstr_opt(w, "path", p[i].path.s);
		jw_kstr_opt(w, "type", p[i].type.s);
		opt_int(w, "uid", p[i].uid);
		opt_int(w, "gid", p[i].gid);
		nonzero(w, "permissions", p[i].permissions.n);
		jw_kstr_opt(w, "source", p[i].source.s);
		if (p[i].recursive)
			jw_kbool(w, "recursive", true);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void certificates(struct jwrite *w, const struct imgconf_certs *c)
{
	if (!c)
		return;
	const struct imgconf_cert *certs = c->additional.v;
	jw_key(w, "certificates");
	jw_object(w);
	if (c->additional.n) {
		jw_key(w, "additional");
		jw_array(w);
		for (size_t i = 0; i < c->additional.n; i++) {
			jw_object(w);
			jw_kstr_opt(w, "name", certs[i].name.s);
			jw_kstr_opt(w, "content", certs[i].content.s);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	strings(w, "providers", &c->providers);
	jw_object_end(w);
}

bool imgconf_json(const struct imgconf *c, struct buf *out, struct err *err)
{
	struct jwrite writer, *w = &writer;
	jw_init(w, out, 0);
	jw_object(w);
	contents(w, c);
	entrypoint(w, c);
	jw_kstr_opt(w, "cmd", c->cmd.s);
	jw_kstr_opt(w, "stop-signal", c->stop_signal.s);
	jw_kstr_opt(w, "work-dir", c->work_dir.s);
	jw_key(w, "accounts");
	jw_object(w);
	jw_kstr_opt(w, "run-as", c->accounts.run_as.s);
	users(w, c);
	groups(w, c);
	jw_object_end(w);
	strings(w, "archs", &c->archs);
	pairs(w, "environment", &c->environment);
	paths(w, c);
	pairs(w, "annotations", &c->annotations);
	strings(w, "volumes", &c->volumes);
	if (c->layering) {
		jw_key(w, "layering");
		jw_object(w);
		jw_kstr_opt(w, "strategy", c->layering->strategy.s);
		nonzero(w, "budget", c->layering->budget.n);
		jw_object_end(w);
	}
	jw_kstr_opt(w, "format", c->format.s);
	certificates(w, c->certificates);
	jw_object_end(w);
	return !out->over || err_set(err, EK_OTHER, "the image configuration is too large");
}
