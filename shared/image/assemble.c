#include "shared/image/assemble.h"

#include "shared/image/accounts.h"
#include "shared/image/busybox.h"
#include "shared/image/certs.h"
#include "shared/image/ldcache.h"
#include "shared/image/paths.h"
#include "shared/image/resolve.h"
#include "shared/image/services.h"

struct assembling {
	const struct assemble_req *req;
	struct arena *a;
	struct assemble_result *r;
};

/* Repository lines as the image shows them: no user name, no password. */
static void public_lines(struct arena *a, const struct strs *in, struct strs *ret)
{
	for (size_t i = 0; i < in->n; i++)
		strs_push(a, ret, image_public_line(in->v[i], a));
}

static bool begin(struct assembling *as, struct err *err)
{
	const struct assemble_req *req = as->req;
	struct strs lines = {0};
	public_lines(as->a, &req->build_repos, &lines);
	const struct install_base base = {
		.arch = str_of(req->arch->apk),
		.world = &req->world,
		.repositories = &lines,
		.keys = req->keys,
	};
	if (!install_init(&as->r->tree, &base, err))
		return false;
	return !req->base.index || tree_put(&as->r->tree, S("usr/lib/apk/db/installed"),
					   req->base.installed, 0644, err);
}

/* Configured accounts, for packages that name their owners. */
static void configured(const struct imgconf *c, struct arena *a, struct owner_ids *users,
	struct owner_ids *groups)
{
	const struct imgconf_user *u = c->accounts.users.v;
	const struct imgconf_group *g = c->accounts.groups.v;
	struct owner_id *ids = arena_array(a, struct owner_id, c->accounts.users.n + 1);
	struct owner_id *gids = arena_array(a, struct owner_id, c->accounts.groups.n + 1);
	for (size_t i = 0; i < c->accounts.users.n; i++)
		ids[i] = (struct owner_id){u[i].username.s, u[i].uid.n};
	for (size_t i = 0; i < c->accounts.groups.n; i++)
		gids[i] = (struct owner_id){g[i].groupname.s, g[i].gid.n};
	*users = (struct owner_ids){ids, c->accounts.users.n};
	*groups = (struct owner_ids){gids, c->accounts.groups.n};
}

static bool install(struct assembling *as, struct err *err)
{
	const struct assemble_req *req = as->req;
	struct install_opts opts = {
		.header_owners = req->header_owners,
		.devices = req->devices,
		.script_time = req->epoch,
	};
	configured(req->conf, as->a, &opts.users, &opts.groups);
	return install_packages(&as->r->tree, req->files, req->n_files, &opts, as->a,
		       &as->r->installed, err) &&
	       install_link_db(&as->r->tree, image_base_provides(&req->base, S("merged-lib")), err);
}

static int64_t build_date(const struct assemble_req *req, const struct install_result *r)
{
	const struct apk_index *base = req->base.index;
	int64_t date = req->epoch;
	for (size_t i = 0; base && !req->epoch_set && i < base->n; i++)
		date = base->pkgs[i].build_time > date ? base->pkgs[i].build_time : date;
	for (size_t i = 0; !req->epoch_set && i < r->n; i++) {
		int64_t t = r->records[i].file->info.build_time;
		date = t > date ? t : date;
	}
	return date;
}

static bool write_apko_json(struct assembling *as, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(64u << 20);
	struct imgconf c;
	imgconf_copy(as->req->conf, as->a, &c);
	c.accounts.run_as.s = as->r->run_as;
	struct ystrs *lists[] = {&c.contents.repositories, &c.contents.build_repositories,
		&c.contents.runtime_repositories, &c.contents.keyring};
	for (size_t i = 0; i < countof(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			lists[i]->v[k].s = image_public_line(lists[i]->v[k].s, as->a);
	if (!imgconf_json(&c, &b, err))
		return false;
	buf_addc(&b, '\n');
	struct tree_node *n = tree_put(&as->r->tree, S("etc/apko.json"), buf_str(&b), 0444, err);
	if (n)
		n->mode = 0444;
	return n != NULL;
}

static bool certificates(struct assembling *as, struct err *err)
{
	const struct assemble_req *req = as->req;
	int64_t bde = as->r->build_date;
	struct tree *t = &as->r->tree;
	return certs_install(t, req->conf->certificates, req->files, req->n_files, bde, err) &&
	       certs_checksums(t, bde, err) &&
	       runtime_keyring(t, &req->conf->contents.runtime_keyring, bde, err);
}

static bool links(struct assembling *as, struct err *err)
{
	const struct install_result *r = &as->r->installed;
	const struct apk_index *base = as->req->base.index;
	size_t n = base ? base->n : 0;
	const struct apk_pkg **pkgs = arena_array(as->a, const struct apk_pkg *, n + r->n + 1);
	for (size_t i = 0; i < n; i++)
		pkgs[i] = &base->pkgs[i];
	for (size_t i = 0; i < r->n; i++)
		pkgs[n++] = &r->records[i].file->info;
	return busybox_links(&as->r->tree, pkgs, n, err) &&
	       ldcache_write(&as->r->tree, as->req->arch, err);
}

static void look_for(struct assembling *as, const char *path)
{
	if (!tree_find(&as->r->tree, str_of(path), true))
		strs_push(as->a, &as->r->warnings, arena_strf(as->a, "%s is missing", path));
}

static void scripts_not_run(struct assembling *as)
{
	const struct install_result *r = &as->r->installed;
	for (size_t i = 0; i < r->n; i++) {
		const struct apk_file *f = r->records[i].file;
		if (f->n_scripts)
			strs_push(as->a, &as->r->warnings,
				arena_strf(as->a,
					"package %.*s has scripts, which are not run in images",
					STR_ARG(f->info.name)));
	}
}

static bool finish(struct assembling *as, struct err *err)
{
	struct strs lines = {0};
	auto_buf struct buf b = BUF_INIT(16u << 20);
	public_lines(as->a, &as->req->runtime_repos, &lines);
	for (size_t i = 0; i < lines.n; i++)
		buf_printf(&b, "%.*s\n", STR_ARG(lines.v[i]));
	static const char *const wanted[] = {"/etc/passwd", "/etc/group", "/etc/os-release"};
	for (size_t i = 0; !as->req->base.index && i < countof(wanted); i++)
		look_for(as, wanted[i]);
	scripts_not_run(as);
	return tree_put(&as->r->tree, S("etc/apk/repositories"), buf_str(&b), 0644, err);
}

/* With a base image there are none: its own are below. */
static bool accounts(struct assembling *as, struct err *err)
{
	as->r->run_as = as->req->conf->accounts.run_as.s;
	return as->req->base.index ||
	       accounts_apply(&as->r->tree, as->req->conf, as->a, &as->r->run_as, err);
}

static bool run(struct assembling *as, struct err *err)
{
	struct tree *t = &as->r->tree;
	if (!begin(as, err) || !install(as, err))
		return false;
	as->r->build_date = build_date(as->req, &as->r->installed);
	return accounts(as, err) && write_apko_json(as, err) &&
	       paths_apply(t, &as->req->conf->paths, err) && certificates(as, err) &&
	       services_write(t, &as->req->conf->entrypoint.services, err) && links(as, err) &&
	       finish(as, err);
}

bool assemble(const struct assemble_req *req, struct arena *a, struct assemble_result *ret,
	struct err *err)
{
	struct assembling as = {req, a, ret};
	*ret = (struct assemble_result){0};
	tree_init(&ret->tree);
	if (run(&as, err))
		return true;
	assemble_release(ret);
	return false;
}

void assemble_release(struct assemble_result *r)
{
	tree_release(&r->tree);
}
