#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include "shared/archive/gz.h"
#include "shared/archive/lastblock.h"
#include "shared/archive/splice.h"

/* What is deflated must inflate to what it was, at a level that the first byte chooses; and any
 * stream that the library inflates must have the end we find. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT ((size_t)16 << 20)

static void round_trip(int level, const uint8_t *p, size_t n)
{
	auto_buf struct buf piece_bytes = BUF_INIT(LIMIT), gz = BUF_INIT(LIMIT);
	auto_buf struct buf out = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	struct splice_enc *e = splice_enc_new(level);
	struct splice_piece piece;
	struct splice_join j;
	struct buf_sink sink;
	size_t used;
	buf_sink_init(&sink, &gz);
	/* twice, so that something follows the reopened end */
	bool ok = splice_deflate(e, p, n, &piece_bytes, &piece, &err) &&
		  splice_begin(&j, &sink.sink, &err) &&
		  splice_add(&j, &piece, piece_bytes.p, &err) &&
		  splice_add(&j, &piece, piece_bytes.p, &err) && splice_end(&j, &err) &&
		  gz_inflate_member(buf_str(&gz), "spliced", &out, &used, &err);
	splice_enc_free(e);
	if (!ok || used != gz.n || out.n != 2 * n ||
		(n && (memcmp(out.p, p, n) != 0 || memcmp(out.p + n, p, n) != 0)))
		abort();
}

static void find_end(const uint8_t *p, size_t n)
{
	enum { ROOM = 1 << 20 };
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	uint8_t *padded = calloc(1, n + LAST_BLOCK_SLACK), *out = malloc(ROOM);
	struct last_block last;
	size_t used, got;
	if (!d || !padded || !out)
		abort();
	if (n)
		memcpy(padded, p, n);
	if (libdeflate_deflate_decompress_ex(d, p, n, out, ROOM, &used, &got) ==
		LIBDEFLATE_SUCCESS) {
		memset(padded + used, 0, n + LAST_BLOCK_SLACK - used);
		bool found = last_block_find(padded, used, &last);
		if (found && (last.end + 7) / 8 != used)
			abort();
	}
	memcpy(padded, p, n);
	(void)last_block_find(padded, n, &last);
	free(padded);
	free(out);
	libdeflate_free_decompressor(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	round_trip(1 + data[0] % 12, data + 1, size - 1);
	find_end(data + 1, size - 1);
	return 0;
}
