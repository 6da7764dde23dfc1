#include "apko/build/image.h"

#include <string.h>

#include "apko/build/phase.h"
#include "apko/build/result.h"
#include "apko/build/rootfs.h"
#include "apko/layers/layer.h"
#include "apko/oci/base.h"
#include "apko/sbom/sbom.h"
#include "shared/archive/splice.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"

/* Raised when the same inputs would give another result. */
#define RESULT_FORMAT "apko-result-2 " PROJECT_VERSION "\n"

struct making {
	struct context *ctx;
	size_t arch;
	struct arena *a;
	struct locked l;
	struct oci_base base;
	bool has_base;
	struct str sbom_repo;
	struct built *built;
	struct strs warnings;
};

static void add_lines(struct buf *b, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(b, "%.*s\n", STR_ARG(list->v[i]));
	buf_adds(b, "--\n");
}

/* The hash of all that the result depends on. */
static bool make_key(struct making *m, char **ret, struct err *err)
{
	struct context *c = m->ctx;
	const struct solve_result *set = &m->l.set;
	const struct keyring *keys = &c->arch_keys[m->arch];
	auto_buf struct buf b = BUF_INIT(256u << 20);
	buf_printf(&b, RESULT_FORMAT "%s %d\n", splice_encoder_id(), SPLICE_LEVEL_LAYER);
	if (!imgconf_json(&m->l.conf, &b, err))
		return false;
	buf_printf(&b, "\n%.*s\n%.*s %d\n%lld %d %d\n", STR_ARG(m->l.conf.vcs_url.s),
		STR_ARG(m->sbom_repo), c->req->sbom, (long long)c->epoch, c->epoch_set,
		c->req->package_owners);
	buf_printf(&b, "%lld %lld\n", (long long)c->req->max_control, (long long)c->req->max_data);
	add_lines(&b, &m->l.world);
	add_lines(&b, &c->repos.build);
	add_lines(&b, &c->repos.runtime);
	for (size_t i = 0; i < keys->n; i++)
		buf_printf(&b, "%.*s\n%.*s\n", STR_ARG(keys->v[i].name), STR_ARG(keys->v[i].pem));
	buf_printf(&b, "%s\n", m->has_base ? m->base.manifest.hex : "");
	buf_addstr(&b, c->solutions[m->arch].base.installed);
	for (size_t i = 0; i < set->n; i++)
		buf_printf(&b, "%.*s %.*s\n", STR_ARG(apk_pkg_nv(set->pkgs[i], m->a)),
			STR_ARG(apk_pkg_q(set->pkgs[i], m->a)));
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, b.p, b.n, md);
	*ret = arena_alloc(m->a, 2 * SHA256_SIZE + 1);
	hex_encode(md, SHA256_SIZE, *ret);
	return true;
}

static bool make_layers(struct making *m, struct assemble_result *r, struct oci_layer **ret_layers,
	size_t *ret_n, struct err *err)
{
	const struct imgconf_layering *l = m->l.conf.layering;
	const struct layer_req req = {
		.tree = &r->tree,
		.installed = &r->installed,
		.layered = l && l->strategy.s.n,
		.budget = l ? l->budget.n : 0,
		.level = SPLICE_LEVEL_LAYER,
		.store = m->ctx->store,
		.pool = m->ctx->pool,
	};
	struct layers made;
	int64_t at = phase_begin();
	if (!layers_make(&req, m->a, &made, err))
		return false;
	phase_end(&at, "layers");
	struct oci_layer *out = arena_array(m->a, struct oci_layer, made.n + 1);
	for (size_t i = 0; i < made.n; i++) {
		out[i].desc.type = S(OCI_TYPE_LAYER);
		out[i].desc.size = made.v[i].size;
		memcpy(out[i].desc.hex, made.v[i].digest_hex, sizeof(out[i].desc.hex));
		memcpy(out[i].diff_hex, made.v[i].diff_hex, sizeof(out[i].diff_hex));
		out[i].path = made.v[i].path;
	}
	*ret_layers = out;
	*ret_n = made.n;
	return true;
}

static bool make_sbom(struct making *m, struct assemble_result *r, struct built *b,
	struct err *err)
{
	if (!m->ctx->req->sbom)
		return true;
	struct image_sbom s = {
		.image = &b->image,
		.arch = b->image.arch,
		.repo = m->sbom_repo,
		.created = str_of(tstamp_rfc3339(m->a, b->date)),
		.vcs_url = m->l.conf.vcs_url.s,
		.tree = &r->tree,
		.installed = &r->installed,
	};
	auto_buf struct buf out = BUF_INIT(256u << 20);
	if (!osrelease_read(&r->tree, m->a, &s.os, err) || !sbom_image(&s, &out, err))
		return false;
	b->sbom = arena_str(m->a, buf_str(&out));
	return true;
}

static bool from_tree(struct assemble_result *r, void *user, struct err *err)
{
	struct making *m = user;
	struct built *b = m->built;
	struct oci_kvs annotations;
	struct oci_image_req req = {
		.conf = &m->l.conf,
		.arch = m->ctx->archs[m->arch],
		.run_as = r->run_as,
		.annotations = &annotations,
		.created = r->build_date,
		.base = m->has_base ? &m->base : NULL,
	};
	struct oci_layer *layers;
	b->date = r->build_date;
	m->warnings = r->warnings;
	oci_annotations(&m->l.conf, NULL, r->build_date, m->a, &annotations);
	if (!make_layers(m, r, &layers, &req.n_layers, err))
		return false;
	req.layers = layers;
	return oci_image_make(&req, m->a, &b->image, err) && make_sbom(m, r, b, err);
}

static bool read_base(struct making *m, struct err *err)
{
	const struct imgconf_base *base = m->l.conf.contents.baseimage;
	if (!base)
		return true;
	const char *dir = imgconf_locate(base->image.s, &m->ctx->req->include_paths, m->a);
	m->has_base = oci_base_read(dir, m->ctx->archs[m->arch], m->a, &m->base, err);
	return m->has_base;
}

static bool make(struct making *m, const char *key, struct built *b, struct err *err)
{
	const struct rootfs_req req = { .ctx = m->ctx, .arch = m->arch, .locked = &m->l };
	m->built = b;
	return rootfs_make(&req, m->a, from_tree, m, err) &&
		result_save(m->ctx->store, key, b, &m->base, &m->warnings, err);
}

bool build_image(struct context *ctx, size_t arch, struct str sbom_repo, struct arena *a,
	struct built *ret, struct err *err)
{
	struct making m = { .ctx = ctx, .arch = arch, .a = a, .sbom_repo = sbom_repo };
	const struct apk_arch *target = ctx->archs[arch];
	struct built b = { 0 };
	char *key = NULL;
	if (!context_lock(ctx, arch, &m.l, err) || !read_base(&m, err) || !make_key(&m, &key, err))
		return false;
	log_attr(arena_printf(a, "arch=%s", target->apk));
	bool ok = result_load(ctx->store, key, target, &m.base, a, &b, &m.warnings) ||
		make(&m, key, &b, err) || err_wrap(err, "building \"%s\"", target->oci);
	for (size_t i = 0; ok && i < m.warnings.n; i++)
		log_warn("%.*s", STR_ARG(m.warnings.v[i]));
	log_attr(NULL);
	if (ok)
		*ret = b;
	return ok;
}
