#include <stdint.h>
#include <stdlib.h>
#include "shared/apk/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text of records, written and read again; then the same bytes as an index file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct str bytes = str_n((const char *)data, size);
	struct apk_index idx = { 0 }, again = { 0 };
	struct index_read_opts o = { .name = "fuzz", .max_inflated = 1 << 20 };
	if (index_parse(bytes, "fuzz", &a, &idx, &err)) {
		for (size_t i = 0; i < idx.n; i++)
			index_record(&idx.pkgs[i], &out);
		if (!index_parse(buf_str(&out), "again", &a, &again, &err) || again.n != idx.n)
			abort();
	}
	(void)!index_read(bytes, &o, &a, &idx, &err);
	return 0;
}
