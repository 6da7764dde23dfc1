#include <stdint.h>
#include <stdlib.h>

#include "apko/oci/oconfig.h"

/* A configuration that can be read is written as one that can be read again, to the same bytes. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf once = BUF_INIT(BUF_NOLIMIT), twice = BUF_INIT(BUF_NOLIMIT);
	struct oci_config c;
	if (!oci_config_read(str_n((const char *)data, size), "config", &a, &c, &err))
		return 0;
	oci_config_write(&c, &a, &once);
	if (!oci_config_read(buf_str(&once), "config", &a, &c, &err))
		abort();
	oci_config_write(&c, &a, &twice);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	return 0;
}
