#include "shared/apk/adbfile.h"

#include <endian.h>
#include <string.h>

#define SIGN_VERSION 0
#define HASH_SHA512 4

/* What is signed: schema, the head of the signature block, digest of the ADB. */
static void message_digest(uint32_t schema, struct str head, const uint8_t sha512[SHA512_SIZE],
	uint8_t ret_md[SHA512_SIZE])
{
	auto_digest struct digest d = { 0 };
	uint32_t le = htole32(schema);

	digest_init(&d, DIGEST_SHA512);
	digest_add(&d, &le, sizeof(le));
	digest_add(&d, head.p, head.n);
	digest_add(&d, sha512, SHA512_SIZE);
	digest_final(&d, ret_md);
}

const struct keyring_key *adb_sig_verify(const struct keyring *keys, uint32_t schema,
	const uint8_t sha512[SHA512_SIZE], struct str block, bool *ret_known)
{
	struct str head = str_sub(block, 0, ADB_SIG_HEAD), sig = str_from(block, ADB_SIG_HEAD);
	uint8_t md[SHA512_SIZE], id[SIGKEY_ID_SIZE];

	*ret_known = false;
	if (head.n < ADB_SIG_HEAD || head.p[0] != SIGN_VERSION || head.p[1] != HASH_SHA512)
		return NULL;
	message_digest(schema, head, sha512, md);
	for (size_t i = 0; i < keys->n; i++) {
		auto_err struct err ignored = ERR_INIT; /* such a key has signed nothing */
		const struct sigkey *key = keyring_key(&keys->v[i], &ignored);
		if (!key)
			continue;
		sigkey_id(key, id);
		if (memcmp(id, head.p + 2, sizeof(id)) != 0)
			continue;
		*ret_known = true;
		if (sigkey_verify(key, DIGEST_SHA512, md, sig.p, sig.n))
			return &keys->v[i];
	}
	return NULL;
}
