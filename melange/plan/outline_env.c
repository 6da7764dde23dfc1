#include "melange/plan/outline_int.h"

#include "shared/apk/arch.h"

/* The build environment, a description in apko's form. */

static struct outline *accounts(const struct ol *w, const struct imgconf *c)
{
	struct outline *o = ol_map(w), *users = ol_node(w, OL_LIST), *groups = ol_node(w, OL_LIST);
	const struct imgconf_user *u = c->accounts.users.v;
	const struct imgconf_group *g = c->accounts.groups.v;
	if (c->accounts.run_as.s.n || (!w->json && (c->accounts.users.n || c->accounts.groups.n)))
		ol_put(w, o, "run-as", c->accounts.run_as.s);
	for (size_t i = 0; i < c->accounts.users.n; i++) {
		struct outline *item = ol_map(w);
		if (w->json) {
			ol_opt(w, item, "username", u[i].username);
			if (u[i].uid.n)
				ol_put_int(w, item, "uid", u[i].uid.n);
			if (u[i].gid.set)
				ol_put_int(w, item, "gid", u[i].gid.n);
			ol_opt(w, item, "shell", u[i].shell);
			ol_opt(w, item, "homedir", u[i].homedir);
		} else {
			ol_put(w, item, "username", u[i].username.s);
			ol_put_int(w, item, "uid", u[i].uid.n);
			if (u[i].gid.set)
				ol_put_int(w, item, "gid", u[i].gid.n);
			ol_put(w, item, "shell", u[i].shell.s);
			ol_put(w, item, "homedir", u[i].homedir.s);
		}
		ol_add(w, users, NULL, item);
	}
	for (size_t i = 0; i < c->accounts.groups.n; i++) {
		struct outline *item = ol_map(w);
		if (g[i].groupname.s.n || !w->json)
			ol_put(w, item, "groupname", g[i].groupname.s);
		if (g[i].gid.n || !w->json)
			ol_put_int(w, item, "gid", g[i].gid.n);
		if (g[i].members.n || !w->json)
			ol_put_list(w, item, "members", &g[i].members);
		ol_add(w, groups, NULL, item);
	}
	ol_opt_nested(w, o, "users", users);
	ol_opt_nested(w, o, "groups", groups);
	return o;
}

static struct outline *entrypoint(const struct ol *w, const struct imgconf *c)
{
	struct outline *o = ol_map(w);
	ol_opt(w, o, "type", c->entrypoint.type);
	ol_opt(w, o, "command", c->entrypoint.command);
	ol_opt(w, o, "shell-fragment", c->entrypoint.shell_fragment);
	ol_opt_kvs(w, o, "services", &c->entrypoint.services);
	return o;
}

static struct outline *paths(const struct ol *w, const struct imgconf *c)
{
	struct outline *o = ol_node(w, OL_LIST);
	const struct imgconf_path *p = c->paths.v;
	for (size_t i = 0; i < c->paths.n; i++) {
		struct outline *item = ol_map(w);
		ol_opt(w, item, "path", p[i].path);
		ol_opt(w, item, "type", p[i].type);
		if (p[i].uid.set)
			ol_put_int(w, item, "uid", p[i].uid.n);
		if (p[i].gid.set)
			ol_put_int(w, item, "gid", p[i].gid.n);
		if (p[i].permissions.n)
			ol_put_int(w, item, "permissions", p[i].permissions.n);
		ol_opt(w, item, "source", p[i].source);
		ol_opt_bool(w, item, "recursive", p[i].recursive);
		ol_add(w, o, NULL, item);
	}
	return o;
}

/* Architectures go by their Go names in what is printed. */
static struct ystr arch_name(struct ystr name)
{
	const struct apk_arch *arch = apk_arch_find(name.s);
	return arch ? (struct ystr){ str_of(arch->oci), name.at } : name;
}

struct outline *ol_environment(const struct ol *w, const struct imgconf *c)
{
	struct outline *o = ol_map(w), *contents = ol_map(w);
	ol_opt_list(w, contents, "build_repositories", &c->contents.build_repositories);
	ol_opt_list(w, contents, "repositories", &c->contents.repositories);
	ol_opt_list(w, contents, "keyring", &c->contents.keyring);
	ol_opt_list(w, contents, "packages", &c->contents.packages);
	if (c->contents.baseimage) {
		struct outline *base = ol_map(w);
		ol_opt(w, base, "image", c->contents.baseimage->image);
		ol_opt(w, base, "apkindex", c->contents.baseimage->apkindex);
		ol_add(w, contents, "baseimage", base);
	}
	ol_nested(w, o, "contents", contents);
	ol_nested(w, o, "entrypoint", entrypoint(w, c));
	ol_opt(w, o, "cmd", c->cmd);
	ol_opt(w, o, "stop-signal", c->stop_signal);
	ol_opt(w, o, "work-dir", c->work_dir);
	ol_nested(w, o, "accounts", accounts(w, c));
	struct ystrs archs = { 0 };
	for (size_t i = 0; i < c->archs.n; i++)
		vec_push(w->a, &archs, arch_name(c->archs.v[i]));
	ol_opt_list(w, o, "archs", &archs);
	ol_opt_kvs(w, o, "environment", &c->environment);
	ol_opt_nested(w, o, "paths", paths(w, c));
	ol_opt(w, o, "vcs-url", c->vcs_url);
	ol_opt_kvs(w, o, "annotations", &c->annotations);
	ol_opt(w, o, "include", c->include);
	ol_opt_list(w, o, "volumes", &c->volumes);
	return o;
}
