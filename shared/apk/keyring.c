#include "shared/apk/keyring.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/base/vec.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_PEM (64u << 10)
#define MAX_SIG (16u << 10)
#define MAX_SIGS 64
#define KEY_ENDING S(".rsa.pub")

void keyring_init(struct keyring *k, struct arena *a)
{
	*k = (struct keyring){ .arena = a };
}

void keyring_release(struct keyring *k)
{
	for (size_t i = 0; i < k->n; i++)
		sigkey_free(k->v[i].parsed);
	*k = (struct keyring){ .arena = k->arena, .later = k->later };
}

static const struct keyring_key *find_exact(const struct keyring *k, struct str name)
{
	for (size_t i = 0; i < k->n; i++)
		if (str_eq(k->v[i].name, name))
			return &k->v[i];
	return NULL;
}

bool keyring_add(struct keyring *k, struct str name, struct str pem, struct err *err)
{
	if (!path_is_safe(name) || str_chr(name, '/') >= 0)
		return err_set(err, EK_TRUST, "'%.*s' is not a key name", STR_ARG(name));
	const struct keyring_key *old = find_exact(k, name);
	if (old && str_eq(old->pem, pem))
		return true;
	if (old)
		return err_set(err, EK_TRUST, "two different keys are named '%.*s'", STR_ARG(name));
	struct keyring_key new = {
		.name = arena_str(k->arena, name), .pem = arena_str(k->arena, pem),
	};
	if (!k->later && !keyring_key(&new, err))
		return false;
	vec_push(k->arena, k, new);
	return true;
}

const struct sigkey *keyring_key(const struct keyring_key *key, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct keyring_key *k = (struct keyring_key *)(uintptr_t)key;
	pthread_mutex_lock(&lock);
	if (!k->parsed)
		k->parsed = sigkey_read_public(k->pem, k->name.p, err);
	pthread_mutex_unlock(&lock);
	return k->parsed;
}

bool keyring_check(const struct keyring *k, struct err *err)
{
	for (size_t i = 0; i < k->n; i++)
		if (!keyring_key(&k->v[i], err))
			return false;
	return true;
}

bool keyring_add_file(struct keyring *k, const char *path, struct err *err)
{
	auto_buf struct buf pem = BUF_INIT(MAX_PEM);
	if (!file_read(path, &pem, err))
		return false;
	return keyring_add(k, path_base(str_of(path)), buf_str(&pem), err);
}

bool keyring_add_dir(struct keyring *k, const char *dir, struct err *err)
{
	struct strs names = { 0 };
	if (!dir_names(dir, k->arena, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		char *path = arena_printf(k->arena, "%s/%.*s", dir, STR_ARG(names.v[i]));
		struct stat st;
		if (stat(path, &st) || !S_ISREG(st.st_mode) || st.st_size > MAX_PEM)
			continue;
		auto_buf struct buf pem = BUF_INIT(MAX_PEM);
		if (!file_read(path, &pem, err))
			return false;
		if (str_find(buf_str(&pem), S("PUBLIC KEY-----")) < 0)
			continue;
		if (!keyring_add(k, names.v[i], buf_str(&pem), err))
			return false;
	}
	return true;
}

const struct keyring_key *keyring_find(const struct keyring *k, struct str name)
{
	const struct keyring_key *key = find_exact(k, name);
	return key || !str_chop(&name, KEY_ENDING) ? key : find_exact(k, name);
}

static const struct {
	const char *prefix;
	enum digest_alg alg;
	bool usable;
} algs[] = {
	{ ".SIGN.RSA.", DIGEST_SHA1, true },
	{ ".SIGN.RSA256.", DIGEST_SHA256, true },
	{ ".SIGN.RSA512.", DIGEST_SHA512, true },
	{ ".SIGN.DSA.", DIGEST_SHA1, false },
};

/* false: not the name of a signature. */
static bool sig_name(struct str name, struct apk_sig *ret, bool *ret_usable)
{
	for (size_t i = 0; i < countof(algs); i++) {
		struct str key = name;
		if (!str_skip(&key, str_of(algs[i].prefix)) || !key.n || str_chr(key, '/') >= 0)
			continue;
		ret->alg = algs[i].alg;
		ret->key_name = key;
		*ret_usable = algs[i].usable;
		return true;
	}
	return false;
}

struct sig_list {
	struct apk_sig *v;
	size_t n, cap;
};

static bool take_sig(struct tar_reader *r, const struct tar_entry *e, struct sig_list *list,
	struct err *err)
{
	struct apk_sig sig;
	bool usable;
	if (e->type != '0' || !sig_name(e->name, &sig, &usable))
		return err_set(err, EK_TRUST,
			"%s: failed to find key name in signature file name: %.*s", r->name,
			STR_ARG(e->name));
	if (e->size > MAX_SIG || list->n == MAX_SIGS)
		return err_set(err, EK_TRUST, "%s: signature '%.*s' is over the limit of %u bytes",
			r->name, STR_ARG(e->name), MAX_SIG);
	char *bytes = arena_alloc(r->arena, e->size + 1);
	size_t at = 0;
	while (at < e->size) {
		ssize_t n = tar_read(r, bytes + at, e->size - at, err);
		if (n < 0)
			return false;
		if (n == 0)
			return err_set(err, EK_PARSE, "unexpected end of %s", r->name);
		at += (size_t)n;
	}
	sig.sig = str_n(bytes, e->size);
	if (usable)
		vec_push(r->arena, list, sig);
	return true;
}

bool apk_sigs_parse(struct str tar, const char *name, struct arena *a, struct apk_sig **ret_sigs,
	size_t *ret_n, struct err *err)
{
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	struct sig_list list = { 0 };
	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, name, a);
	int more;
	while ((more = tar_next(&r, &e, err)) > 0)
		if (!take_sig(&r, &e, &list, err))
			return false;
	if (more < 0)
		return false;
	if (r.ended)
		return err_set(err, EK_TRUST, "%s: end of archive inside the signature section",
			name);
	*ret_sigs = list.v;
	*ret_n = list.n;
	return true;
}

/* Go's form of a list: "a b". */
static void known_names(const struct keyring *k, struct buf *out)
{
	for (size_t i = 0; i < k->n; i++) {
		if (i)
			buf_addc(out, ' ');
		buf_addstr(out, k->v[i].name);
	}
}

static bool unknown_keys(const struct keyring *k, const char *name, struct err *err)
{
	auto_buf struct buf names = BUF_INIT(64u << 10);
	known_names(k, &names);
	return err_set(err, EK_TRUST,
		"%s: no signature with known key (one of: [%.*s]) found in repository index", name,
		STR_ARG(buf_str(&names)));
}

bool keyring_verify_digest(const struct keyring *k, const struct apk_sig *sigs, size_t n,
	bool (*fn)(void *ctx, enum digest_alg alg, uint8_t *ret_md, struct err *err), void *ctx,
	const char *name, struct apk_verified *ret, struct err *err)
{
	struct apk_verified have[3];
	bool made[3] = { false };
	size_t known = 0;
	if (!k->n)
		return err_set(err, EK_TRUST, "%s: no keys provided to verify signature", name);
	for (size_t i = 0; i < n; i++) {
		const struct apk_sig *s = &sigs[i];
		const struct keyring_key *key = keyring_find(k, s->key_name);
		if (!key) {
			log_debug("%s: no key '%.*s'", name, STR_ARG(s->key_name));
			continue;
		}
		const struct sigkey *parsed = keyring_key(key, err);
		if (!parsed)
			return false;
		known++;
		if (!made[s->alg] && !fn(ctx, s->alg, have[s->alg].md, err))
			return false;
		made[s->alg] = true;
		have[s->alg].alg = s->alg;
		if (!sigkey_verify(parsed, s->alg, have[s->alg].md, s->sig.p, s->sig.n))
			continue;
		*ret = have[s->alg];
		return true;
	}
	if (!known)
		return unknown_keys(k, name, err);
	return err_set(err, EK_TRUST,
		"%s: signature verification failed for repository index, for all provided keys",
		name);
}

static bool digest_bytes(void *ctx, enum digest_alg alg, uint8_t *ret_md, struct err *err)
{
	const struct str *bytes = ctx;
	(void)err;
	digest_once(alg, bytes->p, bytes->n, ret_md);
	return true;
}

bool keyring_verify(const struct keyring *k, const struct apk_sig *sigs, size_t n,
	struct str signed_bytes, const char *name, struct err *err)
{
	struct apk_verified v;
	return keyring_verify_digest(k, sigs, n, digest_bytes, &signed_bytes, name, &v, err);
}

bool apk_sign_member(const struct sigkey *key, const char *key_path, const uint8_t sha256[32],
	int64_t mtime, struct buf *out, struct err *err)
{
	auto_buf struct buf sig = BUF_INIT(MAX_SIG);
	auto_buf struct buf tar = BUF_INIT(MAX_SIG * 2);
	auto_buf struct buf name = BUF_INIT(4096);
	if (!sigkey_sign(key, DIGEST_SHA256, sha256, &sig, err))
		return false;
	buf_adds(&name, ".SIGN.RSA256.");
	buf_addstr(&name, path_base(str_of(key_path)));
	buf_adds(&name, ".pub");
	struct tar_entry e = {
		.name = buf_str(&name),
		.type = '0',
		.mode = 0644,
		.size = sig.n,
		.mtime = mtime,
		.uname = S("root"),
		.gname = S("root"),
	};
	if (!tar_header(&e, &tar, err))
		return false;
	buf_add(&tar, sig.p, sig.n);
	buf_addzero(&tar, tar_padding(sig.n));
	return gz_deflate(buf_str(&tar), 6, out, err);
}
