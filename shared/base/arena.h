#pragma once

#include <stddef.h>
#include "shared/base/compiler.h"
#include "shared/base/str.h"

/* Memory that lives and dies together. Everything comes zeroed and aligned for any type; nothing
 * is freed singly. Out of memory aborts. Text made here ends in NUL. Not for use by two threads
 * at once. */

struct arena_block;
struct arena_hook;
struct arena {
	struct arena_block *head;
	size_t used;	/* bytes handed out, for reports */
	struct arena_hook *hooks;
};

#define ARENA_INIT { NULL, 0, NULL }
#define auto_arena cleanup_with(arena_release)

void arena_init(struct arena *a);
void arena_release(struct arena *a);	/* frees all; the arena is empty and usable again */
/* Moves what `from` holds into `to`, where it lives on; `from` becomes empty. */
void arena_adopt(struct arena *to, struct arena *from);
/* Calls fn(p) when the arena is released, the last one first: for what is no memory of its own. */
void arena_on_release(struct arena *a, void (*fn)(void *p), void *p);

void *arena_alloc(struct arena *a, size_t size) must_check;
void *arena_dup(struct arena *a, const void *p, size_t n) must_check;
char *arena_strdup(struct arena *a, const char *s) must_check;
char *arena_strndup(struct arena *a, const char *s, size_t n) must_check;
struct str arena_str(struct arena *a, struct str s) must_check;
struct str arena_join(struct arena *a, struct str first, struct str second) must_check;
char *arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3) must_check;
struct str arena_strf(struct arena *a, const char *fmt, ...) printf_like(2, 3) must_check;

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_array_((a), sizeof(type), (n)))
void *arena_array_(struct arena *a, size_t size, size_t n) must_check;
