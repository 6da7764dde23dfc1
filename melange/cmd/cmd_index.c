#include "melange/cmd/cmd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/expand.h"
#include "shared/apk/index.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/store/pool.h"

struct index_cmd {
	const char *output, *source, *arch, *key;
	bool merge;
};

static const struct opt opts[] = {
	{ "output", 'o', OPT_STR, offsetof(struct index_cmd, output), "APKINDEX.tar.gz", "FILE",
		"index to write", 0 },
	{ "source", 's', OPT_STR, offsetof(struct index_cmd, source), "APKINDEX.tar.gz", "FILE",
		"index to start from with --merge", 0 },
	{ "arch", 'a', OPT_STR, offsetof(struct index_cmd, arch), "", "ARCH",
		"leave out packages of other architectures", 0 },
	{ "signing-key", 0, OPT_STR, offsetof(struct index_cmd, key), "", "FILE",
		"private RSA key to sign the index with", 0 },
	{ "merge", 'm', OPT_BOOL, offsetof(struct index_cmd, merge), NULL, NULL,
		"keep what the source index holds", 0 },
	{ 0 },
};

struct reading {
	const struct strs *paths;
	struct arena *arenas;	/* one per package: several threads read */
	struct apk_pkg *pkgs;
};

static bool read_one(size_t i, unsigned slot, void *user, struct err *err)
{
	(void)slot;
	struct reading *r = user;
	const char *path = r->paths->v[i].p;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(err, "cannot open the package '%s'", path);
	log_info("processing package %s", path);
	struct apk_control c;
	if (!apk_read_control(fd, path, &r->arenas[i], &c, err))
		return false;
	r->pkgs[i] = c.info;
	r->pkgs[i].file_size = (uint64_t)st.st_size;
	return true;
}

/* Leaves out what is of another architecture than asked for; returns how many stay. */
static size_t keep_arch(struct apk_pkg *pkgs, size_t n, const char *arch)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (*arch && !str_is(pkgs[i].arch, arch)) {
			log_warn("%.*s-%.*s: found unexpected architecture %.*s, expecting %s",
				STR_ARG(pkgs[i].name), STR_ARG(pkgs[i].version),
				STR_ARG(pkgs[i].arch), arch);
			continue;
		}
		pkgs[kept++] = pkgs[i];
	}
	return kept;
}

static bool read_source(const struct index_cmd *c, struct arena *a, struct apk_index *ret,
	struct err *err)
{
	if (!c->merge || access(c->source, F_OK) != 0)
		return true;
	auto_buf struct buf bytes = BUF_INIT(1u << 30);
	const struct index_read_opts ro = { .name = c->source };
	return file_read(c->source, &bytes, err) &&
		index_read(arena_str(a, buf_str(&bytes)), &ro, a, ret, err);
}

static bool write_index(const struct index_cmd *c, const struct apk_index *index, struct err *err)
{
	auto_sigkey struct sigkey *key = NULL;
	if (*c->key && !(key = sigkey_load_private(c->key, err)))
		return false;
	auto_buf struct buf out = BUF_INIT(1u << 30);
	return index_write(index, key, c->key, &out, err) &&
		file_write(c->output, out.p, out.n, 0644, err);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct index_cmd *c = req;
	struct reading r = {
		.paths = args,
		.arenas = arena_array(a, struct arena, args->n ? args->n : 1),
		.pkgs = arena_array(a, struct apk_pkg, args->n ? args->n : 1),
	};
	struct pool *pool = pool_new(0);
	bool ok = pool_each(pool, args->n, read_one, &r, err);
	pool_free(pool);
	struct apk_index index = { 0 };
	ok = ok && read_source(c, a, &index, err);
	if (ok) {
		index_merge(&index, r.pkgs, keep_arch(r.pkgs, args->n, c->arch), a);
		ok = write_index(c, &index, err);
	}
	for (size_t i = 0; i < args->n; i++)
		arena_release(&r.arenas[i]);
	if (ok)
		log_info("generated index %s of %zu packages", c->output, index.n);
	return ok;
}

const struct cmd cmd_index = {
	.name = "index",
	.args = "APK...",
	.summary = "make a repository index of packages",
	.opts = opts,
	.req_size = sizeof(struct index_cmd),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
