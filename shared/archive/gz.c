#include "shared/archive/gz.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define IN_BLOCK (64 << 10)
#define OUT_BLOCK (256 << 10)
#define FIRST_GUESS (64 << 10)

const uint8_t gz_plain_header[GZ_HEADER_SIZE] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};

/* Where to start with the output buffer: the length at the file's end is the member's if the
 * member is the last one, and otherwise only a number. */
static size_t guess_size(struct str in)
{
	const uint8_t *t = (const uint8_t *)in.p + in.n - 4;
	uint32_t n = t[0] | (uint32_t)t[1] << 8 | (uint32_t)t[2] << 16 | (uint32_t)t[3] << 24;
	bool plausible = n / 1032 <= in.n && n <= 64 << 20;
	return plausible && n > FIRST_GUESS ? n : FIRST_GUESS;
}

static enum libdeflate_result inflate_into(
	struct libdeflate_decompressor *d, struct str in, struct buf *out, size_t *ret_in)
{
	enum libdeflate_result res = LIBDEFLATE_INSUFFICIENT_SPACE;
	size_t most = out->max - out->n;
	size_t room = guess_size(in);
	for (; res == LIBDEFLATE_INSUFFICIENT_SPACE; room = room > most / 4 ? most : room * 4) {
		if (room > most)
			room = most;
		char *to = buf_room(out, room);
		size_t got = 0;
		if (!to)
			break;
		res = libdeflate_gzip_decompress_ex(d, in.p, in.n, to, room, ret_in, &got);
		if (res == LIBDEFLATE_SUCCESS) {
			out->n += got;
			out->p[out->n] = '\0';
		}
		if (room == most)
			break;
	}
	return res;
}

static unsigned le16(const char *p)
{
	return (unsigned)(uint8_t)p[0] | (unsigned)(uint8_t)p[1] << 8;
}

/* The header's own checksum, which libdeflate passes over. in has at least GZ_HEADER_SIZE bytes. */
static bool header_crc_ok(struct str in)
{
	enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16 };
	int flags = in.p[3];
	size_t at = GZ_HEADER_SIZE;
	if (!(flags & FHCRC))
		return true;
	if (flags & FEXTRA) {
		if (in.n - at < 2)
			return false;
		at += 2 + le16(in.p + at);
	}
	for (int text = FNAME; text <= FCOMMENT; text <<= 1) {
		if (!(flags & text))
			continue;
		const char *end = at < in.n ? memchr(in.p + at, '\0', in.n - at) : NULL;
		if (!end)
			return false;
		at = (size_t)(end - in.p) + 1;
	}
	return at <= in.n && in.n - at >= 2 &&
	       le16(in.p + at) == (libdeflate_crc32(0, in.p, at) & 0xffff);
}

bool gz_inflate_member(
	struct str in, const char *name, struct buf *out, size_t *ret_in, struct err *err)
{
	if (in.n < GZ_HEADER_SIZE + GZ_TRAILER_SIZE)
		return err_set(err, EK_PARSE, "'%s': not gzip data, or cut short", name);
	if (memcmp(in.p, gz_plain_header, 3) != 0)
		return err_set(err, EK_PARSE, "'%s': not gzip data", name);
	if (!header_crc_ok(in))
		return err_set(err, EK_PARSE, "'%s': damaged gzip header", name);
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	if (!d)
		BUG("out of memory");
	enum libdeflate_result res = inflate_into(d, in, out, ret_in);
	libdeflate_free_decompressor(d);
	if (res == LIBDEFLATE_INSUFFICIENT_SPACE)
		return err_set(err, EK_PARSE, "'%s': size limit exceeded: limit is %zu bytes", name,
			out->max);
	if (res != LIBDEFLATE_SUCCESS)
		return err_set(err, EK_PARSE, "'%s': damaged gzip data", name);
	return true;
}

struct state {
	z_stream z;
	bool member_over, failed;
	size_t have, at; /* of out: filled, handed out */
	uint8_t in[IN_BLOCK], out[OUT_BLOCK];
};

/* Makes at least one compressed byte available; false at the source's end or on failure. */
static bool fill(struct gz_source *g, bool *ret_end, struct err *err)
{
	struct state *s = g->state;
	*ret_end = false;
	if (s->z.avail_in)
		return true;
	ssize_t got = source_read(g->from, s->in, sizeof(s->in), err);
	if (got < 0)
		return false;
	*ret_end = got == 0;
	s->z.next_in = s->in;
	s->z.avail_in = (unsigned)got;
	return true;
}

static bool account_input(struct gz_source *g, const uint8_t *from, struct err *err)
{
	struct state *s = g->state;
	size_t n = (size_t)(s->z.next_in - from);
	g->in_total += n;
	return !g->tap || !n || sink_write(g->tap, from, n, err);
}

/* Inflates into p until some bytes are there or the member is over. */
static ssize_t inflate_some(struct gz_source *g, void *p, size_t n, struct err *err)
{
	struct state *s = g->state;
	s->z.next_out = p;
	s->z.avail_out = n > 1 << 30 ? 1 << 30 : (unsigned)n;
	unsigned want = s->z.avail_out;
	while (!s->member_over && s->z.avail_out) {
		bool end;
		if (!fill(g, &end, err))
			return -1;
		if (end) {
			err_set(err, EK_PARSE, "unexpected end of '%s'", g->name);
			return -1;
		}
		const uint8_t *from = s->z.next_in;
		int res = inflate(&s->z, Z_NO_FLUSH);
		if (!account_input(g, from, err))
			return -1;
		if (res == Z_MEM_ERROR)
			BUG("out of memory");
		if (res != Z_OK && res != Z_STREAM_END) {
			err_set(err, EK_PARSE, "'%s': damaged gzip data (%s)", g->name,
				s->z.msg ? s->z.msg : "unknown reason");
			return -1;
		}
		s->member_over = res == Z_STREAM_END;
	}
	return (ssize_t)(want - s->z.avail_out);
}

static ssize_t read_member(struct gz_source *g, void *p, size_t n, struct err *err)
{
	struct state *s = g->state;
	if (s->at == s->have && n >= sizeof(s->out))
		return inflate_some(g, p, n, err);
	if (s->at == s->have) {
		ssize_t got = inflate_some(g, s->out, sizeof(s->out), err);
		if (got <= 0)
			return got;
		s->at = 0;
		s->have = (size_t)got;
	}
	if (n > s->have - s->at)
		n = s->have - s->at;
	memcpy(p, s->out + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static bool refuse(const struct gz_source *g, struct err *err)
{
	return err_set(err, EK_PARSE, "reading '%s' failed before", g->name);
}

static ssize_t gz_read(struct source *src, void *p, size_t n, struct err *err)
{
	struct gz_source *g = (struct gz_source *)src;
	struct state *s = g->state;
	ssize_t got = -1;
	if (s->failed)
		refuse(g, err);
	else
		got = read_member(g, p, n, err);
	if (got < 0)
		s->failed = true;
	else
		g->out_total += (uint64_t)got;
	return got;
}

bool gz_open(struct gz_source *g, struct source *from, const char *name, struct err *err)
{
	struct state *s = malloc(sizeof(*s));
	if (!s)
		BUG("out of memory");
	*g = (struct gz_source){.src.read = gz_read, .from = from, .name = name, .state = s};
	memset(s, 0, offsetof(struct state, in));
	if (inflateInit2(&s->z, 15 + 16) == Z_OK)
		return true;
	free(s);
	g->state = NULL;
	return err_set(err, EK_OTHER, "cannot start to inflate '%s'", name);
}

bool gz_more(struct gz_source *g, bool *ret_more, struct err *err)
{
	struct state *s = g->state;
	bool end;
	if (s->failed)
		return refuse(g, err);
	if (!fill(g, &end, err)) {
		s->failed = true;
		return false;
	}
	*ret_more = !end;
	return true;
}

bool gz_next(struct gz_source *g, struct err *err)
{
	struct state *s = g->state;
	if (s->failed)
		return refuse(g, err);
	if (!s->member_over || s->at != s->have)
		BUG("a gzip member was left before its end");
	if (inflateReset(&s->z) != Z_OK)
		return err_set(err, EK_OTHER, "cannot go on to inflate '%s'", g->name);
	s->member_over = false;
	return true;
}

void gz_close(struct gz_source *g)
{
	struct state *s = g->state;
	if (!s)
		return;
	inflateEnd(&s->z);
	free(s);
	g->state = NULL;
}

bool gz_deflate(struct str in, int level, struct buf *out, struct err *err)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
	if (!c)
		return err_set(err, EK_OTHER, "cannot compress at level %d", level);
	size_t bound = libdeflate_gzip_compress_bound(c, in.n);
	char *to = buf_room(out, bound);
	if (to) {
		size_t n = libdeflate_gzip_compress(c, in.p ? in.p : "", in.n, to, bound);
		/* the encoder puts its level into the header */
		memcpy(to, gz_plain_header, GZ_HEADER_SIZE);
		out->n += n;
		out->p[out->n] = '\0';
	}
	libdeflate_free_compressor(c);
	return to || err_set(err, EK_OTHER, "size limit exceeded: limit is %zu bytes", out->max);
}
