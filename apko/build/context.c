#include "apko/build/context.h"

#include "apko/build/phase.h"
#include "apko/build/vcs.h"
#include "shared/apk/discovery.h"
#include "shared/base/log.h"
#include "shared/base/tstamp.h"
#include "shared/net/url.h"
#include "shared/os/path.h"

static bool take_times(struct context *c, struct err *err)
{
	if (c->req->build_date && *c->req->build_date &&
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

/* --build-arch is one architecture, whatever the configuration lists. */
static bool take_build_arch(struct context *c, struct err *err)
{
	bool want[APK_ARCHS] = { false };
	if (!add_arch(str_of(c->req->build_arch), want, err))
		return err_wrap(err, "--build-arch");
	for (size_t i = 0; i < APK_ARCHS; i++)
		if (want[i])
			c->archs[c->n_archs++] = &apk_archs[i];
	if (c->n_archs > 1)
		return err_set(err, EK_USAGE, "--build-arch takes one architecture");
	if (c->conf.archs.n)
		log_warn("the configuration's archs are not used, only '%s'", c->archs[0]->oci);
	return true;
}

/* --arch, else the configuration's, else all; sorted by OCI name. */
static bool take_archs(struct context *c, struct err *err)
{
	bool want[APK_ARCHS] = { false };
	if (c->req->build_arch)
		return take_build_arch(c, err);
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
	if (!imgconf_load(req->config, &req->include_paths, c->arena, &c->plain, &c->sources, err))
		return false;
	imgconf_copy(&c->plain, c->arena, &c->conf);
	if (!take_times(c, err) || !take_archs(c, err) || !annotate(c, err))
		return false;
	c->conf.vcs_url.s = vcs_public(c->conf.vcs_url.s, c->arena);
	if (req->vcs && c->conf.vcs_url.s.n == 0)
		c->conf.vcs_url.s = vcs_probe(req->config, c->arena);
	c->append = (struct image_append){ .keys = &req->keys, .build_repos = &req->build_repos,
		.repos = &req->repos, .packages = &req->packages, .roots = &req->include_paths };
	if (req->format && *req->format)
		c->conf.format.s = str_of(req->format);
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

/* Keys */

static bool add_all(struct keyring *to, const struct keyring *from, struct err *err)
{
	for (size_t i = 0; i < from->n; i++) {
		size_t n = to->n;
		if (!keyring_add(to, from->v[i].name, from->v[i].pem, err))
			return false;
		if (to->n > n)
			to->v[n].url = from->v[i].url;
	}
	return true;
}

/* The lock file has the text of a key that was fetched when it was made. */
static bool locked_key(const struct context *c, struct str url, struct str *ret_pem)
{
	for (size_t i = 0; url_is_remote(url) && i < c->lock.keyring.n; i++) {
		const struct lock_key *k = &c->lock.keyring.v[i];
		if (str_eq(k->url, url) && k->content.n) {
			*ret_pem = k->content;
			return true;
		}
	}
	return false;
}

/* Keys that the configuration and the command line name. */
static bool given_keys(struct context *c, struct err *err)
{
	struct image_repos rest = { 0 };
	for (size_t i = 0; i < c->repos.keys.n; i++) {
		struct str url = c->repos.keys.v[i], pem;
		if (!locked_key(c, url, &pem))
			strs_push(c->arena, &rest.keys, url);
		else if (!keyring_add(&c->keys, path_base(url), pem, err))
			return err_wrap(err, "lock file '%s'", c->lock.path);
	}
	return image_keys(&rest, c->http, c->arena, &c->keys, err);
}

/* Keys that repositories announce: those the lock file was made with, else as they are now. */
static bool announced_keys(struct context *c, size_t arch, struct err *err)
{
	struct keyring *to = &c->arch_keys[arch];
	bool locked = false;
	for (size_t i = 0; i < c->lock.keyring.n; i++) {
		const struct lock_key *k = &c->lock.keyring.v[i];
		if (strs_has(&c->repos.keys, k->url) || !url_is_remote(k->url) || !k->content.n)
			continue;
		if (!keyring_add(to, path_base(k->url), k->content, err))
			return err_wrap(err, "lock file '%s'", c->lock.path);
		locked = true;
	}
	return locked || discovery_fetch(c->http, &c->repos.build, str_of(c->archs[arch]->apk), to,
		err);
}

static bool open_keys(struct context *c, struct err *err)
{
	if (!given_keys(c, err))
		return false;
	for (size_t i = 0; i < c->n_archs; i++) {
		keyring_init(&c->arch_keys[i], c->arena);
		c->arch_keys[i].later = true;
		if (!add_all(&c->arch_keys[i], &c->keys, err))
			return false;
	}
	for (size_t i = 0; i < c->n_archs; i++)
		if (!announced_keys(c, i, err) || !add_all(&c->keys, &c->arch_keys[i], err))
			return false;
	/* else whoever verifies an index looks at them */
	return !c->lock.path || keyring_check(&c->keys, err);
}

/* Solutions */

static bool resolve(struct context *c, size_t first, size_t n, struct err *err)
{
	const struct repo_opts ro = {
		.keys = &c->keys,
		.ignore_signatures = c->req->ignore_signatures,
		.store = c->store,
		.http = c->http,
		.max_inflated = c->req->max_index < 0 ? UINT64_MAX : (uint64_t)c->req->max_index,
	};
	return image_resolve(&c->conf, &c->append, c->archs + first, n, &ro, c->arena,
		c->solutions + first, err);
}

bool context_resolve(struct context *ctx, size_t arch, struct err *err)
{
	if (resolve(ctx, arch, 1, err))
		return true;
	if (ctx->n_archs > 1)
		(void)err_wrap(err, "for arch \"%s\"", ctx->archs[arch]->oci);
	return false;
}

/* What keeps an image from being built, told before anything is resolved. */
static bool check_buildable(const struct context *ctx, struct err *err)
{
	const struct apko_req *req = ctx->req;
	const struct imgconf *c = &ctx->conf;
	if (!req->tag && !req->output)
		return true;
	if (c->contents.baseimage && (!req->lockfile || !*req->lockfile))
		return err_set(err, EK_USAGE, "a base image needs a lock file\n"
			"hint: make one with 'apko lock', and name it with --lockfile");
	struct str format = c->format.s;
	if (format.n == 0 || str_is(format, "tar"))
		return true;
	if (str_is(format, "erofs"))
		return err_set(err, EK_USAGE, "layers of format 'erofs' cannot be written\n"
			"hint: use --format tar");
	return err_set(err, EK_USAGE, "unknown format '%.*s'\nhint: use tar", STR_ARG(format));
}

static bool read_lock(struct context *c, struct err *err)
{
	return !c->req->lockfile || !*c->req->lockfile ||
		(lockfile_read(c->req->lockfile, c->arena, &c->lock, err) &&
			lockfile_check(&c->lock, c->req->config, &c->sources, c->arena, err));
}

static bool from_lock(struct context *c, struct err *err)
{
	if (c->repos.build.n == 0)
		return err_set(err, EK_USAGE, "must provide at least one repository\n"
			"hint: list one under contents.repositories, or use --repository-append");
	for (size_t i = 0; i < c->n_archs; i++)
		if (!lockfile_solution(&c->lock, &c->conf, c->archs[i], c->arena,
			    &c->solutions[i], err) ||
			!image_base_load(&c->conf, &c->req->include_paths, c->archs[i], c->arena,
				&c->solutions[i].base, err))
			return false;
	return true;
}

static bool solve_all(struct context *c, enum context_how how, struct err *err)
{
	if (c->lock.path)
		return from_lock(c, err);
	if (how == CONTEXT_TOGETHER)
		return resolve(c, 0, c->n_archs, err);
	for (size_t i = 0; how == CONTEXT_APART && i < c->n_archs; i++)
		if (!context_resolve(c, i, err))
			return false;
	return true;
}

static void say_archs(const struct context *c)
{
	auto_buf struct buf names = BUF_INIT(4096);
	for (size_t i = 0; i < c->n_archs; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", c->archs[i]->oci);
	log_info("building for %s", names.p);
}

bool context_open(const struct apko_req *req, enum context_how how, struct arena *a,
	struct context *ctx, struct err *err)
{
	int64_t at = phase_begin();
	*ctx = (struct context){ .req = req, .arena = a };
	keyring_init(&ctx->keys, a);
	ctx->keys.later = true;
	if (!load(ctx, err))
		return false;
	if (req->tag)
		say_archs(ctx);
	if (!check_buildable(ctx, err) || !read_lock(ctx, err) ||
		!open_services(ctx, err) || !open_keys(ctx, err) || !solve_all(ctx, how, err))
		return false;
	phase_end(&at, "resolve");
	return true;
}

void context_release(struct context *ctx)
{
	for (size_t i = 0; i < ctx->n_archs; i++)
		keyring_release(&ctx->arch_keys[i]);
	keyring_release(&ctx->keys);
	http_free(ctx->http);
	pool_free(ctx->pool);
	store_close(ctx->store);
}

/* World of the image: its packages, what the command line adds, what the base image has. */
static void make_world(struct context *ctx, const struct image_solution *s, struct locked *l)
{
	struct arena *a = ctx->arena;
	const struct ystrs *packages = &l->conf.contents.packages;
	for (size_t i = 0; i < packages->n; i++)
		strs_push(a, &l->world, packages->v[i].s);
	for (size_t i = 0; i < ctx->req->packages.n; i++)
		strs_push(a, &l->world, ctx->req->packages.v[i]);
	image_base_atoms(&s->base, a, &l->world);
	strs_sort(&l->world);
	strs_uniq(&l->world);
}

static void start_locked(struct context *ctx, size_t arch, struct locked *l)
{
	*l = (struct locked){ .set = ctx->solutions[arch].set };
	imgconf_copy(&ctx->conf, ctx->arena, &l->conf);
}

void context_as_is(struct context *ctx, size_t arch, struct locked *ret)
{
	start_locked(ctx, arch, ret);
	struct ystrs *archs = &ret->conf.archs;
	for (size_t i = 0; i < archs->n; i++) {
		const struct apk_arch *known = apk_arch_find(archs->v[i].s);
		if (known)
			archs->v[i].s = str_of(known->oci);
	}
	make_world(ctx, &ctx->solutions[arch], ret);
}

bool context_lock(struct context *ctx, size_t arch, struct locked *ret, struct err *err)
{
	struct arena *a = ctx->arena;
	const struct image_solution *s = &ctx->solutions[arch];
	struct locked l;
	start_locked(ctx, arch, &l);
	l.conf.archs = (struct ystrs){ 0 };
	vec_push(a, &l.conf.archs, (struct ystr){ str_of(s->arch->oci), NULL });
	struct ystrs *packages = &l.conf.contents.packages;
	*packages = (struct ystrs){ 0 };
	for (size_t i = 0; i < s->locked.n; i++)
		vec_push(a, packages, (struct ystr){ s->locked.v[i], NULL });
	if (str_is(l.conf.entrypoint.type.s, "service-bundle"))
		vec_push(a, packages, (struct ystr){ S("s6"), NULL });
	make_world(ctx, s, &l);
	const struct solve_req req = { .indexes = &s->indexes, .world = &l.world };
	if (!ctx->lock.path && !solve(&req, a, &l.set, err))
		return err_wrap(err, "resolving the locked packages");
	*ret = l;
	return true;
}
