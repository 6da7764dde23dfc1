#include "melange/cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/expand.h"
#include "shared/apk/index.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/store/pool.h"

/* `sign`: the signature member of packages is replaced; control and data stay byte for byte. */

struct sign {
	const char *key;
};

static const struct opt sign_opts[] = {
	{ "signing-key", 'k', OPT_STR, offsetof(struct sign, key), "local-melange.rsa", "FILE",
		"private RSA key", 0 },
	{ 0 },
};

/* The signature carries the time of .PKGINFO, which stands first in the control section. */
static bool control_time(const struct apk_control *c, const char *name, struct arena *a,
	int64_t *ret_time, struct err *err)
{
	struct mem_source src;
	mem_source_init(&src, c->control_tar);
	struct tar_reader r;
	tar_reader_init(&r, &src.src, name, a);
	struct tar_entry e;
	int got = tar_next(&r, &e, err);
	if (got < 0)
		return false;
	if (got == 0 || !str_is(e.name, ".PKGINFO"))
		return err_set(err, EK_PARSE,
			"%s: unexpected file in control section: .PKGINFO must come first", name);
	*ret_time = e.mtime;
	return true;
}

static bool write_signed(int in, const char *path, const struct apk_control *c,
	const struct buf *sig, mode_t mode, struct err *err)
{
	struct stat st;
	if (fstat(in, &st) != 0)
		return err_sys(err, "cannot read '%s'", path);
	auto_outfile struct outfile out = OUTFILE_INIT;
	off_t from = (off_t)c->sig_size;
	return outfile_open(&out, path, mode, err) &&
		fd_write_all(out.fd, sig->p, sig->n, path, err) &&
		fd_copy(in, from, out.fd, st.st_size - from, path, err) &&
		outfile_commit(&out, false, err);
}

static bool sign_package(const char *path, const struct sigkey *key, const char *key_path,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_fd int in = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (in < 0 || fstat(in, &st) != 0)
		return err_sys(err, "cannot open '%s'", path);
	struct apk_control c;
	int64_t when = 0;
	if (!apk_read_control(in, path, &a, &c, err) || !control_time(&c, path, &a, &when, err))
		return false;
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, c.control_gz.p, c.control_gz.n, md);
	auto_buf struct buf sig = BUF_INIT(1 << 20);
	if (!apk_sign_member(key, key_path, md, when, &sig, err))
		return false;
	log_info("signing %s", path);
	return write_signed(in, path, &c, &sig, st.st_mode & 07777, err);
}

struct signing {
	const struct strs *paths;
	const struct sigkey *key;
	const char *key_path;
};

static bool sign_one(size_t i, unsigned slot, void *user, struct err *err)
{
	(void)slot;
	const struct signing *s = user;
	return sign_package(s->paths->v[i].p, s->key, s->key_path, err);
}

static bool run_sign(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)a;
	const struct sign *s = req;
	auto_sigkey struct sigkey *key = sigkey_load_private(s->key, err);
	if (!key)
		return err_hint(err, "name the key with --signing-key, or make one with 'melange keygen'");
	struct pool *pool = pool_new(0);
	struct signing job = { args, key, s->key };
	bool ok = pool_each(pool, args->n, sign_one, &job, err);
	pool_free(pool);
	return ok;
}

const struct cmd cmd_sign = {
	.name = "sign",
	.args = "APK...",
	.summary = "sign packages in place",
	.opts = sign_opts,
	.req_size = sizeof(struct sign),
	.min_args = 1,
	.max_args = -1,
	.run = run_sign,
};

/* `sign-index` */

struct sign_index {
	const char *key;
	bool force;
};

static const struct opt sign_index_opts[] = {
	{ "signing-key", 0, OPT_STR, offsetof(struct sign_index, key), "melange.rsa", "FILE",
		"private RSA key", 0 },
	{ "force", 'f', OPT_BOOL, offsetof(struct sign_index, force), NULL, NULL,
		"replace a signature that is there", 0 },
	{ 0 },
};

/* Whether the first member is a signature. */
static bool is_signed(struct str bytes, const char *path, bool *ret, struct err *err)
{
	auto_buf struct buf member = BUF_INIT(300u << 20);
	size_t used;
	if (!gz_inflate_member(bytes, path, &member, &used, err))
		return false;
	*ret = str_starts(buf_str(&member), S(".SIGN.RSA"));
	return true;
}

static bool resign(struct str bytes, const struct sign_index *s, const struct sigkey *key,
	const char *path, struct arena *a, struct buf *out, struct err *err)
{
	struct apk_index index = { 0 };
	const struct index_read_opts opts = { .name = path };
	return index_read(bytes, &opts, a, &index, err) && index_write(&index, key, s->key, out, err);
}

static bool run_sign_index(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct sign_index *s = req;
	const char *path = args->v[0].p;
	auto_buf struct buf in = BUF_INIT(1u << 30), out = BUF_INIT(1u << 30);
	bool has = false;
	if (!file_read(path, &in, err) || !is_signed(buf_str(&in), path, &has, err))
		return false;
	if (has && !s->force) {
		log_info("index %s is already signed, doing nothing", path);
		return true;
	}
	auto_sigkey struct sigkey *key = sigkey_load_private(s->key, err);
	if (!key)
		return err_hint(err, "name the key with --signing-key, or make one with 'melange keygen'");
	bool ok = has ? resign(buf_str(&in), s, key, path, a, &out, err)
		: index_sign(buf_str(&in), key, s->key, &out, err);
	if (!ok || !file_write(path, out.p, out.n, 0644, err))
		return false;
	log_info("signed index %s with key %s", path, s->key);
	return true;
}

const struct cmd cmd_sign_index = {
	.name = "sign-index",
	.args = "FILE",
	.summary = "sign an APK index",
	.opts = sign_index_opts,
	.req_size = sizeof(struct sign_index),
	.min_args = 1,
	.max_args = 1,
	.run = run_sign_index,
};
