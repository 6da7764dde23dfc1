#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "shared/base/compiler.h"
#include "shared/base/str.h"

/* Growing owned bytes, always followed by a NUL that is not counted. `max` bounds it: what would
 * go beyond is dropped and `over` set, to be tested once at the end. */

struct buf {
	char *p;
	size_t n, cap, max;
	bool over;
};

#define BUF_INIT(limit) { .max = (limit) }
#define BUF_NOLIMIT ((size_t)-1 / 2)
#define auto_buf cleanup_with(buf_release)

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
void buf_clear(struct buf *b);		/* keeps the memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addstr(struct buf *b, struct str s);
void buf_addzero(struct buf *b, size_t n);	/* n NUL bytes */
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
/* Room for n more bytes; returns where they go (the caller then adds to b->n), NULL if over. */
char *buf_room(struct buf *b, size_t n);
struct str buf_str(const struct buf *b);	/* borrowed until the next change */
char *buf_steal(struct buf *b);		/* the caller frees */
