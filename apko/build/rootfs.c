#include "apko/build/rootfs.h"

#include "apko/build/phase.h"
#include "shared/apk/dep.h"

static bool has(
	const struct rootfs_req *req, const struct apk_file *files, size_t n, struct str name)
{
	const struct image_base *base = &req->ctx->solutions[req->arch].base;
	for (size_t i = 0; i < n; i++)
		if (str_eq(files[i].info.name, name) || image_provides(&files[i].info, name))
			return true;
	return image_base_has(base, name) || image_base_provides(base, name);
}

/* A lock file is installed as it is, so that a package asked for besides has to be in it. */
static bool check_appended(const struct rootfs_req *req, const struct apk_file *files, size_t n,
	struct arena *a, struct err *err)
{
	const struct strs *packages = &req->ctx->req->packages;
	for (size_t i = 0; req->ctx->lock.path && i < packages->n; i++) {
		struct apk_dep d;
		if (!apk_dep_parse(packages->v[i], a, &d, err))
			return false;
		if (d.conflict || has(req, files, n, d.name))
			continue;
		(void)err_set(err, EK_NOTFOUND, "lock file '%s' does not have package '%.*s'",
			req->ctx->lock.path, STR_ARG(d.text));
		return err_hint(err, "make it anew with 'apko lock' and the same --package-append");
	}
	return true;
}

static bool from_files(const struct rootfs_req *req, const struct apk_file *files, size_t n,
	struct arena *a, bool (*fn)(struct assemble_result *r, void *user, struct err *err),
	void *user, struct err *err)
{
	struct context *c = req->ctx;
	const struct assemble_req ar = {
		.conf = &req->locked->conf,
		.arch = c->archs[req->arch],
		.keys = &c->arch_keys[req->arch],
		.build_repos = c->repos.build,
		.runtime_repos = c->repos.runtime,
		.world = req->locked->world,
		.files = files,
		.n_files = n,
		.base = c->solutions[req->arch].base,
		.header_owners = c->req->package_owners,
		.epoch = c->epoch,
		.epoch_set = c->epoch_set,
	};
	struct assemble_result r;
	int64_t at = phase_begin();
	if (!check_appended(req, files, n, a, err) || !assemble(&ar, a, &r, err))
		return false;
	phase_end(&at, "install");
	bool ok = fn(&r, user, err);
	assemble_release(&r);
	return ok;
}

static uint64_t limit(int64_t n)
{
	return n < 0 ? UINT64_MAX : (uint64_t)n;
}

struct apk_fetch rootfs_fetch(struct context *ctx)
{
	return (struct apk_fetch){
		.store = ctx->store,
		.pool = ctx->pool,
		.http = ctx->http,
		.limits = {.max_control = limit(ctx->req->max_control),
			.max_data = limit(ctx->req->max_data),
			.keys = ctx->req->ignore_signatures ? NULL : &ctx->keys},
	};
}

/* What is in the store may have come there under other limits. */
static bool check_limits(const struct apk_fetch *f, const struct apk_file *files, size_t n,
	struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t control = f->limits.max_control, data = f->limits.max_data;
		bool over = control && files[i].control.n > control;
		if (!over && (!data || files[i].data_size <= data))
			continue;
		return err_set(err, EK_PARSE,
			"package '%.*s': %s section: size limit exceeded: limit is %llu bytes",
			STR_ARG(files[i].info.name), over ? "control" : "data",
			(unsigned long long)(over ? control : data));
	}
	return true;
}

bool rootfs_make(const struct rootfs_req *req, struct arena *a,
	bool (*fn)(struct assemble_result *r, void *user, struct err *err), void *user,
	struct err *err)
{
	struct context *c = req->ctx;
	const struct solve_result *set = &req->locked->set;
	struct apk_file *files = arena_array(a, struct apk_file, set->n + 1);
	const struct apk_fetch fetch = rootfs_fetch(c);
	int64_t at = phase_begin();
	if (!apk_fetch_all(&fetch, set->pkgs, set->n, a, files, err))
		return false;
	phase_end(&at, "fetch and verify");
	bool ok = check_limits(&fetch, files, set->n, err) &&
		  from_files(req, files, set->n, a, fn, user, err);
	for (size_t i = 0; i < set->n; i++)
		apk_file_close(&files[i]);
	return ok;
}
