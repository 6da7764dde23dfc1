#include "apko/sbom/sbom.h"

#include "apko/sbom/source.h"
#include "shared/sbom/spdx.h"

#define SUPPLIER "Organization: Chainguard, Inc."

static struct str package_id(struct str digest, struct arena *a)
{
	return arena_strf(a, "SPDXRef-Package-%.*s", STR_ARG(spdx_id(digest, false, a)));
}

static struct spdx_pkg container(struct str digest, struct str hex, struct arena *a)
{
	return (struct spdx_pkg){
		.id = package_id(digest, a),
		.name = digest,
		.version = digest,
		.download = S("NOASSERTION"),
		.supplier = S(SUPPLIER),
		.purpose = S("CONTAINER"),
		.sums = { { "SHA256", hex } },
		.n_sums = 1,
	};
}

struct spdx_pkg sbom_source(struct str vcs_url, struct arena *a)
{
	struct str url, hash, name = vcs_url;
	static const char *const schemes[] = { "git+ssh://", "git://", "https://" };
	long at = str_rchr(vcs_url, '@');
	url = str_sub(vcs_url, 0, at < 0 ? vcs_url.n : (size_t)at);
	hash = at < 0 ? STR_NONE : str_from(vcs_url, (size_t)at + 1);
	name = url;
	for (size_t i = 0; i < countof(schemes); i++)
		(void)str_skip(&name, str_of(schemes[i]));
	struct spdx_pkg p = {
		.id = package_id(vcs_url, a),
		.name = name,
		.version = hash,
		.description = S("Image configuration source"),
		.download = vcs_url,
		.supplier = S(SUPPLIER),
		.purpose = S("SOURCE"),
		.sums = { { "SHA1", hash } },
		.n_sums = 1,
	};
	struct str path = name;
	if (str_skip(&path, S("github.com/"))) {
		(void)str_chop(&path, S(".git"));
		spdx_add_ref(a, &p, "PACKAGE-MANAGER", "purl",
			arena_strf(a, "pkg:github/%.*s@%.*s", STR_ARG(path), STR_ARG(hash)));
	}
	return p;
}

void sbom_index(const struct index_sbom *s, struct buf *out)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct arena *a = &scratch;
	struct oci_desc desc = oci_desc_of(OCI_TYPE_INDEX, s->index);
	struct str digest = oci_desc_digest(&desc, a);
	struct spdx_doc d = {
		.name = arena_strf(a, "sbom-%.*s", STR_ARG(digest)),
		.created = s->created,
		.tool = S("Tool: apko (v" PROJECT_VERSION ")"),
		.license_list = "3.27",
	};
	d.name_space = arena_strf(a, "https://spdx.org/spdxdocs/apko/%.*s",
		STR_ARG(spdx_id(d.name, false, a)));
	struct spdx_pkg index = container(digest, str_of(desc.hex), a);
	index.description = S("Multi-arch image index");
	index.source_info = S("Generated at image build time by apko");
	spdx_add_ref(a, &index, "PACKAGE-MANAGER", "purl", arena_strf(a,
		"pkg:oci/%.*s@%.*s?mediaType=%.*s", STR_ARG(s->repo), STR_ARG(digest),
		STR_ARG(purl_query(S(OCI_TYPE_INDEX), a))));
	strs_push(a, &d.describes, index.id);
	vec_push(a, &d.pkgs, index);
	for (size_t i = 0; i < s->n; i++) {
		const struct oci_image *img = &s->images[i];
		struct str image = oci_desc_digest(&img->manifest, a);
		struct spdx_pkg p = container(image, str_of(img->manifest.hex), a);
		spdx_add_ref(a, &p, "PACKAGE-MANAGER", "purl", arena_strf(a,
			"pkg:oci/%.*s@%.*s?arch=%s&mediaType=%.*s&os=linux", STR_ARG(s->image_repo),
			STR_ARG(image), img->arch->os_arch, STR_ARG(purl_query(S(OCI_TYPE_MANIFEST), a))));
		vec_push(a, &d.pkgs, p);
		vec_push(a, &d.rels, (struct spdx_rel){ index.id, p.id, S("VARIANT_OF") });
	}
	if (s->vcs_url.n) {
		struct spdx_pkg source = sbom_source(s->vcs_url, a);
		vec_push(a, &d.pkgs, source);
		vec_push(a, &d.rels, (struct spdx_rel){ index.id, source.id, S("GENERATED_FROM") });
	}
	spdx_write(&d, out);
}
