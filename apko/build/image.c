#include "apko/build/image.h"

#include <string.h>

#include "apko/build/result.h"
#include "apko/layers/layer.h"
#include "apko/sbom/sbom.h"
#include "shared/apk/expand.h"
#include "shared/archive/splice.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"
#include "shared/image/assemble.h"

/* Raised when the same inputs would give another result. */
#define RESULT_FORMAT "apko-result-1 " PROJECT_VERSION "\n"

struct making {
	struct context *ctx;
	size_t arch;
	struct arena *a;
	struct locked l;
	struct str sbom_repo;
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
	auto_buf struct buf b = BUF_INIT(256u << 20);
	buf_printf(&b, RESULT_FORMAT "%s %d\n", splice_encoder_id(), SPLICE_LEVEL_LAYER);
	if (!imgconf_json(&m->l.conf, &b, err))
		return false;
	buf_printf(&b, "\n%.*s\n%.*s %d\n%lld %d %d\n", STR_ARG(m->l.conf.vcs_url.s),
		STR_ARG(m->sbom_repo), c->req->sbom, (long long)c->epoch, c->epoch_set,
		c->req->package_owners);
	add_lines(&b, &m->l.world);
	add_lines(&b, &c->repos.build);
	add_lines(&b, &c->repos.runtime);
	for (size_t i = 0; i < c->keys.n; i++)
		buf_printf(&b, "%.*s\n%.*s\n", STR_ARG(c->keys.v[i].name), STR_ARG(c->keys.v[i].pem));
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
	if (!layers_make(&req, m->a, &made, err))
		return false;
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

static bool from_tree(struct making *m, struct assemble_result *r, struct built *b, struct err *err)
{
	struct oci_kvs annotations;
	struct oci_image_req req = {
		.conf = &m->l.conf,
		.arch = m->ctx->solutions[m->arch].arch,
		.run_as = r->run_as,
		.annotations = &annotations,
		.created = r->build_date,
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

static bool from_packages(struct making *m, const struct apk_file *files, size_t n,
	struct built *b, struct err *err)
{
	struct context *c = m->ctx;
	const struct assemble_req req = {
		.conf = &m->l.conf,
		.arch = c->solutions[m->arch].arch,
		.keys = &c->keys,
		.build_repos = c->repos.build,
		.runtime_repos = c->repos.runtime,
		.world = m->l.world,
		.files = files,
		.n_files = n,
		.header_owners = c->req->package_owners,
		.epoch = c->epoch,
		.epoch_set = c->epoch_set,
	};
	struct assemble_result r;
	if (!assemble(&req, m->a, &r, err))
		return false;
	bool ok = from_tree(m, &r, b, err);
	assemble_release(&r);
	return ok;
}

static uint64_t limit(int64_t n)
{
	return n < 0 ? UINT64_MAX : (uint64_t)n;
}

static bool make(struct making *m, struct built *b, struct err *err)
{
	struct context *c = m->ctx;
	const struct solve_result *set = &m->l.set;
	struct apk_file *files = arena_array(m->a, struct apk_file, set->n + 1);
	const struct apk_fetch fetch = {
		.store = c->store,
		.pool = c->pool,
		.http = c->http,
		.limits = { .max_control = limit(c->req->max_control),
			.max_data = limit(c->req->max_data) },
	};
	if (!apk_fetch_all(&fetch, set->pkgs, set->n, m->a, files, err))
		return false;
	bool ok = from_packages(m, files, set->n, b, err);
	for (size_t i = 0; i < set->n; i++)
		apk_file_close(&files[i]);
	return ok;
}

bool build_image(struct context *ctx, size_t arch, struct str sbom_repo, struct arena *a,
	struct built *ret, struct err *err)
{
	struct making m = { .ctx = ctx, .arch = arch, .a = a, .sbom_repo = sbom_repo };
	const struct apk_arch *target = ctx->solutions[arch].arch;
	struct built b = { 0 };
	char *key = NULL;
	if (!context_lock(ctx, arch, &m.l, err) || !make_key(&m, &key, err))
		return false;
	log_attr(arena_printf(a, "arch=%s", target->apk));
	bool ok = result_load(ctx->store, key, target, a, &b, &m.warnings);
	if (!ok) {
		ok = make(&m, &b, err) && result_save(ctx->store, key, &b, &m.warnings, err);
		if (!ok)
			(void)err_wrap(err, "building \"%s\"", target->oci);
	}
	for (size_t i = 0; ok && i < m.warnings.n; i++)
		log_warn("%.*s", STR_ARG(m.warnings.v[i]));
	log_attr(NULL);
	if (ok)
		*ret = b;
	return ok;
}
