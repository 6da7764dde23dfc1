#include <string.h>
#include "shared/crypto/sigkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key that reads must survive being written and used. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(1 << 20);
	uint8_t md[DIGEST_MAX] = {1};
	auto_sigkey struct sigkey *k =
		sigkey_read_public(str_n((const char *)data, size), "input", &err);
	if (!k)
		return 0;
	if (sigkey_public_pem(k, &pem, &err)) {
		auto_sigkey struct sigkey *again = sigkey_read_public(buf_str(&pem), "again", &err);
		if (!again || sigkey_bits(again) != sigkey_bits(k))
			__builtin_trap();
	}
	/* larger ones only cost time */
	if (sigkey_bits(k) <= 4096)
		(void)!sigkey_verify(k, DIGEST_SHA256, md, data, size < 512 ? size : 512);
	return 0;
}
