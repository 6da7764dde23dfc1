#include "shared/apk/adbfile.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define IN_SIZE (64u << 10)
#define MAGIC_SIZE 4
#define WINDOW_LOG_MAX 27	/* 128 MiB: the format's own levels use less */

enum { COMP_NONE, COMP_DEFLATE, COMP_ZSTD };

struct adb_inflate {
	unsigned comp;
	z_stream z;
	ZSTD_DStream *zstd;
	bool ended;		/* of the compressed data */
	bool failed;
	size_t at, n;		/* of what is in `in` */
	unsigned char in[IN_SIZE];
};

/* More input into an empty buffer; false at its end with *ret_failed false. */
static bool fill(struct adb_source *s, bool *ret_failed, struct err *err)
{
	struct adb_inflate *st = s->state;

	if (st->at < st->n)
		return true;
	ssize_t n = source_read(s->from, st->in, sizeof(st->in), err);
	*ret_failed = n < 0;
	if (n <= 0)
		return false;
	st->at = 0;
	st->n = (size_t)n;
	return true;
}

static ssize_t read_plain(struct adb_source *s, void *p, size_t n, struct err *err)
{
	struct adb_inflate *st = s->state;
	bool failed = false;

	if (!fill(s, &failed, err))
		return failed ? -1 : 0;
	if (n > st->n - st->at)
		n = st->n - st->at;
	memcpy(p, st->in + st->at, n);
	st->at += n;
	return (ssize_t)n;
}

/* Both decoders: takes what it can of the input, makes what it can of the output. */

static bool deflate_step(struct adb_source *s, char *p, size_t n, size_t *ret_out,
	struct err *err)
{
	struct adb_inflate *st = s->state;

	st->z.next_in = st->in + st->at;
	st->z.avail_in = (unsigned)(st->n - st->at);
	st->z.next_out = (unsigned char *)p;
	st->z.avail_out = (unsigned)n;
	int r = inflate(&st->z, Z_NO_FLUSH);
	st->at = st->n - st->z.avail_in;
	*ret_out = n - st->z.avail_out;
	st->ended = r == Z_STREAM_END;
	return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ||
		err_set(err, EK_PARSE, "%s: damaged deflate data", s->name);
}

static bool zstd_step(struct adb_source *s, char *p, size_t n, size_t *ret_out, struct err *err)
{
	struct adb_inflate *st = s->state;
	ZSTD_inBuffer in = { st->in, st->n, st->at };
	ZSTD_outBuffer out = { p, n, 0 };
	size_t r = ZSTD_decompressStream(st->zstd, &out, &in);

	if (ZSTD_isError(r))
		return err_set(err, EK_PARSE, "%s: damaged zstd data (%s)", s->name,
			ZSTD_getErrorName(r));
	st->at = in.pos;
	st->ended = r == 0;
	*ret_out = out.pos;
	return true;
}

static ssize_t at_end(struct adb_source *s, struct err *err)
{
	bool failed = false;

	if (!fill(s, &failed, err))
		return failed ? -1 : 0;
	(void)err_set(err, EK_PARSE, "%s: trailing bytes behind the compressed data: file format "
		"is invalid or inconsistent", s->name);
	return -1;
}

static ssize_t read_packed(struct adb_source *s, char *p, size_t n, struct err *err)
{
	struct adb_inflate *st = s->state;
	size_t out = 0;

	if (n > 1u << 30)
		n = 1u << 30;
	while (!st->ended) {
		bool failed = false, input = fill(s, &failed, err);
		if (failed || !(st->comp == COMP_ZSTD ? zstd_step(s, p, n, &out, err)
						      : deflate_step(s, p, n, &out, err)))
			return -1;
		if (out)
			return (ssize_t)out;
		if (!input && st->comp == COMP_DEFLATE)
			return 0;
		if (!input && !st->ended) {
			(void)err_set(err, EK_PARSE, "unexpected end of %s", s->name);
			return -1;
		}
	}
	return at_end(s, err);
}

static ssize_t adb_source_read(struct source *src, void *p, size_t n, struct err *err)
{
	struct adb_source *s = (struct adb_source *)src;
	struct adb_inflate *st = s->state;

	if (st->failed) {
		(void)err_set(err, EK_PARSE, "reading %s failed before", s->name);
		return -1;
	}
	ssize_t got = st->comp == COMP_NONE ? read_plain(s, p, n, err)
					    : read_packed(s, p, n, err);
	st->failed = got < 0;
	return got;
}

/* The first bytes tell. Of a file without compression they belong to what is read. */
static bool tell(struct adb_source *s, struct err *err)
{
	struct adb_inflate *st = s->state;

	st->n = MAGIC_SIZE;
	if (!source_read_full(s->from, st->in, MAGIC_SIZE, s->name, err))
		return false;
	if (memcmp(st->in, "ADB.", MAGIC_SIZE) == 0)
		return true;
	st->at = st->n;
	st->comp = COMP_DEFLATE;
	if (memcmp(st->in, "ADBd", MAGIC_SIZE) == 0)
		return true;
	if (memcmp(st->in, "ADBc", MAGIC_SIZE) != 0)
		return err_set(err, EK_PARSE, "%s: ADB compression not supported: bad magic",
			s->name);
	if (!source_read_full(s->from, st->in, 2, s->name, err))
		return false;
	st->comp = st->in[0];
	return st->comp <= COMP_ZSTD || err_set(err, EK_PARSE,
		"%s: ADB compression not supported: algorithm %u", s->name, st->comp);
}

static void start(struct adb_inflate *st)
{
	if (st->comp == COMP_DEFLATE && inflateInit2(&st->z, -15) != Z_OK)
		BUG("out of memory");
	if (st->comp != COMP_ZSTD)
		return;
	st->zstd = ZSTD_createDStream();
	if (!st->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(st->zstd, ZSTD_d_windowLogMax,
				 WINDOW_LOG_MAX)))
		BUG("out of memory");
}

bool adb_source_open(struct adb_source *s, struct source *from, const char *name,
	struct err *err)
{
	*s = (struct adb_source){ .src.read = adb_source_read, .from = from, .name = name };
	s->state = calloc(1, sizeof(*s->state));
	if (!s->state)
		BUG("out of memory");
	if (tell(s, err)) {
		start(s->state);
		return true;
	}
	s->state->comp = COMP_NONE;
	adb_source_close(s);
	return false;
}

void adb_source_close(struct adb_source *s)
{
	if (!s->state)
		return;
	if (s->state->comp == COMP_DEFLATE)
		(void)inflateEnd(&s->state->z);
	ZSTD_freeDStream(s->state->zstd);
	free(s->state);
	s->state = NULL;
}
