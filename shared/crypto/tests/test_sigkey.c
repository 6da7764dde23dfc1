#include "shared/crypto/sigkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/os/fd.h"

static struct sigkey *key;

static int make_key(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	key = sigkey_generate(2048, &err);
	return key ? 0 : -1;
}

static int drop_key(void **state)
{
	(void)state;
	sigkey_freep(&key);
	sigkey_freep(&key);
	return 0;
}

/* A file with this text; the caller removes it. */
static void write_temp(char path[32], const struct buf *text)
{
	strcpy(path, "/tmp/sigkey.XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text->p, text->n), text->n);
	close(fd);
}

static struct sigkey *load_text(const struct buf *text, struct err *err)
{
	char path[32];
	write_temp(path, text);
	struct sigkey *k = sigkey_load_private(path, err);
	unlink(path);
	return k;
}

static void pem_of(EVP_PKEY *pkey, bool private, const EVP_CIPHER *cipher, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	if (private)
		assert_true(
			PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher, "secret", 6, NULL, NULL));
	else
		assert_true(PEM_write_bio_PUBKEY(bio, pkey));
	long n = BIO_get_mem_data(bio, &p);
	buf_add(out, p, (size_t)n);
	BIO_free(bio);
}

static void test_sign(void **state)
{
	(void)state;
	static const enum digest_alg algs[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512};
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(1 << 16);
	assert_true(sigkey_public_pem(key, &pem, &err));
	auto_sigkey struct sigkey *public = sigkey_read_public(buf_str(&pem), "k", &err);
	assert_non_null(public);
	for (size_t i = 0; i < countof(algs); i++) {
		auto_buf struct buf sig = BUF_INIT(1 << 16);
		uint8_t md[DIGEST_MAX];
		digest_once(algs[i], "text", 4, md);
		assert_true(sigkey_sign(key, algs[i], md, &sig, &err));
		assert_int_equal(sig.n, 256);
		assert_true(sigkey_verify(public, algs[i], md, sig.p, sig.n));
		assert_false(sigkey_verify(public, algs[i], md, sig.p, sig.n - 1));
		assert_false(sigkey_verify(public, algs[(i + 1) % 3], md, sig.p, sig.n));
		md[0] ^= 1;
		assert_false(sigkey_verify(public, algs[i], md, sig.p, sig.n));
		md[0] ^= 1;
		sig.p[100] ^= 1;
		assert_false(sigkey_verify(public, algs[i], md, sig.p, sig.n));
		assert_false(sigkey_verify(public, algs[i], md, "", 0));
	}
	auto_buf struct buf sig = BUF_INIT(1 << 16);
	uint8_t md[DIGEST_MAX] = {0};
	assert_false(sigkey_sign(public, DIGEST_SHA256, md, &sig, &err));
	assert_int_equal(sig.n, 0);
}

static void test_private_forms(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(1 << 16), pub = BUF_INIT(1 << 16);
	auto_buf struct buf pub2 = BUF_INIT(1 << 16), pkcs8 = BUF_INIT(1 << 16);
	assert_true(sigkey_private_pem(key, &pem, &err));
	assert_memory_equal(pem.p, "-----BEGIN RSA PRIVATE KEY-----\n", 32);
	auto_sigkey struct sigkey *again = load_text(&pem, &err);
	assert_non_null(again);
	assert_true(sigkey_is_rsa(again));
	assert_int_equal(sigkey_bits(again), 2048);
	assert_true(sigkey_public_pem(key, &pub, &err));
	assert_true(sigkey_public_pem(again, &pub2, &err));
	assert_memory_equal(pub.p, "-----BEGIN PUBLIC KEY-----\n", 27);
	assert_string_equal(pub.p, pub2.p);

	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	pem_of(pkey, true, NULL, &pkcs8);
	assert_memory_equal(pkcs8.p, "-----BEGIN PRIVATE KEY-----\n", 28);
	auto_sigkey struct sigkey *third = load_text(&pkcs8, &err);
	assert_non_null(third);
	buf_clear(&pkcs8);
	pem_of(pkey, true, EVP_aes_128_cbc(), &pkcs8);
	EVP_PKEY_free(pkey);
	assert_null(load_text(&pkcs8, &err));
	assert_non_null(strstr(err.msg, "is encrypted\nhint: "));
}

static void test_bad_private(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf text = BUF_INIT(1 << 16);
	assert_null(sigkey_load_private("/nonexistent/key", &err));
	buf_adds(&text, "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
	assert_null(load_text(&text, &err));
	assert_int_equal(err.kind, EK_PARSE);
	buf_clear(&text);
	assert_null(load_text(&text, &err));
	buf_clear(&text);
	assert_true(sigkey_public_pem(key, &text, &err));
	assert_null(load_text(&text, &err));
	assert_null(sigkey_generate(1024, &err));
	assert_int_equal(err.kind, EK_USAGE);
}

static void test_bad_public(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(1 << 16);
	assert_null(sigkey_read_public(STR_NONE, "k", &err));
	assert_null(sigkey_read_public(S("ssh-rsa AAAA"), "k", &err));
	assert_string_equal(err.msg, "'k' is not a public key in PEM form");
	/* a private key is no public one, though it holds it */
	assert_true(sigkey_private_pem(key, &pem, &err));
	assert_null(sigkey_read_public(buf_str(&pem), "k", &err));
	buf_clear(&pem);
	assert_true(sigkey_public_pem(key, &pem, &err));
	assert_null(sigkey_read_public(str_sub(buf_str(&pem), 0, 200), "k", &err));

	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	buf_clear(&pem);
	pem_of(ed, false, NULL, &pem);
	EVP_PKEY_free(ed);
	assert_null(sigkey_read_public(buf_str(&pem), "k", &err));
	assert_string_equal(err.msg, "key 'k' is of an unsupported kind");
	EVP_PKEY *small = EVP_RSA_gen(512);
	buf_clear(&pem);
	pem_of(small, false, NULL, &pem);
	EVP_PKEY_free(small);
	assert_null(sigkey_read_public(buf_str(&pem), "k", &err));
	assert_int_equal(err.kind, EK_TRUST);
}

static void test_pkcs1_public(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf spki = BUF_INIT(1 << 16), again = BUF_INIT(1 << 16);
	assert_true(sigkey_public_pem(key, &spki, &err));
	BIO *in = BIO_new_mem_buf(spki.p, (int)spki.n), *out = BIO_new(BIO_s_mem());
	EVP_PKEY *pkey = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);
	unsigned char *der = NULL;
	char *p;
	int n = i2d_PublicKey(pkey, &der);
	assert_true(PEM_write_bio(out, "RSA PUBLIC KEY", "", der, n) > 0);
	long pem_n = BIO_get_mem_data(out, &p);
	auto_sigkey struct sigkey *k = sigkey_read_public(str_n(p, (size_t)pem_n), "k", &err);
	assert_non_null(k);
	assert_true(sigkey_public_pem(k, &again, &err));
	assert_string_equal(again.p, spki.p);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	BIO_free(in);
	BIO_free(out);
}

static void test_ec_verify(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(1 << 16);
	uint8_t md[DIGEST_MAX];
	unsigned char sig[200];
	size_t sig_n = sizeof(sig);
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	pem_of(ec, false, NULL, &pem);
	digest_once(DIGEST_SHA256, "text", 4, md);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ec, NULL);
	assert_true(EVP_PKEY_sign_init(ctx) > 0);
	assert_true(EVP_PKEY_sign(ctx, sig, &sig_n, md, SHA256_SIZE) > 0);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(ec);
	auto_sigkey struct sigkey *k = sigkey_read_public(buf_str(&pem), "ec", &err);
	assert_non_null(k);
	assert_false(sigkey_is_rsa(k));
	assert_true(sigkey_verify(k, DIGEST_SHA256, md, sig, sig_n));
	md[3] ^= 8;
	assert_false(sigkey_verify(k, DIGEST_SHA256, md, sig, sig_n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_private_forms),
		cmocka_unit_test(test_bad_private),
		cmocka_unit_test(test_bad_public),
		cmocka_unit_test(test_pkcs1_public),
		cmocka_unit_test(test_ec_verify),
	};
	return cmocka_run_group_tests(tests, make_key, drop_key);
}
