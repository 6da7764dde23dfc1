#include "melange/build/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/rootfs/import.h"

static const struct {
	const char *name;
	unsigned bit;
} caps[] = {
	{ "cap_net_bind_service", 10 },
	{ "cap_net_admin", 12 },
	{ "cap_net_raw", 13 },
	{ "cap_ipc_lock", 14 },
	{ "cap_sys_admin", 21 },
};

static uint32_t cap_bits(struct str names)
{
	uint32_t bits = 0;
	struct str name;
	while (str_next(&names, ',', &name))
		for (size_t i = 0; i < countof(caps); i++)
			if (str_is(str_trim(name), caps[i].name))
				bits |= 1u << caps[i].bit;
	return bits;
}

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* security.capability, revision 3 (melange-build 3.3). */
static void cap_value(const struct ykvs *add, uint8_t ret[24])
{
	uint32_t permitted = 0, inheritable = 0, effective = 0;
	for (size_t i = 0; i < add->n; i++) {
		uint32_t bits = cap_bits(add->v[i].key);
		struct str set = add->v[i].val.s;
		permitted |= str_chr(set, 'p') >= 0 ? bits : 0;
		inheritable |= str_chr(set, 'i') >= 0 ? bits : 0;
		effective |= str_chr(set, 'e') >= 0 ? bits : 0;
	}
	memset(ret, 0, 24);
	put_le32(ret, 0x03000000u | (effective != 0));
	put_le32(ret + 4, permitted);
	put_le32(ret + 8, inheritable);
}

static void add_xattr(struct tree *t, struct tree_node *n, struct str name, const void *p, size_t size)
{
	struct tree_xattr *list = arena_array(&t->arena, struct tree_xattr, n->n_xattrs + 1);
	size_t kept = 0;
	for (size_t i = 0; i < n->n_xattrs; i++)
		if (!str_eq(n->xattrs[i].name, name))
			list[kept++] = n->xattrs[i];
	list[kept++] = (struct tree_xattr){ name, str_n(arena_dup(&t->arena, p, size), size) };
	n->xattrs = list;
	n->n_xattrs = kept;
}

static void apply_setcap(struct tree *t, const struct bind_list *list, const char *package)
{
	const struct setcap *s = list->v;
	for (size_t i = 0; i < list->n; i++) {
		uint8_t value[24];
		struct tree_node *n = tree_find(t, s[i].path.s, true);
		if (!n || n->type != '0') {
			log_warn("setcap: package %s has no file '%.*s'", package, STR_ARG(s[i].path.s));
			continue;
		}
		cap_value(&s[i].add, value);
		add_xattr(t, n, S("security.capability"), value, sizeof(value));
	}
}

/* The account that builds is root in packages: `build` of the configuration, and, without
 * privilege, whoever runs us, since the workspace is seen from outside the sandbox. */
static void owner_map(const struct config *conf, struct import_opts *o)
{
	o->zero_uids[0] = o->zero_gids[0] = o->zero_uids[1] = o->zero_gids[1] = -1;
	const struct imgconf_user *u = conf->environment.accounts.users.v;
	const struct imgconf_group *g = conf->environment.accounts.groups.v;
	for (size_t i = 0; i < conf->environment.accounts.users.n; i++)
		if (str_is(u[i].username.s, "build"))
			o->zero_uids[0] = u[i].uid.n;
	for (size_t i = 0; i < conf->environment.accounts.groups.n; i++)
		if (str_is(g[i].groupname.s, "build"))
			o->zero_gids[0] = g[i].gid.n;
	if (geteuid() != 0) {
		o->zero_uids[1] = geteuid();
		o->zero_gids[1] = getegid();
	}
}

static bool collect_one(const struct config *conf, const struct workspace *w, struct collected *c,
	struct arena *a, struct err *err)
{
	struct import_opts opts = { .xattrs = true };
	struct str dir = arena_strf(a, "melange-out/%s", c->name);
	owner_map(conf, &opts);
	tree_init(&c->tree);
	if (!workspace_open(w, dir, false, &c->dirfd, err))
		return false;
	if (c->dirfd < 0)
		return true;
	if (!import_dir(&c->tree, c->dirfd, c->name, &opts, err))
		return false;
	apply_setcap(&c->tree, c->sub ? &c->sub->setcap : &conf->package.setcap, c->name);
	return true;
}

bool collect(const struct config *conf, const struct workspace *w, struct arena *a,
	struct collected **ret_pkgs, size_t *ret_n, struct err *err)
{
	const struct subpackage *subs = conf->subpackages.v;
	struct collected *pkgs = arena_array(a, struct collected, conf->subpackages.n + 1);
	size_t n = 0;
	pkgs[n++] = (struct collected){ NULL,
		arena_strndup(a, conf->package.name.s.p, conf->package.name.s.n), .dirfd = -1 };
	for (size_t i = 0; i < conf->subpackages.n; i++)
		if (!subs[i].skipped)
			pkgs[n++] = (struct collected){ &subs[i],
				arena_strndup(a, subs[i].name.s.p, subs[i].name.s.n), .dirfd = -1 };
	*ret_pkgs = pkgs;
	*ret_n = n;
	for (size_t i = 0; i < n; i++)
		if (!collect_one(conf, w, &pkgs[i], a, err))
			return false;
	return true;
}

void collect_release(struct collected *pkgs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		tree_release(&pkgs[i].tree);
		fd_close(&pkgs[i].dirfd);
	}
}
