#include "shared/sbom/spdx.h"

#include <string.h>

#include "shared/text/jwrite.h"

static void packages(struct jwrite *w, const struct spdx_doc *d);
static void relationships(struct jwrite *w, const struct spdx_doc *d);

static void strings(struct jwrite *w, const char *key, const struct strs *list)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < list->n; i++)
		jw_str(w, list->v[i]);
	jw_array_end(w);
}

static void creation(struct jwrite *w, const struct spdx_doc *d)
{
	jw_key(w, "creationInfo");
	jw_object(w);
	jw_kstr(w, "created", d->created);
	jw_key(w, "creators");
	jw_array(w);
	jw_str(w, d->tool);
	jw_str(w, S("Organization: Chainguard, Inc"));
	jw_array_end(w);
	jw_kstr(w, "licenseListVersion", str_of(d->license_list));
	jw_object_end(w);
}

void spdx_write(const struct spdx_doc *d, struct buf *out)
{
	struct jwrite writer, *w = &writer;
	jw_init(w, out, 2);
	jw_object(w);
	jw_kstr(w, "SPDXID", S("SPDXRef-DOCUMENT"));
	jw_kstr(w, "name", d->name);
	jw_kstr(w, "spdxVersion", S("SPDX-2.3"));
	creation(w, d);
	jw_kstr(w, "dataLicense", S("CC0-1.0"));
	jw_kstr(w, "documentNamespace", d->name_space);
	strings(w, "documentDescribes", &d->describes);
	packages(w, d);
	relationships(w, d);
	if (d->licenses.n) {
		jw_key(w, "hasExtractedLicensingInfos");
		jw_array(w);
		for (size_t i = 0; i < d->licenses.n; i++) {
			jw_object(w);
			jw_kstr(w, "licenseId", d->licenses.v[i].id);
			jw_kstr(w, "extractedText", d->licenses.v[i].text);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	jw_object_end(w);
	buf_addc(out, '\n');
}

static void package(struct jwrite *w, const struct spdx_pkg *p)
{
	jw_object(w);
	jw_kstr(w, "SPDXID", p->id);
	jw_kstr(w, "name", p->name);
	jw_kstr_opt(w, "versionInfo", p->version);
	jw_kbool(w, "filesAnalyzed", p->files_analyzed);
	jw_kstr_opt(w, "licenseConcluded", p->license_concluded);
	jw_kstr_opt(w, "licenseDeclared", p->license_declared);
	jw_kstr_opt(w, "description", p->description);
	jw_kstr(w, "downloadLocation", p->download);
	jw_kstr_opt(w, "originator", p->originator);
	jw_kstr_opt(w, "supplier", p->supplier);
	jw_kstr_opt(w, "sourceInfo", p->source_info);
	jw_kstr_opt(w, "copyrightText", p->copyright);
	if (p->attribution.n)
		strings(w, "attributionTexts", &p->attribution);
	jw_kstr_opt(w, "primaryPackagePurpose", p->purpose);
	if (p->n_sums) {
		jw_key(w, "checksums");
		jw_array(w);
		for (size_t i = 0; i < p->n_sums; i++) {
			jw_object(w);
			jw_kstr(w, "algorithm", str_of(p->sums[i].algorithm));
			jw_kstr(w, "checksumValue", p->sums[i].value);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	if (p->n_refs) {
		jw_key(w, "externalRefs");
		jw_array(w);
		for (size_t i = 0; i < p->n_refs; i++) {
			jw_object(w);
			jw_kstr(w, "referenceCategory", str_of(p->refs[i].category));
			jw_kstr(w, "referenceLocator", p->refs[i].locator);
			jw_kstr(w, "referenceType", str_of(p->refs[i].type));
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	jw_object_end(w);
}

static void packages(struct jwrite *w, const struct spdx_doc *d)
{
	jw_key(w, "packages");
	jw_array(w);
	for (size_t i = 0; i < d->pkgs.n; i++)
		package(w, &d->pkgs.v[i]);
	jw_array_end(w);
}

static void relationships(struct jwrite *w, const struct spdx_doc *d)
{
	jw_key(w, "relationships");
	jw_array(w);
	for (size_t i = 0; i < d->rels.n; i++) {
		jw_object(w);
		jw_kstr(w, "spdxElementId", d->rels.v[i].from);
		jw_kstr(w, "relationshipType", d->rels.v[i].type);
		jw_kstr(w, "relatedSpdxElement", d->rels.v[i].to);
		jw_object_end(w);
	}
	jw_array_end(w);
}

void spdx_add_ref(struct arena *a, struct spdx_pkg *p, const char *category, const char *type,
	struct str locator)
{
	struct spdx_ref *grown = arena_array(a, struct spdx_ref, p->n_refs + 1);
	for (size_t i = 0; i < p->n_refs; i++)
		grown[i] = p->refs[i];
	grown[p->n_refs++] = (struct spdx_ref){ category, type, locator };
	p->refs = grown;
}

static bool is_alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Code points are taken as such; a broken sequence counts byte by byte. */
static uint32_t code_point(struct str s, size_t *i)
{
	unsigned char c = (unsigned char)s.p[*i];
	size_t n = c >= 0xf0 && c < 0xf8 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
	uint32_t u = n == 0 ? c : c & (0x3f >> n);
	if (*i + n >= s.n)
		n = 0;
	for (size_t k = 1; k <= n; k++) {
		if (((unsigned char)s.p[*i + k] & 0xc0) != 0x80)
			return c;
		u = u << 6 | ((unsigned char)s.p[*i + k] & 0x3f);
	}
	*i += n;
	return u;
}

struct str spdx_id(struct str text, bool slashes, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == ':' || (slashes && c == '/'))
			buf_addc(&b, '-');
		else if (is_alnum(c) || c == '.' || c == '-')
			buf_addc(&b, (char)c);
		else
			buf_printf(&b, "C%u", slashes ? code_point(text, &i) : c);
	}
	return arena_str(a, buf_str(&b));
}

static struct str escape(struct str s, const char *keep, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_alnum(c) || strchr("-._~", c) || (c && strchr(keep, c)))
			buf_addc(&b, (char)c);
		else
			buf_printf(&b, "%%%02X", c);
	}
	return arena_str(a, buf_str(&b));
}

struct str purl_part(struct str s, struct arena *a)
{
	return escape(s, "!$&'()*,;=:", a);
}

struct str purl_qualifier(struct str s, struct arena *a)
{
	return escape(s, ":", a);
}

struct str purl_query(struct str s, struct arena *a)
{
	return escape(s, "", a);
}
