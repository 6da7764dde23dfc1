#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "shared/crypto/digest.h"
#include "shared/image/jks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The digest is put right first: else nothing would come past it. What is read and written twice
 * stays the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char phrase[] = "\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite";
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf in = BUF_INIT(1 << 20), first = BUF_INIT(BUF_NOLIMIT),
			    second = BUF_INIT(BUF_NOLIMIT);
	uint8_t md[SHA1_SIZE];
	struct jks j;
	buf_add(&in, phrase, sizeof(phrase) - 1);
	buf_add(&in, data, size);
	digest_once(DIGEST_SHA1, in.p, in.n, md);
	buf_add(&in, md, sizeof(md));
	struct str bytes = str_from(buf_str(&in), sizeof(phrase) - 1);
	if (in.over || !jks_read(bytes, &a, &j, &err))
		return 0;
	jks_write(&j, &a, &first);
	if (!jks_read(buf_str(&first), &a, &j, &err))
		abort();
	jks_write(&j, &a, &second);
	if (!str_eq(buf_str(&first), buf_str(&second)))
		abort();
	return 0;
}
