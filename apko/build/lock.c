#include "apko/build/lock.h"

#include "apko/build/context.h"
#include "apko/build/rootfs.h"
#include "shared/os/fd.h"

static const char *output_path(const struct apko_req *req, const char *ending, struct arena *a)
{
	struct str config = str_of(req->config);
	size_t dir = (size_t)(str_rchr(config, '/') + 1);
	long dot = str_rchr(str_from(config, dir), '.');
	if (*req->output)
		return req->output;
	return arena_printf(a, "%.*s.%s",
		STR_ARG(dot < 0 ? config : str_sub(config, 0, dir + (size_t)dot)), ending);
}

static void add_package(
	struct lockfile *l, const struct apk_pkg *p, const struct apk_file *f, struct arena *a)
{
	vec_push(a, &l->pkgs,
		(struct lock_pkg){
			.name = p->name,
			.url = image_public_line(apk_pkg_url(p, a), a),
			.version = p->version,
			.arch = p->arch,
			.checksum = apk_pkg_q(&f->info, a),
			.file = f,
		});
}

static bool add_arch(struct context *c, size_t arch, struct lockfile *l, struct err *err)
{
	const struct solve_result *set = &c->solutions[arch].set;
	struct apk_file *files = arena_array(c->arena, struct apk_file, set->n + 1);
	const struct apk_fetch fetch = rootfs_fetch(c);
	struct strs keys = {0};
	for (size_t i = 0; i < c->plain.contents.keyring.n; i++)
		strs_push(c->arena, &keys, c->plain.contents.keyring.v[i].s);
	lockfile_add_keys(l, &c->arch_keys[arch], &keys, c->arena);
	lockfile_add_repos(l, &c->plain, c->archs[arch], &c->solutions[arch].indexes, c->arena);
	if (!apk_fetch_all(&fetch, set->pkgs, set->n, c->arena, files, err))
		return false;
	for (size_t i = 0; i < set->n; i++) {
		add_package(l, set->pkgs[i], &files[i], c->arena);
		apk_file_close(&files[i]);
	}
	return true;
}

static bool write_lock(struct context *c, const char *path, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(256u << 20);
	struct lockfile l = {
		.path = path,
		.config_name = str_of(c->req->config),
		.config_checksum = lockfile_checksum(&c->sources, c->arena),
	};
	for (size_t i = 0; i < c->n_archs; i++)
		if (!add_arch(c, i, &l, err))
			return false;
	lockfile_write(&l, c->arena, &out);
	return file_write(path, out.p, out.n, 0644, err);
}

bool lock_all(const struct apko_req *req, const char *ending, struct arena *a, struct err *err)
{
	const char *path = output_path(req, ending, a);
	struct apko_req r = *req;
	struct context ctx;
	r.output = NULL;
	bool ok = context_open(&r, CONTEXT_APART, a, &ctx, err) && write_lock(&ctx, path, err);
	context_release(&ctx);
	return ok;
}
