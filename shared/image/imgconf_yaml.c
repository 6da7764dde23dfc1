#include "shared/image/imgconf.h"

#include <stdlib.h>

#include "shared/apk/arch.h"
#include "shared/net/url.h"
#include "shared/text/ywrite.h"

/* The whole configuration in the order of the schema. Blocks that hold nothing are left out;
 * of those that hold something, some of the fields are always shown. */

static void list(struct ywrite *w, const struct ystrs *items)
{
	yw_list(w);
	for (size_t i = 0; i < items->n; i++)
		yw_str(w, items->v[i].s);
	yw_list_end(w);
}

static void strings(struct ywrite *w, const char *key, const struct ystrs *items)
{
	if (items->n == 0)
		return;
	yw_key(w, key);
	list(w, items);
}

/* The password of a URL, behind a tag or not, becomes "xxxxx". */
static struct str hide(struct str line, struct arena *a)
{
	auto_err struct err ignored = ERR_INIT;
	size_t tag = (size_t)(str_rchr(line, ' ') + 1);
	struct str url = str_from(line, tag);
	struct url u;
	if (!url_is_remote(url))
		return line;
	if (!url_parse(url, a, &u, &ignored))
		return arena_strf(a, "%.*s%s", STR_ARG(str_sub(line, 0, tag)), url_redact(url, a));
	if (!u.has_user || u.password.n == 0)
		return line;
	long at = str_find(url, S("://")) + 3;
	long colon = str_chr(str_from(url, (size_t)at), ':');
	struct str rest = str_from(url, (size_t)(at + colon));
	long host = str_chr(rest, '/');
	struct str info = str_sub(rest, 0, host < 0 ? rest.n : (size_t)host);
	return arena_strf(a, "%.*s:xxxxx%.*s",
		STR_ARG(str_sub(line, 0, tag + (size_t)(at + colon))),
		STR_ARG(str_from(rest, (size_t)str_rchr(info, '@'))));
}

static void urls(struct ywrite *w, const char *key, const struct ystrs *items)
{
	auto_arena struct arena a = ARENA_INIT;
	if (items->n == 0)
		return;
	yw_key(w, key);
	yw_list(w);
	for (size_t i = 0; i < items->n; i++)
		yw_str(w, hide(items->v[i].s, &a));
	yw_list_end(w);
}

static int kv_cmp(const void *a, const void *b)
{
	return yw_key_cmp(((const struct ykv *)a)->key, ((const struct ykv *)b)->key);
}

static void pairs(struct ywrite *w, const char *key, const struct ykvs *kv)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ykv *sorted = arena_dup(&a, kv->v, kv->n * sizeof(*sorted));
	if (kv->n)
		qsort(sorted, kv->n, sizeof(*sorted), kv_cmp);
	yw_key(w, key);
	yw_map(w);
	for (size_t i = 0; i < kv->n; i++) {
		yw_key_str(w, sorted[i].key);
		yw_str(w, sorted[i].val.s);
	}
	yw_map_end(w);
}

static void pairs_opt(struct ywrite *w, const char *key, const struct ykvs *kv)
{
	if (kv->n)
		pairs(w, key, kv);
}

static void opt_int(struct ywrite *w, const char *key, struct opt_int n)
{
	if (n.set)
		yw_kint(w, key, n.n);
}

static void named(struct ywrite *w, struct ystr name, struct ystr content)
{
	yw_map(w);
	yw_kstr(w, "name", name.s);
	yw_kstr(w, "content", content.s);
	yw_map_end(w);
}

static void runtime_keyring(struct ywrite *w, const struct bind_list *l)
{
	const struct imgconf_key *keys = l->v;
	if (l->n == 0)
		return;
	yw_key(w, "runtime_keyring");
	yw_list(w);
	for (size_t i = 0; i < l->n; i++)
		named(w, keys[i].name, keys[i].content);
	yw_list_end(w);
}

static void contents(struct ywrite *w, const struct imgconf *c)
{
	const struct imgconf_base *base = c->contents.baseimage;
	if (!(c->contents.build_repositories.n || c->contents.runtime_repositories.n ||
		    c->contents.repositories.n || c->contents.keyring.n ||
		    c->contents.runtime_keyring.n || c->contents.packages.n || base))
		return;
	yw_key(w, "contents");
	yw_map(w);
	urls(w, "build_repositories", &c->contents.build_repositories);
	urls(w, "runtime_repositories", &c->contents.runtime_repositories);
	urls(w, "repositories", &c->contents.repositories);
	urls(w, "keyring", &c->contents.keyring);
	runtime_keyring(w, &c->contents.runtime_keyring);
	strings(w, "packages", &c->contents.packages);
	if (base) {
		yw_key(w, "baseimage");
		yw_map(w);
		yw_kstr_opt(w, "image", base->image.s);
		yw_kstr_opt(w, "apkindex", base->apkindex.s);
		yw_map_end(w);
	}
	yw_map_end(w);
}

static void entrypoint(struct ywrite *w, const struct imgconf *c)
{
	if (!(c->entrypoint.type.s.n || c->entrypoint.command.s.n ||
		    c->entrypoint.shell_fragment.s.n || c->entrypoint.services.n))
		return;
	yw_key(w, "entrypoint");
	yw_map(w);
	yw_kstr(w, "type", c->entrypoint.type.s);
	yw_kstr(w, "command", c->entrypoint.command.s);
	yw_kstr(w, "shell-fragment", c->entrypoint.shell_fragment.s);
	pairs(w, "services", &c->entrypoint.services);
	yw_map_end(w);
}

static void users(struct ywrite *w, const struct bind_list *l)
{
	const struct imgconf_user *u = l->v;
	yw_key(w, "users");
	yw_list(w);
	for (size_t i = 0; i < l->n; i++) {
		yw_map(w);
		yw_kstr(w, "username", u[i].username.s);
		yw_kint(w, "uid", u[i].uid.n);
		opt_int(w, "gid", u[i].gid);
		yw_kstr(w, "shell", u[i].shell.s);
		yw_kstr(w, "homedir", u[i].homedir.s);
		yw_map_end(w);
	}
	yw_list_end(w);
}

static void groups(struct ywrite *w, const struct bind_list *l)
{
	const struct imgconf_group *g = l->v;
	yw_key(w, "groups");
	yw_list(w);
	for (size_t i = 0; i < l->n; i++) {
		yw_map(w);
		yw_kstr(w, "groupname", g[i].groupname.s);
		yw_kint(w, "gid", g[i].gid.n);
		yw_key(w, "members");
		list(w, &g[i].members);
		yw_map_end(w);
	}
	yw_list_end(w);
}

static void accounts(struct ywrite *w, const struct imgconf *c)
{
	if (!c->accounts.run_as.s.n && !c->accounts.users.n && !c->accounts.groups.n)
		return;
	yw_key(w, "accounts");
	yw_map(w);
	yw_kstr(w, "run-as", c->accounts.run_as.s);
	users(w, &c->accounts.users);
	groups(w, &c->accounts.groups);
	yw_map_end(w);
}

static void archs(struct ywrite *w, const struct ystrs *names)
{
	if (names->n == 0)
		return;
	yw_key(w, "archs");
	yw_list(w);
	for (size_t i = 0; i < names->n; i++) {
		const struct apk_arch *arch = apk_arch_find(names->v[i].s);
		yw_str(w, arch ? str_of(arch->oci) : names->v[i].s);
	}
	yw_list_end(w);
}

static void paths(struct ywrite *w, const struct bind_list *l)
{
	const struct imgconf_path *p = l->v;
	if (l->n == 0)
		return;
	yw_key(w, "paths");
	yw_list(w);
	for (size_t i = 0; i < l->n; i++) {
		yw_map(w);
		yw_kstr(w, "path", p[i].path.s);
		yw_kstr(w, "type", p[i].type.s);
		opt_int(w, "uid", p[i].uid);
		opt_int(w, "gid", p[i].gid);
		yw_kint(w, "permissions", p[i].permissions.n);
		yw_kstr(w, "source", p[i].source.s);
		yw_kbool(w, "recursive", p[i].recursive);
		yw_map_end(w);
	}
	yw_list_end(w);
}

static void layering(struct ywrite *w, const struct imgconf_layering *l)
{
	if (!l)
		return;
	yw_key(w, "layering");
	yw_map(w);
	yw_kstr_opt(w, "strategy", l->strategy.s);
	if (l->budget.n)
		yw_kint(w, "budget", l->budget.n);
	yw_map_end(w);
}

static void certificates(struct ywrite *w, const struct imgconf_certs *c)
{
	if (!c)
		return;
	const struct imgconf_cert *certs = c->additional.v;
	yw_key(w, "certificates");
	yw_map(w);
	if (c->additional.n) {
		yw_key(w, "additional");
		yw_list(w);
		for (size_t i = 0; i < c->additional.n; i++)
			named(w, certs[i].name, certs[i].content);
		yw_list_end(w);
	}
	strings(w, "providers", &c->providers);
	yw_map_end(w);
}

bool imgconf_yaml(const struct imgconf *c, struct buf *out, struct err *err)
{
	struct ywrite writer, *w = &writer;
	yw_init(w, out, 4);
	yw_map(w);
	contents(w, c);
	entrypoint(w, c);
	yw_kstr_opt(w, "cmd", c->cmd.s);
	yw_kstr_opt(w, "stop-signal", c->stop_signal.s);
	yw_kstr_opt(w, "work-dir", c->work_dir.s);
	accounts(w, c);
	archs(w, &c->archs);
	pairs_opt(w, "environment", &c->environment);
	paths(w, &c->paths);
	yw_kstr_opt(w, "vcs-url", c->vcs_url.s);
	pairs_opt(w, "annotations", &c->annotations);
	yw_kstr_opt(w, "include", c->include.s);
	strings(w, "volumes", &c->volumes);
	layering(w, c->layering);
	yw_kstr_opt(w, "format", c->format.s);
	certificates(w, c->certificates);
	yw_map_end(w);
	return !out->over || err_set(err, EK_OTHER, "the image configuration is too large");
}
