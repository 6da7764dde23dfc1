#include "apko/sbom/sbom.h"

#include "apko/sbom/import.h"
#include "apko/sbom/source.h"
#include "shared/sbom/spdx.h"

static struct str supplier(const struct osrelease *os, struct arena *a)
{
	return os->name.n ? arena_strf(a, "Organization: %.*s", STR_ARG(os->name)) : S("NOASSERTION");
}

static struct str oci_purl(const struct image_sbom *s, struct str digest, struct str type,
	struct arena *a)
{
	return arena_strf(a, "pkg:oci/%.*s@%.*s?arch=%s&mediaType=%.*s&os=linux", STR_ARG(s->repo),
		STR_ARG(digest), s->arch->os_arch, STR_ARG(purl_query(type, a)));
}

static struct spdx_pkg image_pkg(const struct image_sbom *s, struct arena *a)
{
	struct str digest = oci_desc_digest(&s->image->manifest, a);
	struct spdx_pkg p = {
		.id = arena_strf(a, "SPDXRef-Package-Image-%.*s", STR_ARG(spdx_id(digest, false, a))),
		.name = digest,
		.version = digest,
		.description = S("apko container image"),
		.download = S("NOASSERTION"),
		.supplier = supplier(&s->os, a),
		.purpose = S("CONTAINER"),
		.sums = { { "SHA256", str_of(s->image->manifest.hex) } },
		.n_sums = 1,
	};
	spdx_add_ref(a, &p, "PACKAGE-MANAGER", "purl",
		oci_purl(s, digest, s->image->manifest.type, a));
	return p;
}

static struct spdx_pkg layer_pkg(const struct image_sbom *s, const struct oci_layer *l,
	struct arena *a)
{
	struct str digest = oci_desc_digest(&l->desc, a);
	struct spdx_pkg p = {
		.id = arena_strf(a, "SPDXRef-Package-ImageLayer-%.*s",
			STR_ARG(spdx_id(digest, false, a))),
		.name = digest,
		.version = s->os.version_id,
		.description = S("apko operating system layer"),
		.download = S("NOASSERTION"),
		.supplier = supplier(&s->os, a),
		.purpose = S("CONTAINER"),
	};
	spdx_add_ref(a, &p, "PACKAGE-MANAGER", "purl", oci_purl(s, digest, l->desc.type, a));
	return p;
}

static struct spdx_pkg os_pkg(const struct image_sbom *s, struct arena *a)
{
	return (struct spdx_pkg){
		.id = arena_strf(a, "SPDXRef-OperatingSystem-%.*s",
			STR_ARG(spdx_id(s->os.id, false, a))),
		.name = s->os.id,
		.version = s->os.version_id,
		.description = S("Operating System"),
		.download = S("NOASSERTION"),
		.supplier = supplier(&s->os, a),
		.purpose = S("OPERATING_SYSTEM"),
	};
}

bool sbom_image(const struct image_sbom *s, struct buf *out, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct arena *a = &scratch;
	struct spdx_pkg image = image_pkg(s, a);
	struct str first = s->image->n_layers ? oci_desc_digest(&s->image->layers[0].desc, a)
		: STR_NONE;
	struct spdx_doc d = {
		.name = arena_strf(a, "sbom-%.*s", STR_ARG(first)),
		.created = s->created,
		.tool = S("Tool: apko (v" PROJECT_VERSION ")"),
		.license_list = "3.27",
	};
	d.name_space = arena_strf(a, "https://spdx.org/spdxdocs/apko/%.*s",
		STR_ARG(spdx_id(d.name, false, a)));
	strs_push(a, &d.describes, image.id);
	vec_push(a, &d.pkgs, image);
	for (size_t i = 0; i < s->image->n_layers; i++) {
		struct spdx_pkg layer = layer_pkg(s, &s->image->layers[i], a);
		vec_push(a, &d.pkgs, layer);
		vec_push(a, &d.rels, (struct spdx_rel){ image.id, layer.id, S("CONTAINS") });
	}
	vec_push(a, &d.pkgs, os_pkg(s, a));
	for (size_t i = 0; i < s->installed->n; i++)
		if (!sbom_import(s->tree, &s->installed->records[i].file->info, supplier(&s->os, a),
				image.id, &d, a, err))
			return false;
	sbom_unique_packages(&d);
	spdx_write(&d, out);
	return true;
}
