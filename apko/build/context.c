#include "apko/build/context.h"

#include "apko/build/vcs.h"
#include "shared/base/tstamp.h"

static bool take_times(struct context *c, struct err *err)
{
	if (*c->req->build_date &&
		!tstamp_parse(str_of(c->req->build_date), &c->build_date, err))
		return err_wrap(err, "--build-date");
	c->epoch = c->build_date;
	return tstamp_env(&c->epoch_set, &c->epoch, err);
}

static bool add_arch(struct str name, bool want[APK_ARCHS], struct err *err)
{
	const struct apk_arch *a = str_is(name, "host") ? apk_arch_host() : apk_arch_find(name);
	for (size_t i = 0; str_is(name, "all") && i < APK_ARCHS; i++)
		want[i] = true;
	if (str_is(name, "all"))
		return true;
	if (!a) {
		(void)err_set(err, EK_USAGE, "unknown architecture '%.*s'", STR_ARG(name));
		return err_hint(err, "use 386, amd64, arm64, arm/v6, arm/v7, loong64, ppc64le, riscv64, "
			"s390x, host or all");
	}
	want[a - apk_archs] = true;
	return true;
}

/* --arch, else the configuration's, else all; sorted by OCI name. */
static bool take_archs(struct context *c, struct err *err)
{
	bool want[APK_ARCHS] = { false };
	size_t n = c->req->archs.n ? c->req->archs.n : c->conf.archs.n;
	for (size_t i = 0; i < n; i++)
		if (!add_arch(c->req->archs.n ? c->req->archs.v[i] : c->conf.archs.v[i].s, want, err))
			return false;
	if (n == 0 && !add_arch(S("all"), want, err))
		return false;
	for (size_t i = 0; i < APK_ARCHS; i++)
		if (want[i])
			c->archs[c->n_archs++] = &apk_archs[i];
	for (size_t i = 1; i < c->n_archs; i++)
		for (size_t k = i; k && str_cmp(str_of(c->archs[k]->oci), str_of(c->archs[k - 1]->oci)) < 0;
			k--) {
			const struct apk_arch *swap = c->archs[k];
			c->archs[k] = c->archs[k - 1];
			c->archs[k - 1] = swap;
		}
	return true;
}

/* A list of the configuration becomes the sorted union with what the command line adds. */
static void join(struct arena *a, struct ystrs *list, const struct strs *add)
{
	struct strs all = { 0 };
	for (size_t i = 0; i < list->n; i++)
		strs_push(a, &all, list->v[i].s);
	for (size_t i = 0; i < add->n; i++) {
		struct str s = add->v[i];
		while (s.n > 1 && str_chop(&s, S("/")))
			;
		strs_push(a, &all, s);
	}
	strs_sort(&all);
	strs_uniq(&all);
	*list = (struct ystrs){ 0 };
	for (size_t i = 0; i < all.n; i++)
		vec_push(a, list, (struct ystr){ all.v[i], NULL });
}

/* The command line's annotations win over the configuration's. */
static bool annotate(struct context *c, struct err *err)
{
	const struct strs *list = &c->req->annotations;
	struct ykvs seen = { 0 };
	for (size_t i = 0; i < list->n; i++) {
		struct str key, value;
		bool ok = str_cut(list->v[i], ':', &key, &value) && key.n && value.n;
		for (size_t k = 0; k < key.n; k++) {
			char ch = key.p[k];
			ok &= (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' ||
				ch == '.';
		}
		if (!ok || ykvs_get(&seen, key)) {
			(void)err_set(err, EK_USAGE, "annotation '%.*s' is %s", STR_ARG(list->v[i]),
				ok ? "given twice" : "not of the form key:value");
			return err_hint(err, "keys are of a-z, 0-9, '-' and '.'; values are not empty");
		}
		ykvs_set(c->arena, &seen, key, (struct ystr){ value, NULL });
		ykvs_set(c->arena, &c->conf.annotations, key, (struct ystr){ value, NULL });
	}
	return true;
}

static bool load(struct context *c, struct err *err)
{
	const struct apko_req *req = c->req;
	if (!imgconf_load(req->config, &req->include_paths, c->arena, &c->conf, &c->sources, err))
		return false;
	if (!take_times(c, err) || !take_archs(c, err) || !annotate(c, err))
		return false;
	if (req->vcs && c->conf.vcs_url.s.n == 0)
		c->conf.vcs_url.s = vcs_probe(req->config, c->arena);
	c->append = (struct image_append){ .keys = &req->keys, .build_repos = &req->build_repos,
		.repos = &req->repos, .packages = &req->packages, .roots = &req->include_paths };
	image_repos(&c->conf, &c->append, c->arena, &c->repos);
	join(c->arena, &c->conf.contents.build_repositories, &req->build_repos);
	join(c->arena, &c->conf.contents.repositories, &req->repos);
	join(c->arena, &c->conf.contents.keyring, &req->keys);
	return true;
}

static bool open_services(struct context *c, struct err *err)
{
	const struct apko_req *req = c->req;
	if (!auth_load(&c->auth, c->arena, err))
		return false;
	const struct http_opts ho = {
		.user_agent = "apko/" PROJECT_VERSION,
		.offline = req->offline,
		.auth = &c->auth,
		.max_bytes = req->max_http,
	};
	c->store = store_open(*req->cache_dir ? req->cache_dir : NULL, err);
	c->http = c->store ? http_new(&ho, err) : NULL;
	if (!c->http)
		return false;
	c->pool = pool_new(0);
	return true;
}

static bool resolve(struct context *c, struct err *err)
{
	const struct repo_opts ro = {
		.keys = &c->keys,
		.ignore_signatures = c->req->ignore_signatures,
		.store = c->store,
		.http = c->http,
		.max_inflated = c->req->max_index < 0 ? UINT64_MAX : (uint64_t)c->req->max_index,
	};
	return image_keys(&c->repos, c->http, c->arena, &c->keys, err) &&
		image_resolve(&c->conf, &c->append, c->archs, c->n_archs, &ro, c->arena,
			c->solutions, err);
}

bool context_open(const struct apko_req *req, struct arena *a, struct context *ctx,
	struct err *err)
{
	*ctx = (struct context){ .req = req, .arena = a };
	keyring_init(&ctx->keys, a);
	return load(ctx, err) && open_services(ctx, err) && resolve(ctx, err);
}

void context_release(struct context *ctx)
{
	keyring_release(&ctx->keys);
	http_free(ctx->http);
	pool_free(ctx->pool);
	store_close(ctx->store);
}

bool context_lock(struct context *ctx, size_t arch, struct locked *ret, struct err *err)
{
	struct arena *a = ctx->arena;
	const struct image_solution *s = &ctx->solutions[arch];
	struct locked l = { 0 };
	struct ystrs *packages = &l.conf.contents.packages;
	imgconf_copy(&ctx->conf, a, &l.conf);
	*packages = (struct ystrs){ 0 };
	for (size_t i = 0; i < s->locked.n; i++)
		vec_push(a, packages, (struct ystr){ s->locked.v[i], NULL });
	if (str_is(l.conf.entrypoint.type.s, "service-bundle"))
		vec_push(a, packages, (struct ystr){ S("s6"), NULL });
	l.conf.archs = (struct ystrs){ 0 };
	vec_push(a, &l.conf.archs, (struct ystr){ str_of(s->arch->oci), NULL });
	for (size_t i = 0; i < packages->n; i++)
		strs_push(a, &l.world, packages->v[i].s);
	for (size_t i = 0; i < ctx->req->packages.n; i++)
		strs_push(a, &l.world, ctx->req->packages.v[i]);
	strs_sort(&l.world);
	strs_uniq(&l.world);
	const struct solve_req req = { .indexes = &s->indexes, .world = &l.world };
	if (!solve(&req, a, &l.set, err))
		return err_wrap(err, "resolving the locked packages");
	*ret = l;
	return true;
}
