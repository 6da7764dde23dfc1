#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/crypto/digest.h"

/* RSA keys for APK signatures: PKCS#1 v1.5 with DigestInfo. Public ones may be EC: v3 has both. */

struct sigkey;
#define auto_sigkey cleanup_with(sigkey_freep)

/* Private key from PEM (PKCS#1 or PKCS#8; encrypted PEM asks for nothing and fails). */
struct sigkey *sigkey_load_private(const char *path, struct err *err) must_check;
/* Public key from PEM SubjectPublicKeyInfo (or PKCS#1 `RSA PUBLIC KEY`); name is for messages. */
struct sigkey *sigkey_read_public(struct str pem, const char *name, struct err *err) must_check;
bool sigkey_is_rsa(const struct sigkey *k);
unsigned sigkey_bits(const struct sigkey *k);
/* What v3 signatures name a key by: the first 16 bytes of the SHA-512 of its public part (PKCS#1
 * RSAPublicKey, or the point of an EC key). */
#define SIGKEY_ID_SIZE 16
void sigkey_id(const struct sigkey *k, uint8_t ret_id[SIGKEY_ID_SIZE]);
/* New RSA key; bits >= 2048. */
struct sigkey *sigkey_generate(unsigned bits, struct err *err) must_check;
bool sigkey_private_pem(const struct sigkey *k, struct buf *out, struct err *err) must_check;
bool sigkey_public_pem(const struct sigkey *k, struct buf *out, struct err *err) must_check;
/* Signature over a digest already made with alg. */
bool sigkey_sign(const struct sigkey *k, enum digest_alg alg, const uint8_t *md, struct buf *out,
	struct err *err) must_check;
/* true when sig is k's signature over md. */
bool sigkey_verify(const struct sigkey *k, enum digest_alg alg, const uint8_t *md, const void *sig,
	size_t sig_n) must_check;
void sigkey_free(struct sigkey *k);
void sigkey_freep(struct sigkey **k);
