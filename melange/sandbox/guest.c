#include "melange/sandbox/guest.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shared/apk/expand.h"
#include "shared/base/log.h"
#include "shared/base/num.h"
#include "shared/image/assemble.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/rootfs/export.h"
#include "shared/rootfs/passwd.h"

/* Part of the key: raised when the same packages would give another tree. */
#define GUEST_FORMAT "guest-1\n"

static void lock_conf(const struct imgconf *env, const struct apk_arch *arch,
	const struct strs *locked, struct arena *a, struct imgconf *ret)
{
	imgconf_copy(env, a, ret);
	ret->contents.packages = (struct ystrs){ 0 };
	for (size_t i = 0; i < locked->n; i++)
		vec_push(a, &ret->contents.packages, (struct ystr){ locked->v[i], NULL });
	ret->archs = (struct ystrs){ 0 };
	vec_push(a, &ret->archs, (struct ystr){ str_of(arch->oci), NULL });
}

/* Everything the tree depends on: description, packages by content, keys, repositories. */
static bool guest_key(const struct imgconf *conf, const struct image_solution *sol,
	const struct image_repos *repos, const struct keyring *keys, struct arena *a, char **ret_key,
	struct err *err)
{
	auto_buf struct buf b = BUF_INIT(64 << 20);
	buf_adds(&b, GUEST_FORMAT);
	if (!imgconf_json(conf, &b, err))
		return false;
	buf_addc(&b, '\n');
	for (size_t i = 0; i < sol->set.n; i++) {
		buf_addstr(&b, apk_pkg_nv(sol->set.pkgs[i], a));
		buf_addc(&b, ' ');
		buf_addstr(&b, apk_pkg_q(sol->set.pkgs[i], a));
		buf_addc(&b, '\n');
	}
	for (size_t i = 0; i < repos->build.n; i++)
		buf_printf(&b, "%.*s\n", STR_ARG(repos->build.v[i]));
	for (size_t i = 0; i < keys->n; i++)
		buf_printf(&b, "%.*s\n%.*s\n", STR_ARG(keys->v[i].name), STR_ARG(keys->v[i].pem));
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, b.p, b.n, md);
	*ret_key = arena_alloc(a, 2 * SHA256_SIZE + 1);
	hex_encode(md, SHA256_SIZE, *ret_key);
	return true;
}

struct unpack_job {
	const struct guest_req *req;
	const struct apk_file *files;
};

static bool unpack_one(size_t i, unsigned slot, void *user, struct err *err)
{
	(void)slot;
	const struct unpack_job *j = user;
	return apk_unpack_tree(j->req->store, &j->files[i], err);
}

static const char *tree_dir(const void *owner, void *user, struct arena *a)
{
	const struct guest_req *req = user;
	const struct apk_file *f = owner;
	return store_path(req->store, STORE_TREE,
		arena_strndup(a, f->data.id.p, f->data.id.n), a);
}

static bool fill(const struct guest_req *req, const struct assemble_req *ar, const char *key,
	struct arena *a, struct err *err)
{
	struct unpack_job job = { req, ar->files };
	if (!pool_each(req->pool, ar->n_files, unpack_one, &job, err))
		return false;
	struct assemble_result built = { 0 };
	if (!assemble(ar, a, &built, err))
		return false;
	auto_store_new struct store_new out = { .fd = -1 };
	bool ok = store_begin_dir(req->store, &out, err) &&
		export_dir(&built.tree, out.path,
			&(struct export_dir_opts){ .tree_of = tree_dir, .user = (void *)req }, err) &&
		store_commit(&out, STORE_GUEST, key, err);
	assemble_release(&built);
	return ok;
}

static bool fetch_and_fill(const struct guest_req *req, const struct imgconf *conf,
	const struct image_solution *sol, const struct image_repos *repos,
	const struct keyring *keys, const char *key, struct arena *a, struct err *err)
{
	size_t n = sol->set.n;
	struct apk_file *files = arena_array(a, struct apk_file, n ? n : 1);
	const struct apk_fetch fetch = { .store = req->store, .pool = req->pool,
		.http = req->http, .limits.keys = req->ignore_signatures ? NULL : keys };
	if (!apk_fetch_all(&fetch, sol->set.pkgs, n, a, files, err))
		return false;
	struct assemble_req ar = {
		.conf = conf,
		.arch = req->arch,
		.keys = keys,
		.build_repos = repos->build,
		.runtime_repos = repos->runtime,
		.world = sol->locked,
		.files = files,
		.n_files = n,
	};
	bool ok = fill(req, &ar, key, a, err);
	for (size_t i = 0; i < n; i++)
		apk_file_close(&files[i]);
	return ok;
}

bool guest_make(const struct guest_req *req, struct arena *a, struct guest *ret, struct err *err)
{
	const struct image_append add = { .keys = req->keys, .build_repos = req->repos,
		.packages = req->packages };
	struct image_repos repos = { 0 };
	image_repos(req->env, &add, a, &repos);
	auto_keyring struct keyring keys = { 0 };
	keyring_init(&keys, a);
	keys.later = true;
	if (!image_keys(&repos, req->http, a, &keys, err))
		return false;
	const struct repo_opts ro = {
		.keys = &keys,
		.ignore_signatures = req->ignore_signatures,
		.store = req->store,
		.http = req->http,
	};
	struct image_solution sol = { 0 };
	if (!image_resolve(req->env, &add, &req->arch, 1, &ro, a, &sol, err))
		return false;

	struct imgconf conf;
	lock_conf(req->env, req->arch, &sol.locked, a, &conf);
	char *key = NULL;
	if (!guest_key(&conf, &sol, &repos, &keys, a, &key, err))
		return false;
	if (!store_has(req->store, STORE_GUEST, key) &&
		!fetch_and_fill(req, &conf, &sol, &repos, &keys, key, a, err))
		return false;
	ret->dir = store_path(req->store, STORE_GUEST, key, a);
	ret->locked = sol.locked;
	return true;
}

/* A small text file beneath a root; empty when there is none. */
static bool read_in(int root, const char *path, struct arena *a, struct str *ret, struct err *err)
{
	auto_err struct err opening = ERR_INIT;
	auto_fd int fd = path_open_in(root, path, O_RDONLY | O_CLOEXEC, 0, &opening);
	if (fd < 0) {
		*ret = STR_NONE;
		return opening.kind == EK_NOTFOUND || err_move(err, &opening);
	}
	auto_buf struct buf b = BUF_INIT(4 << 20);
	if (!fd_read_all(fd, path, &b, err))
		return false;
	*ret = arena_str(a, buf_str(&b));
	return true;
}

bool guest_ids_read(const char *root, struct arena *a, struct guest_ids *ret, struct err *err)
{
	auto_fd int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the guest '%s'", root);
	return read_in(fd, "etc/passwd", a, &ret->passwd, err) &&
		read_in(fd, "etc/group", a, &ret->group, err);
}

bool guest_run_as(const struct guest_ids *ids, struct ystr run_as, int64_t *ret_uid,
	int64_t *ret_gid, struct err *err)
{
	*ret_uid = *ret_gid = -1;
	if (run_as.s.n == 0)
		return true;
	uint64_t number;
	bool numeric = num_u64(run_as.s, 10, &number);
	struct str rest = ids->passwd, line;
	while (str_next(&rest, '\n', &line)) {
		struct str field[7], left = line;
		size_t n = 0;
		while (n < 7 && str_next(&left, ':', &field[n]))
			n++;
		uint64_t uid, gid;
		if (n < 4 || !num_u64(field[2], 10, &uid) || !num_u64(field[3], 10, &gid))
			continue;
		if (numeric ? uid != number : !str_eq(field[0], run_as.s))
			continue;
		*ret_uid = (int64_t)uid;
		*ret_gid = (int64_t)gid;
		return true;
	}
	if (str_is(run_as.s, "root")) {
		*ret_uid = *ret_gid = 0;
		return true;
	}
	if (!numeric) {
		struct pos where = run_as.at ? run_as.at->pos : (struct pos){ 0 };
		err_at(err, where, "run-as names the user '%.*s', whom the guest does not have",
			STR_ARG(run_as.s));
		return err_hint(err, "add it under environment.accounts.users");
	}
	if (number > UINT32_MAX - 1)
		return err_set(err, EK_PARSE, "run-as: no such uid: '%.*s'", STR_ARG(run_as.s));
	*ret_uid = *ret_gid = (int64_t)number;
	return true;
}
