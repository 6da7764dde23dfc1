#include "shared/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->over = false;
	if (b->p)
		b->p[0] = 0;
}

char *buf_room(struct buf *b, size_t n)
{
	if (b->over || n > b->max - b->n) {
		b->over = true;
		return NULL;
	}
	if (b->n + n + 1 > b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 256;
		while (cap < b->n + n + 1)
			cap *= 2;
		b->p = realloc(b->p, cap);
		if (!b->p)
			BUG("out of memory");
		b->cap = cap;
	}
	return b->p + b->n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);
	if (!to)
		return;
	if (n)
		memcpy(to, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addstr(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_addzero(struct buf *b, size_t n)
{
	char *to = buf_room(b, n);
	if (!to)
		return;
	memset(to, 0, n + 1);
	b->n += n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char local[256];	/* most texts are short, and then printed once */
	va_start(ap, fmt);
	int n = vsnprintf(local, sizeof(local), fmt, ap);
	va_end(ap);
	if (n < 0)
		BUG("bad format '%s'", fmt);
	char *to = buf_room(b, (size_t)n);
	if (!to)
		return;
	if ((size_t)n < sizeof(local)) {
		memcpy(to, local, (size_t)n + 1);
	} else {
		va_start(ap, fmt);
		vsnprintf(to, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

struct str buf_str(const struct buf *b)
{
	return str_n(b->p ? b->p : "", b->n);
}

char *buf_steal(struct buf *b)
{
	char *p = b->p ? b->p : calloc(1, 1);
	if (!p)
		BUG("out of memory");
	buf_init(b, b->max);
	return p;
}
