#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include "shared/base/compiler.h"

/* The functions of libcrypto that we use, under their own names, each passing on to the library,
 * which is loaded when the first of them is called: it takes longer to relocate than many a command
 * takes that digests and verifies nothing. */

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define LIBRARY "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

#define FUNCTIONS(F)                                                                               \
	F(long, BIO_ctrl, (BIO * b, int cmd, long n, void *p), (b, cmd, n, p))                     \
	F(int, BIO_free, (BIO * b), (b))                                                           \
	F(BIO *, BIO_new, (const BIO_METHOD *m), (m))                                              \
	F(BIO *, BIO_new_mem_buf, (const void *p, int n), (p, n))                                  \
	F(const BIO_METHOD *, BIO_s_mem, (void), ())                                               \
	F(const BIO_METHOD *, BIO_s_secmem, (void), ())                                            \
	F(void, CRYPTO_free, (void *p, const char *file, int line), (p, file, line))               \
	F(void, ERR_clear_error, (void), ())                                                       \
	F(unsigned long, ERR_peek_last_error, (void), ())                                          \
	F(const char *, ERR_reason_error_string, (unsigned long e), (e))                           \
	F(int, EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *md, unsigned *n), (c, md, n))   \
	F(int, EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *t, const OSSL_PARAM p[]),        \
		(c, t, p))                                                                         \
	F(int, EVP_DigestUpdate, (EVP_MD_CTX * c, const void *p, size_t n), (c, p, n))             \
	F(void, EVP_MD_CTX_free, (EVP_MD_CTX * c), (c))                                            \
	F(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())                                                \
	F(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * c, const char *alg, const char *props),          \
		(c, alg, props))                                                                   \
	F(void, EVP_PKEY_CTX_free, (EVP_PKEY_CTX * c), (c))                                        \
	F(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_pkey,                                              \
		(OSSL_LIB_CTX * c, EVP_PKEY * k, const char *props), (c, k, props))                \
	F(int, EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX * c, int pad), (c, pad))                \
	F(int, EVP_PKEY_CTX_set_signature_md, (EVP_PKEY_CTX * c, const EVP_MD *md), (c, md))       \
	F(void, EVP_PKEY_free, (EVP_PKEY * k), (k))                                                \
	F(int, EVP_PKEY_get_bits, (const EVP_PKEY *k), (k))                                        \
	F(int, EVP_PKEY_get_group_name, (const EVP_PKEY *k, char *s, size_t n, size_t *ret_n),     \
		(k, s, n, ret_n))                                                                  \
	F(int, EVP_PKEY_get_size, (const EVP_PKEY *k), (k))                                        \
	F(int, EVP_PKEY_is_a, (const EVP_PKEY *k, const char *name), (k, name))                    \
	F(int, EVP_PKEY_sign,                                                                      \
		(EVP_PKEY_CTX * c, unsigned char *sig, size_t *sig_n, const unsigned char *p,      \
			size_t n),                                                                 \
		(c, sig, sig_n, p, n))                                                             \
	F(int, EVP_PKEY_sign_init, (EVP_PKEY_CTX * c), (c))                                        \
	F(int, EVP_PKEY_verify,                                                                    \
		(EVP_PKEY_CTX * c, const unsigned char *sig, size_t sig_n, const unsigned char *p, \
			size_t n),                                                                 \
		(c, sig, sig_n, p, n))                                                             \
	F(int, EVP_PKEY_verify_init, (EVP_PKEY_CTX * c), (c))                                      \
	F(const EVP_MD *, EVP_sha1, (void), ())                                                    \
	F(const EVP_MD *, EVP_sha256, (void), ())                                                  \
	F(const EVP_MD *, EVP_sha512, (void), ())                                                  \
	F(void, OPENSSL_cleanse, (void *p, size_t n), (p, n))                                      \
	F(int, PEM_read_bio,                                                                       \
		(BIO * b, char **name, char **header, unsigned char **data, long *n),              \
		(b, name, header, data, n))                                                        \
	F(EVP_PKEY *, PEM_read_bio_PrivateKey,                                                     \
		(BIO * b, EVP_PKEY * *k, pem_password_cb * cb, void *user), (b, k, cb, user))      \
	F(int, PEM_write_bio_PUBKEY, (BIO * b, const EVP_PKEY *k), (b, k))                         \
	F(int, PEM_write_bio_PrivateKey_traditional,                                               \
		(BIO * b, const EVP_PKEY *k, const EVP_CIPHER *e, const unsigned char *s, int n,   \
			pem_password_cb *cb, void *user),                                          \
		(b, k, e, s, n, cb, user))                                                         \
	F(void, X509_free, (X509 * x), (x))                                                        \
	F(EVP_PKEY *, d2i_PUBKEY, (EVP_PKEY * *k, const unsigned char **p, long n), (k, p, n))     \
	F(EVP_PKEY *, d2i_PublicKey,                                                               \
		(int type, EVP_PKEY * *k, const unsigned char **p, long n), (type, k, p, n))       \
	F(X509 *, d2i_X509, (X509 * *x, const unsigned char **p, long n), (x, p, n))               \
	F(int, i2d_PublicKey, (const EVP_PKEY *k, unsigned char **p), (k, p))

#define POINTER(type, name, params, args) type(*name) params;
static struct {
	FUNCTIONS(POINTER)
	__typeof__(&EVP_PKEY_Q_keygen) EVP_PKEY_Q_keygen;
} real;

#define ENTRY(type, name, params, args) { #name, &real.name },
static const struct {
	const char *name;
	void *to;
} entries[] = { FUNCTIONS(ENTRY) { "EVP_PKEY_Q_keygen", &real.EVP_PKEY_Q_keygen } };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!lib)
		BUG("cannot load a library that this program needs: %s", dlerror());
	for (size_t i = 0; i < countof(entries); i++) {
		void *f = dlsym(lib, entries[i].name);
		if (!f)
			BUG("%s has no '%s'", LIBRARY, entries[i].name);
		memcpy(entries[i].to, &f, sizeof(f));
	}
}

#define FORWARD(type, name, params, args)                                                          \
	type name params                                                                           \
	{                                                                                          \
		(void)pthread_once(&once, load);                                                   \
		return real.name args;                                                             \
	}
FUNCTIONS(FORWARD)

/* Only for RSA, whose one argument is the number of bits. */
EVP_PKEY *EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *props, const char *type, ...)
{
	va_list ap;
	va_start(ap, type);
	size_t bits = va_arg(ap, size_t);
	va_end(ap);
	(void)pthread_once(&once, load);
	return real.EVP_PKEY_Q_keygen(ctx, props, type, bits);
}
