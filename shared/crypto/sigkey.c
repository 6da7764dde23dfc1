#include "shared/crypto/sigkey.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include "shared/os/fd.h"

#define PEM_MAX (64 << 10)
#define BITS_MIN 1024
#define BITS_MAX 16384

struct sigkey {
	EVP_PKEY *pkey;
};

static const EVP_MD *md_of(enum digest_alg alg)
{
	switch (alg) {
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA512:
		return EVP_sha512();
	}
	BUG("unknown digest %d", (int)alg);
}

static bool fail_crypto(struct err *err, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	ERR_clear_error();
	return err_set(err, EK_OTHER, "%s: %s", what, reason ? reason : "unknown reason");
}

static struct sigkey *wrap(EVP_PKEY *pkey)
{
	struct sigkey *k = calloc(1, sizeof(*k));
	if (!k)
		BUG("out of memory");
	k->pkey = pkey;
	ERR_clear_error();
	return k;
}

/* Takes pkey when it fails. */
static struct sigkey *checked(EVP_PKEY *pkey, bool ec_too, const char *name, struct err *err)
{
	bool rsa = EVP_PKEY_is_a(pkey, "RSA");
	int bits = EVP_PKEY_get_bits(pkey);
	char curve[64];
	if (!rsa && !(ec_too && EVP_PKEY_is_a(pkey, "EC")))
		err_set(err, EK_TRUST, "key '%s' is of an unsupported kind", name);
	else if (rsa && (bits < BITS_MIN || bits > BITS_MAX))
		err_set(err, EK_TRUST, "key '%s' has %d bits, outside %d to %d", name, bits,
			BITS_MIN, BITS_MAX);
	else if (!rsa && !EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL))
		err_set(err, EK_TRUST, "key '%s' is on no named curve", name);
	else
		return wrap(pkey);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return NULL;
}

static int no_password(char *buf unused_arg, int size unused_arg, int rw unused_arg, void *user)
{
	*(bool *)user = true;
	return -1;
}

struct sigkey *sigkey_load_private(const char *path, struct err *err)
{
	auto_buf struct buf pem = BUF_INIT(PEM_MAX);
	if (!file_read(path, &pem, err))
		return NULL;
	BIO *bio = BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n);
	if (!bio)
		BUG("out of memory");
	bool encrypted = false;
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, &encrypted);
	BIO_free(bio);
	if (pem.p)
		OPENSSL_cleanse(pem.p, pem.cap);
	if (pkey)
		return checked(pkey, false, path, err);
	ERR_clear_error();
	if (encrypted) {
		err_set(err, EK_PARSE, "private key '%s' is encrypted", path);
		err_hint(err, "decrypt it with 'openssl rsa' first");
	} else {
		err_set(err, EK_PARSE, "'%s' is not a private key in PEM form", path);
	}
	return NULL;
}

static EVP_PKEY *decode_public(const char *label, const unsigned char *der, long n)
{
	const unsigned char *p = der;
	EVP_PKEY *pkey = NULL;
	if (strcmp(label, PEM_STRING_PUBLIC) == 0)
		pkey = d2i_PUBKEY(NULL, &p, n);
	else if (strcmp(label, PEM_STRING_RSA_PUBLIC) == 0)
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, n);
	if (pkey && p != der + n) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

struct sigkey *sigkey_read_public(struct str pem, const char *name, struct err *err)
{
	char *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *pkey = NULL;
	long n = 0;
	if (pem.n && pem.n <= PEM_MAX) {
		BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
		if (!bio)
			BUG("out of memory");
		if (PEM_read_bio(bio, &label, &header, &der, &n) == 1)
			pkey = decode_public(label, der, n);
		BIO_free(bio);
	}
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_free(der);
	if (pkey)
		return checked(pkey, true, name, err);
	ERR_clear_error();
	err_set(err, EK_PARSE, "'%s' is not a public key in PEM form", name);
	return NULL;
}

bool sigkey_is_rsa(const struct sigkey *k)
{
	return EVP_PKEY_is_a(k->pkey, "RSA");
}

unsigned sigkey_bits(const struct sigkey *k)
{
	return (unsigned)EVP_PKEY_get_bits(k->pkey);
}

void sigkey_id(const struct sigkey *k, uint8_t ret_id[SIGKEY_ID_SIZE])
{
	uint8_t md[SHA512_SIZE];
	unsigned char *p = NULL;
	int n = i2d_PublicKey(k->pkey, &p);
	if (n <= 0)
		BUG("a key without a public part");
	digest_once(DIGEST_SHA512, p, (size_t)n, md);
	OPENSSL_free(p);
	memcpy(ret_id, md, SIGKEY_ID_SIZE);
}

struct sigkey *sigkey_generate(unsigned bits, struct err *err)
{
	if (bits < 2048 || bits > BITS_MAX) {
		err_set(err, EK_USAGE, "cannot make a key of %u bits: 2048 to %d are possible",
			bits, BITS_MAX);
		return NULL;
	}
	EVP_PKEY *pkey = EVP_RSA_gen(bits);
	if (pkey)
		return wrap(pkey);
	fail_crypto(err, "cannot generate a key");
	return NULL;
}

static bool write_pem(const struct sigkey *k, bool private, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(private ? BIO_s_secmem() : BIO_s_mem());
	if (!bio)
		BUG("out of memory");
	char *p = NULL;
	bool ok = private ? PEM_write_bio_PrivateKey_traditional(
				    bio, k->pkey, NULL, NULL, 0, NULL, NULL)
			  : PEM_write_bio_PUBKEY(bio, k->pkey);
	long n = ok ? BIO_get_mem_data(bio, &p) : 0;
	ok = n > 0;
	if (ok)
		buf_add(out, p, (size_t)n);
	BIO_free(bio);
	if (!ok)
		return fail_crypto(err, "cannot write a key");
	return !out->over || err_set(err, EK_OTHER, "cannot write a key: no room");
}

bool sigkey_private_pem(const struct sigkey *k, struct buf *out, struct err *err)
{
	return write_pem(k, true, out, err);
}

bool sigkey_public_pem(const struct sigkey *k, struct buf *out, struct err *err)
{
	return write_pem(k, false, out, err);
}

static bool setup(EVP_PKEY_CTX *ctx, const struct sigkey *k, enum digest_alg alg)
{
	return (!sigkey_is_rsa(k) || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0) &&
	       EVP_PKEY_CTX_set_signature_md(ctx, md_of(alg)) > 0;
}

bool sigkey_sign(const struct sigkey *k, enum digest_alg alg, const uint8_t *md, struct buf *out,
	struct err *err)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (!ctx)
		BUG("out of memory");
	size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
	unsigned char *sig = (unsigned char *)buf_room(out, n);
	bool ok = sig && EVP_PKEY_sign_init(ctx) > 0 && setup(ctx, k, alg) &&
		  EVP_PKEY_sign(ctx, sig, &n, md, digest_size(alg)) > 0;
	EVP_PKEY_CTX_free(ctx);
	if (!sig)
		return err_set(err, EK_OTHER, "cannot sign: no room for the signature");
	if (!ok)
		return fail_crypto(err, "cannot sign");
	out->n += n;
	out->p[out->n] = '\0';
	return true;
}

bool sigkey_verify(const struct sigkey *k, enum digest_alg alg, const uint8_t *md, const void *sig,
	size_t sig_n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (!ctx)
		BUG("out of memory");
	bool ok = EVP_PKEY_verify_init(ctx) > 0 && setup(ctx, k, alg) &&
		  EVP_PKEY_verify(ctx, sig, sig_n, md, digest_size(alg)) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

void sigkey_free(struct sigkey *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

void sigkey_freep(struct sigkey **k)
{
	sigkey_free(*k);
	*k = NULL;
}
