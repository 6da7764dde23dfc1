#include <stdlib.h>
#include <string.h>
#include "shared/archive/gz.h"

/* The two ways to read a member must agree on what it holds and where it ends. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf whole = BUF_INIT(LIMIT), parts = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	struct str in = str_n((const char *)data, size);
	struct mem_source mem;
	struct gz_source g;
	size_t used = 0;
	bool more, ok = gz_inflate_member(in, "input", &whole, &used, &err);
	mem_source_init(&mem, in);
	if (!gz_open(&g, &mem.src, "input", &err))
		abort();
	bool streamed = source_read_all(&g.src, "input", &parts, &err);
	if (ok && (!streamed || parts.n != whole.n || used != g.in_total ||
			  (whole.n && memcmp(parts.p, whole.p, whole.n) != 0)))
		abort();
	for (int i = 0; streamed && i < 20 && gz_more(&g, &more, &err) && more; i++) {
		buf_clear(&parts);
		streamed = gz_next(&g, &err) && source_read_all(&g.src, "input", &parts, &err);
	}
	if (g.in_total > size)
		abort();
	gz_close(&g);
	return 0;
}
