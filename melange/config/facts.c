#include "melange/config/facts.h"

#include "shared/base/buf.h"
#include "shared/crypto/digest.h"
#include "shared/sbom/license.h"
#include "shared/sbom/spdx.h"

struct str package_full_version(const struct package *p, struct arena *a)
{
	return arena_strf(a, "%.*s-r%llu", STR_ARG(p->version.s), (unsigned long long)p->epoch);
}

struct str package_license_ref(struct str text, struct arena *a)
{
	struct str ref = license_ref(text, a);
	if (ref.n)
		return ref;
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	digest_once(DIGEST_SHA256, text.p, text.n, md);
	hex_encode(md, SHA256_SIZE, hex);
	return arena_strf(a, "LicenseRef-%.16s", hex);
}

struct str package_license(const struct package *p, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	const struct copyright *list = p->copyright.v;
	for (size_t i = 0; i < p->copyright.n; i++) {
		struct str l = list[i].license.s;
		if (!l.n)
			continue;
		bool wrap = p->copyright.n > 1 && license_has_or(l);
		if (!license_valid(l))
			l = package_license_ref(l, a);
		buf_printf(&b, "%s%s%.*s%s", b.n ? " AND " : "", wrap ? "(" : "", STR_ARG(l),
			wrap ? ")" : "");
	}
	return arena_str(a, buf_str(&b));
}

struct str package_copyright(const struct package *p, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(4u << 20);
	const struct copyright *list = p->copyright.v;
	for (size_t i = 0; i < p->copyright.n; i++)
		if (list[i].attestation.s.n)
			buf_printf(&b, "%.*s\n", STR_ARG(list[i].attestation.s));
	return arena_str(a, buf_str(&b));
}

struct str package_cpe(const struct package *p, struct arena *a)
{
	const struct cpe *c = &p->cpe;
	const struct ystr *rest[] = { &c->edition, &c->language, &c->sw_edition, &c->target_sw,
		&c->target_hw, &c->other };
	auto_buf struct buf b = BUF_INIT(1 << 20);
	buf_printf(&b, "cpe:2.3:%.*s:%.*s:%.*s:%.*s:*", STR_ARG(c->part.s.n ? c->part.s : S("a")),
		STR_ARG(c->vendor.s), STR_ARG(c->product.s), STR_ARG(p->version.s));
	for (size_t i = 0; i < countof(rest); i++)
		buf_printf(&b, ":%.*s", STR_ARG(rest[i]->s.n ? rest[i]->s : S("*")));
	return arena_str(a, buf_str(&b));
}

/* Each part of a namespace on its own: the slashes between them stay. */
static struct str purl_namespace(struct str ns, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	struct str part;
	while (str_next(&ns, '/', &part))
		buf_printf(&b, "%s%.*s", b.n ? "/" : "", STR_ARG(purl_part(part, a)));
	return arena_str(a, buf_str(&b));
}

struct str package_purl(struct str distro, struct str name, struct str version, struct str arch,
	struct arena *a)
{
	struct str known = str_is(distro, "unknown") ? STR_NONE
		: arena_strf(a, "&distro=%.*s", STR_ARG(purl_qualifier(distro, a)));
	return arena_strf(a, "pkg:apk/%.*s/%.*s@%.*s?arch=%.*s%.*s",
		STR_ARG(purl_namespace(distro, a)), STR_ARG(purl_part(name, a)),
		STR_ARG(purl_part(version, a)), STR_ARG(purl_qualifier(arch, a)), STR_ARG(known));
}
