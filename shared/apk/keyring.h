#pragma once

#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/crypto/sigkey.h"

/* Trusted public keys by name (the file name they were given as, e.g. "wolfi-signing.rsa.pub"). */

struct keyring_key {
	struct str name;
	struct str pem;		/* as read: it is copied into images */
	struct sigkey *parsed;	/* NULL: not yet; keyring_key has it */
	struct str url;		/* where a repository announced it; empty: it was given */
};
struct keyring {
	struct arena *arena;
	struct keyring_key *v;
	size_t n, cap;
	bool later;		/* keys are parsed when they are asked for: see keyring_check */
};
#define auto_keyring cleanup_with(keyring_release)
void keyring_init(struct keyring *k, struct arena *a);
void keyring_release(struct keyring *k);
/* Parses and adds; the same name with the same bytes twice is fine, with others an error. */
bool keyring_add(struct keyring *k, struct str name, struct str pem, struct err *err) must_check;
bool keyring_add_file(struct keyring *k, const char *path, struct err *err) must_check;
/* The key itself, from any thread; NULL when its text is none. */
const struct sigkey *keyring_key(const struct keyring_key *key, struct err *err);
/* Parses what was put off: false on the first that is no key. */
bool keyring_check(const struct keyring *k, struct err *err) must_check;
/* Every regular file of a directory that holds a public key, sorted. */
bool keyring_add_dir(struct keyring *k, const char *dir, struct err *err) must_check;
/* A key by the name a signature gives: with or without the ".rsa.pub" ending. NULL = none. */
const struct keyring_key *keyring_find(const struct keyring *k, struct str name);

/* One `.SIGN.ALG.NAME` tar entry. */
struct apk_sig {
	enum digest_alg alg;
	struct str key_name;
	struct str sig;		/* raw bytes */
};
/* Parses the inflated signature member (at most 16 KiB an entry; only signature entries). */
bool apk_sigs_parse(struct str tar, const char *name, struct arena *a, struct apk_sig **ret_sigs,
	size_t *ret_n, struct err *err) must_check;
/* Verifies `signed_bytes` against any signature whose key is known: one success suffices. The
 * messages are those of apk-format 5.2. */
bool keyring_verify(const struct keyring *k, const struct apk_sig *sigs, size_t n,
	struct str signed_bytes, const char *name, struct err *err) must_check;
/* The same for bytes that are only digested: fn computes their digest. *ret is what was verified. */
struct apk_verified {
	enum digest_alg alg;
	uint8_t md[DIGEST_MAX];
};
bool keyring_verify_digest(const struct keyring *k, const struct apk_sig *sigs, size_t n,
	bool (*fn)(void *ctx, enum digest_alg alg, uint8_t *ret_md, struct err *err), void *ctx,
	const char *name, struct apk_verified *ret, struct err *err) must_check;
/* Appends a gzip member holding the signature entry (no end blocks) over the digest of what
 * follows: `.SIGN.RSA256.<basename of key path>.pub`, mode 0644, root, the given mtime. */
bool apk_sign_member(const struct sigkey *key, const char *key_path, const uint8_t sha256[32],
	int64_t mtime, struct buf *out, struct err *err) must_check;
