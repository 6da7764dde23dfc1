#include <stdint.h>
#include <stdlib.h>
#include "shared/crypto/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A block that was found is found again, the same, in what is written of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str rest = str_n((const char *)data, size);
	struct pem_block block, again;
	while (pem_next(&rest, &a, &block)) {
		auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);
		(void)pem_is_certificate(block.der);
		pem_write(block.type, block.der, &b);
		struct str text = buf_str(&b);
		if (!pem_next(&text, &a, &again) || !str_eq(block.type, again.type) ||
			!str_eq(block.der, again.der))
			abort();
	}
	return 0;
}
