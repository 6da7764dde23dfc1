#include "shared/image/imgconf.h"

#include <string.h>
#include <unistd.h>

#include "shared/apk/arch.h"
#include "shared/base/vec.h"
#include "shared/image/certs.h"
#include "shared/os/fd.h"

#define MAX_FILE (16u << 20)
#define MAX_INCLUDES 32

struct loading {
	struct arena *a;
	const struct strs *roots;
	struct strs *sources;
	struct strs stack; /* files being read, outermost first */
};

const char *imgconf_locate(struct str path, const struct strs *roots, struct arena *a)
{
	const char *given = arena_strndup(a, path.p, path.n);
	if (access(given, F_OK) == 0)
		return given;
	for (size_t i = 0; roots && i < roots->n; i++) {
		const char *below = arena_printf(a, "%.*s/%s", STR_ARG(roots->v[i]), given);
		if (access(below, F_OK) == 0)
			return below;
	}
	return given;
}

static void concat(struct arena *a, struct ystrs *child, const struct ystrs *parent)
{
	struct ystrs out = {0};
	for (size_t i = 0; i < parent->n; i++)
		vec_push(a, &out, parent->v[i]);
	for (size_t i = 0; i < child->n; i++)
		vec_push(a, &out, child->v[i]);
	*child = out;
}

static void concat_list(
	struct arena *a, struct bind_list *child, const struct bind_list *parent, size_t size)
{
	char *out = arena_array_(a, size, child->n + parent->n + 1);
	if (parent->n)
		memcpy(out, parent->v, parent->n * size);
	if (child->n)
		memcpy(out + parent->n * size, child->v, child->n * size);
	child->v = out;
	child->n += parent->n;
}

static void under(struct arena *a, struct ykvs *child, const struct ykvs *parent)
{
	struct ykvs out = {0};
	for (size_t i = 0; i < parent->n; i++)
		ykvs_set(a, &out, parent->v[i].key, parent->v[i].val);
	for (size_t i = 0; i < child->n; i++)
		ykvs_set(a, &out, child->v[i].key, child->v[i].val);
	*child = out;
}

static void unless_set(struct ystr *child, struct ystr parent)
{
	if (child->s.n == 0)
		*child = parent;
}

/* The included configuration below the including one (apko 2.3). */
static void merge(struct imgconf *c, const struct imgconf *inc, struct arena *a)
{
	bool entry = c->entrypoint.type.s.n || c->entrypoint.command.s.n ||
		     c->entrypoint.shell_fragment.s.n || c->entrypoint.services.n;
	if (!entry)
		c->entrypoint = inc->entrypoint;
	unless_set(&c->cmd, inc->cmd);
	unless_set(&c->stop_signal, inc->stop_signal);
	unless_set(&c->work_dir, inc->work_dir);
	unless_set(&c->format, inc->format);
	unless_set(&c->accounts.run_as, inc->accounts.run_as);
	if (!c->layering)
		c->layering = inc->layering;
	if (!c->certificates)
		c->certificates = inc->certificates;
	if (!c->contents.baseimage)
		c->contents.baseimage = inc->contents.baseimage;
	if (c->archs.n == 0)
		c->archs = inc->archs;
	under(a, &c->environment, &inc->environment);
	under(a, &c->annotations, &inc->annotations);
	concat(a, &c->contents.keyring, &inc->contents.keyring);
	concat(a, &c->contents.repositories, &inc->contents.repositories);
	concat(a, &c->contents.build_repositories, &inc->contents.build_repositories);
	concat(a, &c->contents.runtime_repositories, &inc->contents.runtime_repositories);
	concat(a, &c->contents.packages, &inc->contents.packages);
	concat(a, &c->volumes, &inc->volumes);
	concat_list(a, &c->contents.runtime_keyring, &inc->contents.runtime_keyring,
		sizeof(struct imgconf_key));
	concat_list(a, &c->accounts.users, &inc->accounts.users, sizeof(struct imgconf_user));
	concat_list(a, &c->accounts.groups, &inc->accounts.groups, sizeof(struct imgconf_group));
	concat_list(a, &c->paths, &inc->paths, sizeof(struct imgconf_path));
}

static bool load_file(struct loading *l, struct str path, struct imgconf *ret, struct err *err);

static bool load_include(struct loading *l, struct imgconf *c, struct err *err)
{
	struct imgconf inc = {0};
	struct ystr name = c->include;
	if (name.s.n == 0)
		return true;
	if (!load_file(l, name.s, &inc, err))
		return err_wrap(err, "%s:%d: include", name.at->pos.file, name.at->pos.line);
	merge(c, &inc, l->a);
	return true;
}

static bool load_file(struct loading *l, struct str given, struct imgconf *ret, struct err *err)
{
	const char *path = imgconf_locate(given, l->roots, l->a);
	if (strs_has(&l->stack, str_of(path)) || l->stack.n >= MAX_INCLUDES)
		return err_set(err, EK_PARSE, "include cycle: '%s' includes itself", path);
	auto_buf struct buf text = BUF_INIT(MAX_FILE);
	struct ydoc *doc = arena_new(l->a, struct ydoc);
	if (!file_read(path, &text, err))
		return false;
	struct str bytes = arena_str(l->a, buf_str(&text));
	if (l->sources)
		strs_push(l->a, l->sources, bytes);
	if (!ydoc_parse(bytes, path, l->a, doc, err))
		return false;
	if (!doc->root)
		return err_set(err, EK_PARSE,
			"%s: the file is empty\n"
			"hint: an image configuration needs at least contents",
			path);
	struct diags diags;
	diags_init(&diags, l->a, doc);
	struct imgconf c = {0};
	bind_struct(&imgconf_schema, doc->root, &c, l->a, &diags);
	if (!diags_ok(&diags, err))
		return false;
	strs_push(l->a, &l->stack, str_of(path));
	if (!load_include(l, &c, err))
		return false;
	l->stack.n--;
	*ret = c;
	return true;
}

bool imgconf_load(const char *path, const struct strs *roots, struct arena *a, struct imgconf *ret,
	struct strs *ret_sources, struct err *err)
{
	struct loading l = {.a = a, .roots = roots, .sources = ret_sources};
	struct imgconf c = {0};
	if (!load_file(&l, str_of(path), &c, err) || !imgconf_finish(&c, a, err))
		return false;
	*ret = c;
	return true;
}

/* Defaults and checks */

static struct pos pos_of(const struct ynode *at)
{
	return at ? at->pos : (struct pos){0};
}

static bool out_of_range(struct opt_int n)
{
	return n.n < 0 || n.n > UINT32_MAX;
}

static void finish_users(struct imgconf *c, struct arena *a, struct diags *diags)
{
	struct imgconf_user *users = c->accounts.users.v;
	const struct imgconf_group *groups = c->accounts.groups.v;
	for (size_t i = 0; i < c->accounts.users.n; i++) {
		struct imgconf_user *u = &users[i];
		if (u->username.s.n == 0)
			diags_add(
				diags, pos_of(u->at), "configured user %zu has no username", i + 1);
		if (u->uid.n == 0)
			diags_add(diags, pos_of(u->at),
				"configured user '%.*s' has uid 0\n"
				"hint: to run as root use run-as: 0",
				STR_ARG(u->username.s));
		if (out_of_range(u->uid) || out_of_range(u->gid))
			diags_add(diags, pos_of(u->at), "user '%.*s': ids are from 0 to 4294967295",
				STR_ARG(u->username.s));
		if (u->homedir.s.n == 0)
			u->homedir.s = arena_strf(a, "/home/%.*s", STR_ARG(u->username.s));
	}
	for (size_t i = 0; i < c->accounts.groups.n; i++) {
		if (groups[i].groupname.s.n == 0)
			diags_add(diags, pos_of(groups[i].at),
				"configured group %zu has no groupname", i + 1);
		if (out_of_range(groups[i].gid))
			diags_add(diags, pos_of(groups[i].at),
				"group '%.*s': ids are from 0 to 4294967295",
				STR_ARG(groups[i].groupname.s));
	}
}

static void check_paths(const struct imgconf *c, struct diags *diags)
{
	const struct imgconf_path *p = c->paths.v;
	for (size_t i = 0; i < c->paths.n; i++)
		if (out_of_range(p[i].uid) || out_of_range(p[i].gid) ||
			out_of_range(p[i].permissions))
			diags_add(diags, pos_of(p[i].at),
				"path '%.*s': ids and permissions are from 0 to 4294967295",
				STR_ARG(p[i].path.s));
}

static void finish_base(struct imgconf *c, struct diags *diags)
{
	if (!c->contents.baseimage)
		return;
	bool more = c->entrypoint.type.s.n || c->entrypoint.command.s.n ||
		    c->entrypoint.shell_fragment.s.n || c->entrypoint.services.n || c->cmd.s.n ||
		    c->stop_signal.s.n || c->work_dir.s.n || c->accounts.run_as.s.n ||
		    c->accounts.users.n || c->accounts.groups.n || c->environment.n || c->paths.n ||
		    c->annotations.n;
	if (more)
		diags_add(diags, pos_of(c->contents.baseimage->at),
			"with a base image only contents, archs, include may be set");
}

static void check_format(const struct imgconf *c, struct diags *diags)
{
	struct str f = c->format.s;
	struct pos at = pos_of(c->format.at);
	if (f.n && !str_is(f, "tar") && !str_is(f, "erofs"))
		diags_add(diags, at, "unknown format '%.*s'\nhint: use tar or erofs", STR_ARG(f));
	if (str_is(f, "erofs") && c->layering)
		diags_add(diags, at, "format erofs and layering exclude each other");
	if (!c->layering)
		return;
	struct str s = c->layering->strategy.s;
	if (s.n && !str_is(s, "origin"))
		diags_add(diags, pos_of(c->layering->strategy.at),
			"unknown layering strategy '%.*s'\nhint: use origin", STR_ARG(s));
	if (c->layering->budget.n < 0)
		diags_add(
			diags, pos_of(c->layering->at), "the layering budget must not be negative");
	if (c->contents.baseimage)
		diags_add(diags, pos_of(c->layering->at),
			"layering and a base image exclude each other");
}

static void trim_slashes(struct ystrs *list)
{
	for (size_t i = 0; i < list->n; i++)
		while (list->v[i].s.n > 1 && str_chop(&list->v[i].s, S("/")))
			;
}

static void finish_bundle(struct imgconf *c, struct arena *a)
{
	if (!str_is(c->entrypoint.type.s, "service-bundle"))
		return;
	c->entrypoint.command.s = S("/bin/s6-svscan /sv");
	vec_push(a, &c->contents.packages, (struct ystr){S("s6"), NULL});
}

static void check_archs(const struct imgconf *c, struct diags *diags)
{
	for (size_t i = 0; i < c->archs.n; i++)
		if (!apk_arch_find(c->archs.v[i].s) && !str_is(c->archs.v[i].s, "all") &&
			!str_is(c->archs.v[i].s, "host"))
			diags_add(diags, pos_of(c->archs.v[i].at), "unknown architecture '%.*s'",
				STR_ARG(c->archs.v[i].s));
}

bool imgconf_finish(struct imgconf *c, struct arena *a, struct err *err)
{
	struct diags diags;
	diags_init(&diags, a, NULL);
	trim_slashes(&c->contents.repositories);
	trim_slashes(&c->contents.build_repositories);
	trim_slashes(&c->contents.runtime_repositories);
	finish_bundle(c, a);
	finish_users(c, a, &diags);
	check_paths(c, &diags);
	finish_base(c, &diags);
	check_format(c, &diags);
	check_archs(c, &diags);
	if (c->certificates)
		(void)certs_check(c->certificates, &diags);
	(void)runtime_keys_check(&c->contents.runtime_keyring, &diags);
	return diags_ok(&diags, err);
}
