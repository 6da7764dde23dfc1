#include "melange/emit/emit.h"

#include <string.h>

#include "melange/config/facts.h"
#include "melange/emit/info.h"
#include "melange/emit/provenance.h"
#include "melange/emit/sbom.h"
#include "melange/plan/compile.h"
#include "shared/apk/pkgwrite.h"
#include "shared/base/log.h"
#include "shared/base/map.h"
#include "shared/base/num.h"
#include "shared/rootfs/passwd.h"

#define MAX_YAML (256u << 20)

bool emit_sboms(const struct emit_build *b, struct emit_pkg *pkgs, size_t n, struct arena *a,
	struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = BUF_INIT(64u << 20);
		struct str version = package_full_version(&b->conf->package, a);
		if (!sbom_text(b, &pkgs[i], &text, err))
			return err_wrap(err, "SBOM of '%s'", pkgs[i].name);
		struct str path = arena_strf(a, "var/lib/db/sbom/%s-%.*s.spdx.json", pkgs[i].name,
			STR_ARG(version));
		if (!tree_put(pkgs[i].tree, path, buf_str(&text), 0644, err))
			return false;
	}
	return true;
}

/* Entries of the data section, in walk order. */
struct entries {
	struct pkgwrite_entry *v;
	size_t n, cap;
};
struct listing {
	struct entries list;
	const struct emit_pkg *pkg;
	const struct id_names *names;
	struct arena *a;
	struct map first;	/* address of a shared body to its first entry's name */
};

static struct str first_name(struct listing *l, const struct tree_node *n, struct str path)
{
	if (n->type != '0' || n->body->links < 2)
		return STR_NONE;
	struct str key = str_n(arena_dup(l->a, &n->body, sizeof(n->body)), sizeof(n->body));
	struct str *first = map_get(&l->first, key);
	if (first)
		return *first;
	first = arena_new(l->a, struct str);
	*first = path;
	(void)map_put(&l->first, key, first);
	return STR_NONE;
}

static bool list_node(struct tree_node *n, struct str path, void *user, struct err *err)
{
	(void)err;
	struct listing *l = user;
	path = arena_str(l->a, path);
	struct str link = first_name(l, n, path);
	struct pkgwrite_entry e = {
		.name = path,
		.type = link.n ? '1' : n->type,
		.mode = n->type == '2' ? 0777 : n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.uname = id_user(l->names, n->uid),
		.gname = id_group(l->names, n->gid),
		.link = link.n ? link : n->link,
		.major = n->major,
		.minor = n->minor,
		.xattrs = n->xattrs,
		.n_xattrs = n->n_xattrs,
	};
	if (n->type == '0') {
		e.size = n->body->size;
		e.bytes = n->body->bytes;
		e.dirfd = n->body->dirfd;
		e.path = n->body->path;
	}
	vec_push(l->a, &l->list, e);
	return true;
}

static void add_control(struct arena *a, struct pkgwrite_control *list, size_t *n, const char *name,
	struct str text)
{
	if (text.n)
		list[(*n)++] = (struct pkgwrite_control){ str_of(name), 0755, arena_str(a, text) };
}

/* Scripts, in the bytewise order of their names, behind .melange.yaml. */
static size_t control_files(const struct scriptlets *s, struct str yaml, struct arena *a,
	struct pkgwrite_control *list)
{
	size_t n = 0;
	list[n++] = (struct pkgwrite_control){ S(".melange.yaml"), 0644, yaml };
	if (!s)
		return n;
	add_control(a, list, &n, ".post-deinstall", s->post_deinstall.s);
	add_control(a, list, &n, ".post-install", s->post_install.s);
	add_control(a, list, &n, ".post-upgrade", s->post_upgrade.s);
	add_control(a, list, &n, ".pre-deinstall", s->pre_deinstall.s);
	add_control(a, list, &n, ".pre-install", s->pre_install.s);
	add_control(a, list, &n, ".pre-upgrade", s->pre_upgrade.s);
	add_control(a, list, &n, ".trigger", s->trigger.script.s);
	return n;
}

/* What an index holds of them, as readers of .PKGINFO take them. */
static void trim_record(struct apk_pkg *p)
{
	struct str *const fields[] = { &p->desc, &p->url, &p->license, &p->commit };
	for (size_t i = 0; i < countof(fields); i++)
		*fields[i] = str_trim(*fields[i]);
}

static bool write_package(const struct emit_build *b, const struct emit_pkg *p,
	const struct scan_result *deps, const struct listing *l, struct arena *a,
	struct apk_pkg *info, struct err *err)
{
	const struct dependencies *d =
		p->sub ? &p->sub->dependencies : &b->conf->package.dependencies;
	const struct scriptlets *s = p->sub ? p->sub->scriptlets : b->conf->package.scriptlets;
	struct pkgwrite_control control[8];
	struct pkginfo_extra extra;
	auto_buf struct buf yaml = BUF_INIT(MAX_YAML);
	if (!config_yaml(b->conf, &yaml, err))
		return false;
	package_info(b, p, deps, a, info, &extra);
	const char *path = arena_printf(a, "%s/%s-%.*s.apk", b->out_dir, p->name,
		STR_ARG(info->version));
	const struct pkgwrite w = {
		.entries = l->list.v,
		.n = l->list.n,
		.mtime = b->epoch,
		.info = info,
		.extra = &extra,
		.control = control,
		.n_control = control_files(s, buf_str(&yaml), a, control),
		.key = b->key,
		.key_path = b->key_path,
		.pool = b->pool,
		.path = path,
	};
	struct pkgwrite_result r;
	log_info("generating package %s-%.*s", p->name, STR_ARG(info->version));
	if (!pkgwrite(&w, &r, err))
		return false;
	log_info("  installed-size: %llu", (unsigned long long)r.installed_size);
	log_info("  data.tar.gz digest: %s", r.datahash);
	trim_record(info);
	info->installed_size = r.installed_size;
	info->file_size = r.file_size;
	info->checksum_n = 20;
	memcpy(info->checksum, r.checksum, 20);
	int64_t priority;
	if (num_i64(d->provider_priority.s, &priority))
		info->provider_priority = priority;
	return !b->provenance || provenance_write(b, p, path, a, err);
}

bool emit_package(const struct emit_build *b, const struct emit_pkg *p,
	const struct scan_result *deps, struct arena *a, struct apk_pkg *ret_record,
	struct err *err)
{
	struct listing l = { .pkg = p, .names = &p->names, .a = a };
	map_init(&l.first, a);
	bool ok = tree_walk(p->tree, list_node, &l, err) &&
		write_package(b, p, deps, &l, a, ret_record, err);
	map_release(&l.first);
	return ok || err_wrap(err, "unable to emit package '%s'", p->name);
}
