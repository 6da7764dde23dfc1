#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* Streaming SHA-1, SHA-256 and SHA-512 over OpenSSL; text forms of digests. A context may be
 * reused after digest_final by digest_init. Cheap for small inputs: algorithms are fetched once
 * per process. */

enum digest_alg { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512 };
#define DIGEST_MAX 64
#define SHA1_SIZE 20
#define SHA256_SIZE 32
#define SHA512_SIZE 64

struct digest {
	enum digest_alg alg;
	void *ctx; /* EVP_MD_CTX */
};
#define auto_digest cleanup_with(digest_release)

size_t digest_size(enum digest_alg alg);
void digest_init(struct digest *d, enum digest_alg alg); /* d zeroed before the first use */
void digest_add(struct digest *d, const void *p, size_t n);
void digest_final(struct digest *d, uint8_t *ret_md);
void digest_release(struct digest *d);
void digest_once(enum digest_alg alg, const void *p, size_t n, uint8_t *ret_md);

void hex_encode(const uint8_t *p, size_t n, char *ret_hex); /* 2n chars and a NUL, lower case */
bool hex_decode(struct str hex, uint8_t *ret_p, size_t n);  /* exactly 2n digits, either case */
char *base64_encode(struct arena *a, const uint8_t *p, size_t n); /* standard, padded */
/* Exactly n bytes; strict alphabet and padding. */
bool base64_decode(struct str b64, uint8_t *ret_p, size_t n);
/* Any length. */
bool base64_decode_any(struct arena *a, struct str b64, struct str *ret_bytes);
