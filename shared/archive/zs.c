#include "shared/archive/zs.h"

#include <stdlib.h>
#include <zstd.h>

#define WINDOW_LOG 23

static bool inflate_all(
	ZSTD_DCtx *d, struct str in, const char *name, struct buf *out, struct err *err)
{
	ZSTD_inBuffer from = {in.p, in.n, 0};
	size_t left = 1;
	while (left || from.pos < from.size) {
		size_t most = out->max - out->n;
		size_t room = ZSTD_DStreamOutSize() < most ? ZSTD_DStreamOutSize() : most;
		ZSTD_outBuffer to = {buf_room(out, room), room, 0};
		size_t was = from.pos;
		left = ZSTD_decompressStream(d, &to, &from);
		if (ZSTD_isError(left))
			return err_set(err, EK_PARSE, "'%s': damaged zstd data (%s)", name,
				ZSTD_getErrorName(left));
		out->n += to.pos;
		if (to.pos || from.pos != was)
			continue;
		if (room == 0)
			return err_set(err, EK_PARSE,
				"'%s': size limit exceeded: limit is %zu bytes", name, out->max);
		return err_set(err, EK_PARSE, "unexpected end of '%s'", name);
	}
	return true;
}

bool zs_inflate(struct str in, const char *name, struct buf *out, struct err *err)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();
	if (!d)
		BUG("out of memory");
	bool ok = inflate_all(d, in, name, out, err);
	ZSTD_freeDCtx(d);
	if (ok && out->p)
		out->p[out->n] = '\0';
	return ok;
}

struct state {
	ZSTD_CCtx *c;
	bool failed;
	size_t room;
	char out[];
};

/* Compresses all of p; with `end` also closes the frame. */
static bool push(struct zs_sink *z, const void *p, size_t n, bool end, struct err *err)
{
	struct state *s = z->state;
	ZSTD_inBuffer from = {p, n, 0};
	size_t left;
	do {
		ZSTD_outBuffer to = {s->out, s->room, 0};
		left = ZSTD_compressStream2(s->c, &to, &from, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_set(
				err, EK_OTHER, "cannot compress: %s", ZSTD_getErrorName(left));
		if (to.pos && !sink_write(z->next, s->out, to.pos, err))
			return false;
	} while (from.pos < from.size || (end && left));
	return true;
}

static bool push_sticky(struct zs_sink *z, const void *p, size_t n, bool end, struct err *err)
{
	struct state *s = z->state;
	if (s->failed)
		return err_set(err, EK_OTHER, "compressing failed before");
	s->failed = !push(z, p, n, end, err);
	return !s->failed;
}

static bool zs_write(struct sink *sink, const void *p, size_t n, struct err *err)
{
	return push_sticky((struct zs_sink *)sink, p, n, false, err);
}

bool zs_open(struct zs_sink *z, int level, struct sink *next, struct err *err)
{
	if (level < 1 || level > ZSTD_maxCLevel())
		return err_set(err, EK_OTHER, "zstd has no level %d", level);
	struct state *s = malloc(sizeof(*s) + ZSTD_CStreamOutSize());
	if (!s)
		BUG("out of memory");
	*s = (struct state){.c = ZSTD_createCCtx(), .room = ZSTD_CStreamOutSize()};
	if (!s->c)
		BUG("out of memory");
	*z = (struct zs_sink){.sink.write = zs_write, .next = next, .state = s};
	if (!ZSTD_isError(ZSTD_CCtx_setParameter(s->c, ZSTD_c_compressionLevel, level)) &&
		!ZSTD_isError(ZSTD_CCtx_setParameter(s->c, ZSTD_c_windowLog, WINDOW_LOG)) &&
		!ZSTD_isError(ZSTD_CCtx_setParameter(s->c, ZSTD_c_checksumFlag, 1)))
		return true;
	zs_close(z);
	return err_set(err, EK_OTHER, "cannot set up zstd at level %d", level);
}

bool zs_end(struct zs_sink *z, struct err *err)
{
	return push_sticky(z, "", 0, true, err);
}

void zs_close(struct zs_sink *z)
{
	struct state *s = z->state;
	if (!s)
		return;
	ZSTD_freeCCtx(s->c);
	free(s);
	z->state = NULL;
}
