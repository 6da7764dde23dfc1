#include "melange/inspect/rescan.h"

#include "melange/config/facts.h"
#include "melange/emit/info.h"
#include "melange/plan/compile.h"
#include "melange/scan/scan.h"
#include "shared/base/log.h"
#include "shared/text/udiff.h"

#define MAX_INFO (16u << 20)

struct rescan {
	const struct rescan_req *req;
	const struct apk_arch *arch;
	struct arena *a;
	struct config conf;
	struct str version;
	size_t n;		/* the origin and its subpackages */
	struct emit_pkg *pkgs;
	struct pkgfile *files;
	struct scan_pkg *scans;
};

/* Names and dependencies are what matters: the steps may use pipelines that are not at hand. */
static bool compile(struct rescan *r, struct err *err)
{
	struct config c = *r->req->config;
	struct subpackage *subs = arena_array(r->a, struct subpackage, c.subpackages.n + 1);
	const struct subpackage *old = c.subpackages.v;
	const struct compile_opts co = { .arch = r->arch };
	for (size_t i = 0; i < c.subpackages.n; i++) {
		subs[i] = old[i];
		subs[i].pipeline = (struct bind_list){ 0 };
		subs[i].test = NULL;
	}
	c.subpackages.v = subs;
	c.pipeline = (struct bind_list){ 0 };
	c.test = NULL;
	return config_compile(&c, &co, r->a, &r->conf, err);
}

static void list_packages(struct rescan *r)
{
	const struct subpackage *subs = r->conf.subpackages.v;
	size_t most = r->conf.subpackages.n + 1;
	r->version = package_full_version(&r->conf.package, r->a);
	r->pkgs = arena_array(r->a, struct emit_pkg, most);
	r->files = arena_array(r->a, struct pkgfile, most);
	r->scans = arena_array(r->a, struct scan_pkg, most);
	r->pkgs[r->n++].name = r->conf.package.name.s.p;
	for (size_t i = 0; i < r->conf.subpackages.n; i++)
		if (!subs[i].skipped)
			r->pkgs[r->n++] = (struct emit_pkg){ .sub = &subs[i],
				.name = subs[i].name.s.p };
}

static bool open_package(struct rescan *r, size_t i, struct pkgfiles *files, struct err *err)
{
	const struct emit_pkg *p = &r->pkgs[i];
	const char *where = arena_printf(r->a, "%s/%s/%s-%.*s.apk", r->req->repo, r->arch->apk, p->name,
		STR_ARG(r->version));
	auto_err struct err why = ERR_INIT;
	if (pkgfile_open(files, where, &r->files[i], &why))
		return true;
	bool remote = str_find(str_of(r->req->repo), S("://")) >= 0;
	if (!p->sub || !remote || why.kind != EK_NOTFOUND)
		return err_move(err, &why);
	log_warn("%s", why.msg);
	tree_init(&r->files[i].tree);	/* an empty one for the others to look into */
	return true;
}

static bool open_packages(struct rescan *r, struct pkgfiles *files, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct emit_pkg *p = &r->pkgs[i];
		const struct package *o = &r->conf.package;
		if (!open_package(r, i, files, err))
			return false;
		p->tree = &r->files[i].tree;
		r->scans[i] = (struct scan_pkg){
			.name = p->name,
			.version = r->version.p,
			.tree = p->tree,
			.options = p->sub ? p->sub->options : o->options,
			.declared = p->sub ? &p->sub->dependencies : &o->dependencies,
		};
	}
	return true;
}

static void close_packages(struct rescan *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->files[i].there)
			pkgfile_close(&r->files[i]);
		else if (r->pkgs[i].tree)
			tree_release(&r->files[i].tree);
	}
}

static bool new_info(struct rescan *r, size_t i, struct buf *out, struct err *err)
{
	const struct apk_pkg *old = &r->files[i].file.info;
	const struct emit_build eb = { .conf = &r->conf, .arch = r->arch->apk,
		.namespace_ = r->req->namespace_ };
	struct scan_result deps;
	struct apk_pkg info;
	struct pkginfo_extra extra;
	if (!scan(r->scans, r->n, i, r->a, &deps, err))
		return err_wrap(err, "scanning package '%s'", r->pkgs[i].name);
	for (size_t k = 0; k < deps.warnings.n; k++)
		log_warn("%.*s", STR_ARG(deps.warnings.v[k]));
	package_info(&eb, &r->pkgs[i], &deps, r->a, &info, &extra);
	info.arch = old->arch;
	info.commit = old->commit;
	info.build_time = old->build_time;
	info.installed_size = old->installed_size;
	info.datahash = old->datahash;
	pkginfo_write(&info, &extra, out);
	return true;
}

static struct str without_comments(struct str text, struct arena *a)
{
	auto_buf struct buf out = BUF_INIT(MAX_INFO);
	while (text.n) {
		long end = str_chr(text, '\n');
		size_t n = end < 0 ? text.n : (size_t)end + 1;
		if (text.p[0] != '#')
			buf_add(&out, text.p, n);
		text = str_from(text, n);
	}
	return arena_str(a, buf_str(&out));
}

static bool print_diff(struct rescan *r, size_t i, struct str new, struct buf *out,
	bool *ret_differ, struct err *err)
{
	struct str old;
	if (!pkgfile_control(&r->files[i], ".PKGINFO", &old, err))
		return false;
	if (!r->req->comments) {
		old = without_comments(old, r->a);
		new = without_comments(new, r->a);
	}
	size_t before = out->n;
	udiff(arena_printf(r->a, "%s-%.*s.apk", r->pkgs[i].name, STR_ARG(r->version)), old,
		r->req->config_path, new, out);
	*ret_differ |= out->n > before;
	return true;
}

static bool print(struct rescan *r, struct buf *out, bool *ret_differ, struct err *err)
{
	bool any = false;
	for (size_t k = 1; k <= r->n; k++) {
		size_t i = k % r->n;
		auto_buf struct buf info = BUF_INIT(MAX_INFO);
		if (r->req->package && !str_is(str_of(r->pkgs[i].name), r->req->package))
			continue;
		any = true;
		if (!r->files[i].there)
			continue;
		if (!new_info(r, i, &info, err))
			return false;
		if (!r->req->diff)
			buf_addstr(out, buf_str(&info));
		else if (!print_diff(r, i, buf_str(&info), out, ret_differ, err))
			return false;
	}
	return any || err_set(err, EK_USAGE, "%s makes no package '%s'", r->req->config_path,
		r->req->package);
}

bool rescan(const struct rescan_req *req, const struct apk_arch *arch, struct pkgfiles *files,
	struct arena *a, struct buf *out, bool *ret_differ, struct err *err)
{
	struct rescan r = { .req = req, .arch = arch, .a = a };
	if (!compile(&r, err))
		return false;
	list_packages(&r);
	bool ok = open_packages(&r, files, err) && print(&r, out, ret_differ, err);
	close_packages(&r);
	return ok;
}
