#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/archive/stream.h"

/* gzip (RFC 1952), with member boundaries. Headers we write: MTIME 0, XFL 0, OS 255, no name:
 * bytes depend on content and level only. */

#define GZ_HEADER_SIZE 10
#define GZ_TRAILER_SIZE 8
extern const uint8_t gz_plain_header[GZ_HEADER_SIZE];

/* Inflates one gzip member that starts at `in` (whole file mapped or in memory). ret_in gets the
 * member's compressed length. Checks header, CRC and length. Output is bounded by out->max
 * (EK_PARSE "size limit exceeded"). name is for messages. For members of a few MiB. */
bool gz_inflate_member(struct str in, const char *name, struct buf *out, size_t *ret_in,
	struct err *err) must_check;

/* Streaming: reads one member from `from`; at its end returns 0. `more` tells whether bytes
 * follow the member; gz_next goes on to the next member. Consumed compressed bytes are counted
 * in in_total (exact at a member's end). A tap, when set, is given every compressed byte consumed
 * of the current member (for hashing). */
struct gz_source {
	struct source src;
	struct source *from;
	struct sink *tap;
	const char *name;
	uint64_t in_total, out_total;
	void *state;
};
bool gz_open(
	struct gz_source *g, struct source *from, const char *name, struct err *err) must_check;
bool gz_more(struct gz_source *g, bool *ret_more, struct err *err) must_check;
bool gz_next(struct gz_source *g, struct err *err) must_check;
void gz_close(struct gz_source *g);

/* Compresses a small text into one member (libdeflate, whole buffer). */
bool gz_deflate(struct str in, int level, struct buf *out, struct err *err) must_check;
