#include "melange/inspect/rebuild.h"

#include "melange/build/build.h"
#include "melange/config/facts.h"
#include "melange/inspect/pkgdiff.h"
#include "shared/base/log.h"
#include "shared/base/map.h"
#include "shared/text/jread.h"

#define MAX_SBOM (64u << 20)

/* What a build was told besides its file. */
struct origin {
	const char *config_path, *commit, *repo_url, *license;
};

static const char *text(struct arena *a, struct str s)
{
	return arena_strndup(a, s.p ? s.p : "", s.n);
}

static struct str unescaped(struct str s, struct arena *a)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t byte;
		if (s.p[i] == '%' && i + 2 < s.n && hex_decode(str_sub(s, i + 1, 2), &byte, 1)) {
			out[n++] = (char)byte;
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	return str_n(out, n);
}

/* "pkg:github/OWNER/REPO@COMMIT#PATH" to the repository's URL. One that is not on GitHub stands there
 * as it was, cut at its first slash. */
static bool repo_of_purl(struct str purl, struct arena *a, const char **ret, struct err *err)
{
	struct str whole = purl, rest, owner, repo;
	long at = str_rchr(purl, '#');
	purl = at < 0 ? purl : str_sub(purl, 0, (size_t)at);
	at = str_rchr(purl, '@');
	if (!str_skip(&purl, S("pkg:github/")) || at < 0)
		return err_set(err, EK_PARSE, "'%.*s' in the SBOM is no repository", STR_ARG(whole));
	purl.n = (size_t)(whole.p + at - purl.p);
	(void)str_cut(purl, '/', &owner, &rest);
	owner = unescaped(owner, a);
	repo = unescaped(rest, a);
	bool whole_url = str_chr(owner, ':') >= 0;
	*ret = arena_printf(a, "%s%.*s/%.*s", whole_url ? "" : "https://github.com/", STR_ARG(owner),
		STR_ARG(repo));
	return true;
}

static struct str purl_of(const struct jval *pkg)
{
	const struct jval *refs = jget(pkg, "externalRefs");
	for (size_t i = 0; refs && refs->kind == JS_ARRAY && i < refs->n; i++)
		if (str_is(jget_str(refs->items[i], "referenceType"), "purl"))
			return jget_str(refs->items[i], "referenceLocator");
	return STR_NONE;
}

/* The SBOM's package that is the build file. */
static bool origin_of_sbom(const struct jval *sbom, struct arena *a, struct origin *ret,
	struct err *err)
{
	const struct jval *pkgs = jget(sbom, "packages");
	for (size_t i = 0; pkgs && pkgs->kind == JS_ARRAY && i < pkgs->n; i++) {
		const struct jval *p = pkgs->items[i];
		struct str name = jget_str(p, "name");
		if (!str_ends(name, S(".yaml")) && !str_ends(name, S(".yml")))
			continue;
		ret->config_path = text(a, name);
		ret->commit = text(a, jget_str(p, "versionInfo"));
		ret->license = text(a, jget_str(p, "licenseDeclared"));
		return repo_of_purl(purl_of(p), a, &ret->repo_url, err);
	}
	return err_set(err, EK_PARSE, "the SBOM names no build file");
}

static bool read_origin(const struct pkgfile *f, struct arena *a, struct origin *ret, struct err *err)
{
	const struct apk_pkg *info = &f->file.info;
	struct str path = arena_strf(a, "var/lib/db/sbom/%.*s-%.*s.spdx.json", STR_ARG(info->name),
		STR_ARG(info->version)), bytes;
	const struct tree_node *n = tree_find((struct tree *)&f->tree, path, false);
	struct jval *sbom;
	if (!n || n->type != '0')
		return err_set(err, EK_PARSE, "'%s' holds no SBOM '%.*s'", f->file.data.name, STR_ARG(path));
	return tree_read(n, a, MAX_SBOM, &bytes, err) && jread(bytes, path.p, a, &sbom, err) &&
		(origin_of_sbom(sbom, a, ret, err) || err_wrap(err, "'%s'", f->file.data.name));
}

struct rebuilding {
	const struct rebuild_req *req;
	struct pkgfiles *files;
	struct arena *a;
	struct map done;	/* "NAME VERSION ARCH" of origins */
};

static bool run_build(struct rebuilding *r, const struct pkgfile *f, const struct config *c,
	const struct apk_arch *arch, struct err *err)
{
	static const struct strs none = { 0 };
	const struct rebuild_req *req = r->req;
	const struct apk_pkg *info = &f->file.info;
	struct origin o = { 0 };
	if (!read_origin(f, r->a, &o, err))
		return false;
	const struct build_req b = {
		.config_path = o.config_path,
		.config = c,
		.arch = arch,
		.runner = req->runner,
		.source_dir = req->source_dir,
		.rootfs = req->rootfs,
		.build_options = &none,
		.keys = &none,
		.repos = &none,
		.packages = &none,
		.out_dir = req->out_dir,
		.signing_key = req->signing_key,
		.strip_origin_name = str_eq(info->origin, info->name) &&
			!str_eq(info->name, c->package.name.s),
		.epoch = info->build_time,
		.namespace_ = text(r->a, info->maintainer),
		.git_commit = o.commit,
		.git_repo_url = o.repo_url,
		.license = o.license,
		.network = true,
		.lint_require = &none,
		.lint_warn = &none,
	};
	return build_package(&b, err);
}

/* Unless another package of the same origin had it built. */
static bool build_origin(struct rebuilding *r, const struct pkgfile *f, const char *path,
	struct err *err)
{
	const struct load_opts lo = { .recorded = true };
	const struct apk_arch *arch = apk_arch_find(f->file.info.arch);
	struct config *c = arena_new(r->a, struct config);
	struct str yaml;
	if (!arch)
		return err_set(err, EK_PARSE, "'%s' is of the unknown architecture '%.*s'", path,
			STR_ARG(f->file.info.arch));
	if (!pkgfile_control(f, ".melange.yaml", &yaml, err) ||
		!config_parse(yaml, arena_printf(r->a, "%s:.melange.yaml", path), &lo, r->a, c, err))
		return false;
	struct str key = arena_strf(r->a, "%.*s %.*s %s", STR_ARG(c->package.name.s),
		STR_ARG(package_full_version(&c->package, r->a)), arch->apk);
	if (map_put(&r->done, key, c)) {
		log_info("%s has been built already", path);
		return true;
	}
	log_info("rebuilding %s", path);
	return run_build(r, f, c, arch, err);
}

static bool compare(struct rebuilding *r, const struct pkgfile *old, const char *path,
	struct buf *out, bool *ret_differ, struct err *err)
{
	const struct apk_pkg *info = &old->file.info;
	const char *made = arena_printf(r->a, "%s/%.*s/%.*s-%.*s.apk", r->req->out_dir,
		STR_ARG(info->arch), STR_ARG(info->name), STR_ARG(info->version));
	struct pkgfile new = { 0 };
	size_t before = out->n;
	if (!pkgfile_open(r->files, made, &new, err))
		return false;
	log_info("comparing %s with %s", path, made);
	bool ok = pkgdiff(old, path, &new, made, out, err);
	pkgfile_close(&new);
	*ret_differ |= out->n > before;
	return ok;
}

static bool rebuild_one(struct rebuilding *r, const char *path, struct buf *out, bool *ret_differ,
	struct err *err)
{
	struct pkgfile f = { 0 };
	if (!pkgfile_open(r->files, path, &f, err))
		return false;
	bool ok = build_origin(r, &f, path, err) &&
		(!r->req->diff || compare(r, &f, path, out, ret_differ, err));
	pkgfile_close(&f);
	return ok || err_wrap(err, "rebuilding '%s'", path);
}

bool rebuild(const struct rebuild_req *req, const struct strs *paths, struct pkgfiles *files,
	struct arena *a, struct buf *out, bool *ret_differ, struct err *err)
{
	struct rebuilding r = { .req = req, .files = files, .a = a };
	bool ok = true;
	map_init(&r.done, a);
	for (size_t i = 0; ok && i < paths->n; i++) {
		ok = str_find(paths->v[i], S("://")) < 0
			? rebuild_one(&r, paths->v[i].p, out, ret_differ, err)
			: err_set(err, EK_USAGE, "'%s' is not a file\nhint: download the package first",
				paths->v[i].p);
	}
	map_release(&r.done);
	return ok;
}
