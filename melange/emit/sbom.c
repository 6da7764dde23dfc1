#include "melange/emit/sbom.h"

#include <fcntl.h>
#include <stdlib.h>

#include "melange/config/facts.h"
#include "melange/emit/sources.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/sbom/license.h"

#define MAX_LICENSE (4u << 20)

/* FNV-1a, 128 bits. */
static char *fnv128(struct str s, struct arena *a)
{
	unsigned __int128 h = (unsigned __int128)0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;
	const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * prime;
	return arena_printf(a, "%016llx%016llx", (unsigned long long)(h >> 64),
		(unsigned long long)h);
}

struct str sbom_organization(struct str name, struct arena *a)
{
	char *out = arena_strndup(a, name.p, name.n);
	bool inside = false;
	for (char *p = out; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9') || *p == '_' || *p == '\'';
		if (!inside && *p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		inside = letter;
	}
	return arena_strf(a, "Organization: %s", out);
}

static struct str namespace_of(const struct emit_build *b)
{
	return str_of(*b->namespace_ ? b->namespace_ : "unknown");
}

static struct spdx_pkg base_pkg(const struct emit_build *b, struct arena *a)
{
	struct str org = sbom_organization(namespace_of(b), a);
	return (struct spdx_pkg){
		.license_concluded = S("NOASSERTION"),
		.license_declared = S("NOASSERTION"),
		.download = S("NOASSERTION"),
		.originator = org,
		.supplier = org,
	};
}

static struct spdx_pkg os_pkg(const struct emit_build *b, struct arena *a)
{
	struct spdx_pkg p = base_pkg(b, a);
	p.id = S("SPDXRef-OperatingSystem");
	p.name = namespace_of(b);
	p.description = S("Operating System");
	p.purpose = S("OPERATING-SYSTEM");
	return p;
}

static struct str some_text(struct str s)
{
	return s.n ? s : S("NOASSERTION");
}

static struct spdx_pkg apk_pkg_node(const struct emit_build *b, struct str name, struct str version,
	struct arena *a)
{
	const struct package *pkg = &b->conf->package;
	struct spdx_pkg p = base_pkg(b, a);
	p.id = arena_strf(a, "SPDXRef-Package-apk-%.*s-%.*s", STR_ARG(spdx_id(name, true, a)),
		STR_ARG(spdx_id(version, true, a)));
	p.name = name;
	p.version = version;
	p.license_declared = some_text(package_license(pkg, a));
	p.copyright = some_text(package_copyright(pkg, a));
	p.purpose = S("APPLICATION");
	spdx_add_ref(a, &p, "PACKAGE-MANAGER", "purl",
		package_purl(namespace_of(b), name, version, str_of(b->arch), a));
	if (pkg->cpe.vendor.s.n)
		spdx_add_ref(a, &p, "SECURITY", "cpe23Type", package_cpe(pkg, a));
	return p;
}

/* OWNER/REPO of a github.com URL; another URL is taken whole, as the existing tool does. */
static struct str repo_purl(struct str url, struct arena *a)
{
	struct str owner, rest;
	(void)str_skip(&url, S("https://github.com/"));
	(void)str_cut(url, '/', &owner, &rest);
	return arena_strf(a, "%.*s/%.*s", STR_ARG(purl_part(owner, a)), STR_ARG(purl_part(rest, a)));
}

static struct spdx_pkg config_pkg(const struct emit_build *b, struct arena *a)
{
	struct spdx_pkg p = base_pkg(b, a);
	struct str path = path_clean(a, str_of(b->config_path)), commit = str_of(b->git_commit);
	auto_buf struct buf sub = BUF_INIT(1 << 16);
	struct str rest = path, part;
	while (str_next(&rest, '/', &part))
		buf_printf(&sub, "%s%.*s", sub.n ? "/" : "", STR_ARG(purl_part(part, a)));
	p.id = arena_strf(a, "SPDXRef-Package-Melange-%.*s-%.*s", STR_ARG(spdx_id(path, true, a)),
		STR_ARG(spdx_id(commit, true, a)));
	p.name = path;
	p.version = commit;
	p.license_declared = str_of(b->license);
	p.purpose = S("INSTALL");
	spdx_add_ref(a, &p, "PACKAGE-MANAGER", "purl", arena_strf(a, "pkg:github/%.*s@%.*s#%s",
		STR_ARG(repo_purl(str_of(b->git_repo_url), a)), STR_ARG(purl_part(commit, a)),
		sub.p ? sub.p : ""));
	return p;
}

static bool license_text(const struct emit_build *b, const struct copyright *c, struct arena *a,
	struct str *ret, struct err *err)
{
	char *path = arena_strndup(a, c->license_path.s.p, c->license_path.s.n);
	if (!path_is_safe(c->license_path.s))
		return err_at(err, c->license_path.at ? c->license_path.at->pos : c->at->pos,
			"invalid license-path '%s'\nhint: it must be relative and without '..'", path);
	auto_fd int fd = path_open_in(b->workspace_fd, path, O_RDONLY | O_CLOEXEC, 0, err);
	auto_buf struct buf text = BUF_INIT(MAX_LICENSE);
	if (fd < 0 || !fd_read_all(fd, path, &text, err))
		return err_wrap(err, "license-path");
	*ret = arena_str(a, buf_str(&text));
	return true;
}

static int license_cmp(const void *x, const void *y)
{
	return str_cmp(((const struct spdx_license *)x)->id, ((const struct spdx_license *)y)->id);
}

static bool licenses(const struct emit_build *b, struct spdx_doc *d, struct arena *a,
	struct err *err)
{
	const struct copyright *c = b->conf->package.copyright.v;
	for (size_t i = 0; i < b->conf->package.copyright.n; i++) {
		struct str l = c[i].license.s, text = STR_NONE;
		if (!l.n && !c[i].license_path.s.n)
			continue;
		bool valid = license_valid(l);
		struct str id = valid ? l : package_license_ref(l, a);
		if (c[i].license_path.s.n && !license_text(b, &c[i], a, &text, err))
			return false;
		if (!c[i].license_path.s.n) {
			if (valid && !str_starts(l, S("LicenseRef-")))
				continue;
			text = arena_strf(a, "Non-SPDX License: %.*s", STR_ARG(l));
		}
		vec_push(a, &d->licenses, (struct spdx_license){ id, text });
	}
	if (d->licenses.n)
		qsort(d->licenses.v, d->licenses.n, sizeof(d->licenses.v[0]), license_cmp);
	return true;
}

static void relate(struct spdx_doc *d, struct arena *a, struct str from, const char *type,
	struct str to)
{
	vec_push(a, &d->rels, (struct spdx_rel){ from, to, str_of(type) });
}

/* Sources of a pipeline, with ids unlike those that are there. */
static void add_sources(const struct emit_build *b, const struct bind_list *steps, struct str apk,
	struct spdx_doc *d, struct arena *a)
{
	struct spdx_pkg base = base_pkg(b, a);
	const struct step *s = steps->v;
	for (size_t i = 0; i < steps->n; i++) {
		struct spdx_pkg p = base;
		if (s[i].skipped || !source_of_step(b, &s[i], i, &p, a))
			continue;
		for (size_t k = 0; k < d->pkgs.n; k++)
			if (str_eq(d->pkgs.v[k].id, p.id))
				p.id = arena_strf(a, "%.*s-origin", STR_ARG(p.id));
		vec_push(a, &d->pkgs, p);
		relate(d, a, apk, "GENERATED_FROM", p.id);
	}
}

static bool check_path(const char *path, struct err *err)
{
	struct str rest = str_of(path), part;
	for (size_t i = 0; str_next(&rest, '/', &part); i++)
		if (i > (path[0] == '/') && str_is(part, ".."))
			return err_set(err, EK_USAGE, "the path of the build file '%s' holds '..', which its "
				"SBOM cannot name\nhint: name it from a directory above it, or from '/'", path);
	return true;
}

static bool check_sources(const struct bind_list *steps, struct err *err)
{
	const struct step *s = steps->v;
	for (size_t i = 0; i < steps->n; i++)
		if (!s[i].skipped && !source_check(&s[i], err))
			return false;
	return true;
}

bool sbom_check(const struct config *conf, const char *config_path, struct err *err)
{
	const struct subpackage *subs = conf->subpackages.v;
	if (!check_path(config_path, err) || !check_sources(&conf->pipeline, err))
		return false;
	for (size_t i = 0; i < conf->subpackages.n; i++)
		if (!subs[i].skipped && !check_sources(&subs[i].pipeline, err))
			return false;
	return true;
}

bool sbom_text(const struct emit_build *b, const struct emit_pkg *p, struct buf *out,
	struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct arena *a = &scratch;
	struct str name = str_of(p->name), version = package_full_version(&b->conf->package, a);
	struct spdx_doc d = {
		.name = arena_strf(a, "apk-%.*s-%.*s", STR_ARG(name), STR_ARG(version)),
		.created = str_of(tstamp_rfc3339(a, b->epoch)),
		.tool = S("Tool: melange (" PROJECT_VERSION ")"),
		.license_list = "3.22",
	};
	struct str key = arena_strf(a, "apk-%.*s-%.*s-%.*s",
		STR_ARG(namespace_of(b)), STR_ARG(name),
		STR_ARG(version));
	d.name_space = arena_strf(a, "https://spdx.org/spdxdocs/chainguard/melange/%s",
		fnv128(key, a));
	struct spdx_pkg apk = apk_pkg_node(b, name, version, a), conf = config_pkg(b, a);
	strs_push(a, &d.describes, apk.id);
	vec_push(a, &d.pkgs, os_pkg(b, a));
	vec_push(a, &d.pkgs, apk);
	if (p->sub)
		add_sources(b, &p->sub->pipeline, apk.id, &d, a);
	vec_push(a, &d.pkgs, conf);
	relate(&d, a, apk.id, "DESCRIBED_BY", conf.id);
	add_sources(b, &b->conf->pipeline, apk.id, &d, a);
	if (!license_valid(str_of(b->license)))
		log_warn("invalid license: %s", b->license);
	if (!licenses(b, &d, a, err))
		return false;
	spdx_write(&d, out);
	return true;
}
