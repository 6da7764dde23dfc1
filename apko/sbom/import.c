#include "apko/sbom/import.h"

#include "shared/base/log.h"
#include "shared/base/map.h"
#include "shared/text/jread.h"

#define MAX_SBOM (64u << 20)

struct import {
	const struct jval *doc;
	struct str supplier;
	struct spdx_doc *out;
	struct arena *a;
	struct map reached;
};

static struct tree_node *find_sbom(struct tree *t, const struct apk_pkg *p, struct arena *a)
{
	struct str bare = p->version;
	long r = str_find(bare, S("-r"));
	if (r >= 0)
		bare = str_sub(bare, 0, (size_t)r);
	struct str stems[] = {
		arena_strf(a, "%.*s-%.*s", STR_ARG(p->name), STR_ARG(p->version)),
		arena_strf(a, "%.*s-%.*s", STR_ARG(p->name), STR_ARG(bare)),
		p->name,
	};
	for (size_t i = 0; i < countof(stems); i++) {
		struct tree_node *n = tree_find(t,
			arena_strf(a, "var/lib/db/sbom/%.*s.spdx.json", STR_ARG(stems[i])), true);
		if (n && n->type == '0')
			return n;
	}
	return NULL;
}

static const struct jval *list_of(const struct jval *v, const char *key)
{
	static const struct jval none = { .kind = JS_ARRAY };
	const struct jval *l = jget(v, key);
	return l && l->kind == JS_ARRAY ? l : &none;
}

static const struct jval *package_by_id(const struct import *im, struct str id)
{
	const struct jval *list = list_of(im->doc, "packages");
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(jget_str(list->items[i], "SPDXID"), id))
			return list->items[i];
	return NULL;
}

static void reach(struct import *im, struct str id)
{
	if (!map_has(&im->reached, id))
		(void)map_put(&im->reached, id, im);
}

/* Everything the reached elements lead to, files left out. */
static bool follow(struct import *im, struct err *err)
{
	const struct jval *rels = list_of(im->doc, "relationships");
	for (struct map_entry *e = map_first(&im->reached); e; e = map_next(e)) {
		if (!package_by_id(im, map_key(e)))
			return err_set(err, EK_PARSE, "the SBOM has no package '%.*s'",
				STR_ARG(map_key(e)));
		for (size_t i = 0; i < rels->n; i++) {
			struct str to = jget_str(rels->items[i], "relatedSpdxElement");
			if (str_eq(jget_str(rels->items[i], "spdxElementId"), map_key(e)) &&
				!str_starts(to, S("SPDXRef-File-")))
				reach(im, to);
		}
	}
	return true;
}

static struct spdx_pkg read_package(const struct import *im, const struct jval *v)
{
	struct spdx_pkg p = {
		.id = jget_str(v, "SPDXID"),
		.name = jget_str(v, "name"),
		.version = jget_str(v, "versionInfo"),
		.license_concluded = jget_str(v, "licenseConcluded"),
		.license_declared = jget_str(v, "licenseDeclared"),
		.description = jget_str(v, "description"),
		.download = jget_str(v, "downloadLocation"),
		.originator = jget_str(v, "originator"),
		.supplier = jget_str(v, "supplier"),
		.source_info = jget_str(v, "sourceInfo"),
		.copyright = jget_str(v, "copyrightText"),
		.purpose = jget_str(v, "primaryPackagePurpose"),
	};
	if (p.originator.n == 0)
		p.originator = im->supplier;
	if (p.supplier.n == 0)
		p.supplier = p.originator;
	const struct jval *sums = list_of(v, "checksums"), *refs = list_of(v, "externalRefs");
	for (size_t i = 0; i < sums->n && p.n_sums < countof(p.sums); i++)
		p.sums[p.n_sums++] = (struct spdx_checksum){ jget_str(sums->items[i], "algorithm").p,
			jget_str(sums->items[i], "checksumValue") };
	for (size_t i = 0; i < refs->n; i++)
		spdx_add_ref(im->a, &p, jget_str(refs->items[i], "referenceCategory").p,
			jget_str(refs->items[i], "referenceType").p,
			jget_str(refs->items[i], "referenceLocator"));
	return p;
}

static void copy_reached(struct import *im)
{
	const struct jval *pkgs = list_of(im->doc, "packages");
	const struct jval *rels = list_of(im->doc, "relationships");
	for (size_t i = 0; i < pkgs->n; i++)
		if (map_has(&im->reached, jget_str(pkgs->items[i], "SPDXID")))
			vec_push(im->a, &im->out->pkgs, read_package(im, pkgs->items[i]));
	for (size_t i = 0; i < rels->n; i++) {
		struct str from = jget_str(rels->items[i], "spdxElementId");
		struct str to = jget_str(rels->items[i], "relatedSpdxElement");
		if (map_has(&im->reached, from) && !str_starts(to, S("SPDXRef-File-")))
			vec_push(im->a, &im->out->rels, (struct spdx_rel){ from, to,
				jget_str(rels->items[i], "relationshipType") });
	}
}

static void copy_licenses(struct import *im)
{
	const struct jval *list = list_of(im->doc, "hasExtractedLicensingInfos");
	for (size_t i = 0; i < list->n; i++) {
		struct spdx_license l = { jget_str(list->items[i], "licenseId"),
			jget_str(list->items[i], "extractedText") };
		bool have = false;
		for (size_t k = 0; k < im->out->licenses.n; k++) {
			bool same = str_eq(im->out->licenses.v[k].id, l.id);
			if (same && !str_eq(im->out->licenses.v[k].text, l.text))
				log_warn("two texts of licence %.*s, the first is kept", STR_ARG(l.id));
			have |= same;
		}
		if (!have)
			vec_push(im->a, &im->out->licenses, l);
	}
}

static void find_roots(const struct import *im, struct strs *ret)
{
	const struct jval *described = list_of(im->doc, "documentDescribes");
	const struct jval *rels = list_of(im->doc, "relationships");
	for (size_t i = 0; i < described->n; i++)
		if (described->items[i]->kind == JS_STR && !strs_has(ret, described->items[i]->s))
			strs_push(im->a, ret, described->items[i]->s);
	for (size_t i = 0; i < rels->n; i++) {
		struct str to = jget_str(rels->items[i], "relatedSpdxElement");
		if (str_is(jget_str(rels->items[i], "spdxElementId"), "SPDXRef-DOCUMENT") &&
			str_is(jget_str(rels->items[i], "relationshipType"), "DESCRIBES") &&
			!strs_has(ret, to))
			strs_push(im->a, ret, to);
	}
}

static bool run(struct import *im, struct str image, struct err *err)
{
	struct strs roots = { 0 };
	find_roots(im, &roots);
	for (size_t i = 0; i < roots.n; i++)
		reach(im, roots.v[i]);
	if (!follow(im, err))
		return false;
	copy_reached(im);
	copy_licenses(im);
	for (size_t i = 0; i < roots.n; i++)
		vec_push(im->a, &im->out->rels, (struct spdx_rel){ image, roots.v[i], S("CONTAINS") });
	return true;
}

bool sbom_import(struct tree *t, const struct apk_pkg *p, struct str supplier, struct str image,
	struct spdx_doc *d, struct arena *a, struct err *err)
{
	auto_err struct err ignored = ERR_INIT;
	struct tree_node *n = find_sbom(t, p, a);
	struct jval *doc;
	struct str text;
	if (!n)
		return true;
	if (!tree_read(n, a, MAX_SBOM, &text, err))
		return false;
	if (!jread(text, "SBOM", a, &doc, &ignored))
		return true;
	struct import im = { .doc = doc, .supplier = supplier, .out = d, .a = a };
	map_init(&im.reached, a);
	bool ok = run(&im, image, err);
	map_release(&im.reached);
	return ok || err_wrap(err, "SBOM of package '%.*s'", STR_ARG(p->name));
}

void sbom_unique_packages(struct spdx_doc *d)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_map struct map seen;
	size_t kept = 0;
	map_init(&seen, &a);
	for (size_t i = 0; i < d->pkgs.n; i++)
		if (!map_put(&seen, d->pkgs.v[i].id, d))
			d->pkgs.v[kept++] = d->pkgs.v[i];
	d->pkgs.n = kept;
}
