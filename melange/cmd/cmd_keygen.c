#include "melange/cmd/cmd.h"

#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/crypto/sigkey.h"
#include "shared/os/fd.h"

struct keygen {
	int64_t key_size;
	bool force;
};

static const struct opt opts[] = {
	{ "key-size", 0, OPT_INT, offsetof(struct keygen, key_size), "4096", "BITS",
		"size of the RSA key, at least 2048", 0 },
	{ "force", 0, OPT_BOOL, offsetof(struct keygen, force), NULL, NULL,
		"replace keys that exist", 0 },
	{ 0 },
};

static bool absent(const char *path, struct err *err)
{
	if (access(path, F_OK) != 0)
		return true;
	err_set(err, EK_OTHER, "the key '%s' exists", path);
	return err_hint(err, "choose another name, or replace it with --force");
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct keygen *k = req;
	const char *name = args->n ? args->v[0].p : "melange.rsa";
	const char *pub = arena_printf(a, "%s.pub", name);
	if (k->key_size < 2048 || k->key_size > 16384)
		return err_set(err, EK_USAGE, "key size %lld is not between 2048 and 16384",
			(long long)k->key_size);
	if (!k->force && (!absent(name, err) || !absent(pub, err)))
		return false;
	log_info("generating keypair with a %lld bit prime, please wait...",
		(long long)k->key_size);
	auto_sigkey struct sigkey *key = sigkey_generate((unsigned)k->key_size, err);
	auto_buf struct buf priv_pem = BUF_INIT(1 << 20), pub_pem = BUF_INIT(1 << 20);
	if (!key || !sigkey_private_pem(key, &priv_pem, err) ||
		!sigkey_public_pem(key, &pub_pem, err) ||
		!file_write(name, priv_pem.p, priv_pem.n, 0600, err) ||
		!file_write(pub, pub_pem.p, pub_pem.n, 0644, err))
		return false;
	log_info("wrote private key to %s", name);
	log_info("wrote public key to %s", pub);
	return true;
}

const struct cmd cmd_keygen = {
	.name = "keygen",
	.args = "[NAME]",
	.summary = "make a key for signing packages and indexes",
	.opts = opts,
	.req_size = sizeof(struct keygen),
	.min_args = 0,
	.max_args = 1,
	.run = run,
};
