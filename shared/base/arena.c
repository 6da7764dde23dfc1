#include "shared/base/arena.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_BLOCK 4096
#define LAST_BLOCK (1u << 20)
#define MAPPED_BLOCK (16u << 10)
#define FILL_STEP ((size_t)128 << 10)
#define MAPPED_TOTAL ((size_t)16 << 20)
#define ALIGNMENT 16

/* Under AddressSanitizer all that was not handed out is poisoned, with a gap behind each piece, so
 * that reading past one's own memory is caught although malloc knows nothing of the pieces. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#if defined(WATCHED) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define GAP ALIGNMENT
#define poison(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define GAP 0
#define poison(p, n) ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of data */
	size_t mapped;	   /* bytes in all, data not filled yet among them; 0 = the allocator's */
	_Alignas(ALIGNMENT) char data[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena)ARENA_INIT;
}

struct arena_hook {
	struct arena_hook *next;
	void (*fn)(void *p);
	void *p;
};

void arena_on_release(struct arena *a, void (*fn)(void *p), void *p)
{
	struct arena_hook *h = arena_new(a, struct arena_hook);
	*h = (struct arena_hook){ a->hooks, fn, p };
	a->hooks = h;
}

void arena_release(struct arena *a)
{
	for (struct arena_hook *h = a->hooks; h; h = h->next)
		h->fn(h->p);
	struct arena_block *b = a->head;
	while (b) {
		struct arena_block *next = b->next;
		unpoison(b->data, b->size);
		if (b->mapped)
			(void)munmap(b, b->mapped);
		else
			free(b);
		b = next;
	}
	arena_init(a);
}

void arena_adopt(struct arena *to, struct arena *from)
{
	struct arena_hook **last = &from->hooks;
	struct arena_block **end = &from->head;
	if (!*end)
		return;
	while (*last)
		last = &(*last)->next;
	*last = to->hooks;
	to->hooks = from->hooks;
	while (*end)
		end = &(*end)->next;
	/* Behind the head, which keeps serving small requests. */
	struct arena_block **at = to->head ? &to->head->next : &to->head;
	*end = *at;
	*at = from->head;
	to->used += from->used;
	arena_init(from);
}

/* The first blocks of a process are mapped, and filled with pages a step ahead of their use: work is
 * done before a fault for each page would have been. Later ones are the allocator's, which uses
 * them again. */
static bool comes_mapped(size_t whole)
{
	static atomic_size_t total;
	return !GAP && whole >= MAPPED_BLOCK && whole <= sizeof(struct arena_block) + LAST_BLOCK &&
	       atomic_fetch_add(&total, whole) + whole <= MAPPED_TOTAL;
}

/* Makes room for `size` bytes of data, which the block has. */
static void fill(struct arena_block *b, size_t filled, size_t size)
{
	size_t whole = (sizeof(*b) + size + FILL_STEP - 1) / FILL_STEP * FILL_STEP;
	if (whole > b->mapped)
		whole = b->mapped;
	/* where the kernel cannot, pages come as they are touched */
	(void)madvise((char *)b + filled, whole - filled, MADV_POPULATE_WRITE);
	b->size = whole - sizeof(*b);
}

static struct arena_block *block_map(size_t whole, size_t size)
{
	int at_once = whole <= FILL_STEP ? MAP_POPULATE : 0;
	struct arena_block *b = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | at_once, -1, 0);
	if (b == MAP_FAILED)
		BUG("out of memory");
	b->mapped = whole;
	b->size = whole - sizeof(*b);
	if (!at_once)
		fill(b, 0, size);
	return b;
}

/* A block of `room` bytes, of which `size` are wanted now. */
static struct arena_block *block_new(size_t room, size_t size)
{
	size_t whole = sizeof(struct arena_block) + room;
	if (room > size && comes_mapped(whole))
		return block_map(whole, size);
	/* calloc: fresh pages come zeroed without being touched */
	struct arena_block *b = calloc(1, whole);
	if (!b)
		BUG("out of memory");
	b->size = room;
	poison(b->data, room);
	return b;
}

static size_t capacity(const struct arena_block *b)
{
	return b->mapped ? b->mapped - sizeof(*b) : b->size;
}

static void *take(struct arena_block *b, size_t size)
{
	void *p = b->data + b->used;
	b->used += size;
	return p;
}

/* A block for `size` bytes. A large one goes behind the head, which keeps serving small ones. */
static void *alloc_slow(struct arena *a, size_t size)
{
	struct arena_block *b = a->head;
	size_t want = b ? capacity(b) * 2 : FIRST_BLOCK;
	if (want > LAST_BLOCK)
		want = LAST_BLOCK;
	if (b && capacity(b) - b->used >= size) {
		fill(b, sizeof(*b) + b->size, b->used + size);
	} else if (b && size > want / 4) {
		b = block_new(size, size);
		b->next = a->head->next;
		a->head->next = b;
	} else {
		b = block_new(size > want ? size : want, size);
		b->next = a->head;
		a->head = b;
	}
	return take(b, size);
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > PTRDIFF_MAX / 2)
		BUG("allocation of %zu bytes", size);
	size_t whole = (size + GAP + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	a->used += whole;
	struct arena_block *b = a->head;
	void *p;
	p = b && b->size - b->used >= whole ? take(b, whole) : alloc_slow(a, whole);
	unpoison(p, size);
	return p;
}

void *arena_array_(struct arena *a, size_t size, size_t n)
{
	size_t total;
	if (__builtin_mul_overflow(size, n, &total))
		BUG("array of %zu elements of %zu bytes", n, size);
	return arena_alloc(a, total);
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
	char *q = arena_alloc(a, n + 1);
	if (n)
		memcpy(q, p, n);
	return q;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	return arena_dup(a, s, n);
}

struct str arena_str(struct arena *a, struct str s)
{
	return str_n(arena_dup(a, s.p, s.n), s.n);
}

struct str arena_join(struct arena *a, struct str first, struct str second)
{
	char *p = arena_alloc(a, first.n + second.n + 1);
	if (first.n)
		memcpy(p, first.p, first.n);
	if (second.n)
		memcpy(p + first.n, second.p, second.n);
	return str_n(p, first.n + second.n);
}

static struct str vprint(struct arena *a, const char *fmt, va_list ap) printf_like(2, 0);
static struct str vprint(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char local[256];	/* most texts are short, and then printed once */
	va_copy(again, ap);
	int n = vsnprintf(local, sizeof(local), fmt, again);
	va_end(again);
	if (n < 0)
		BUG("bad format '%s'", fmt);
	char *p = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof(local))
		memcpy(p, local, (size_t)n + 1);
	else
		vsnprintf(p, (size_t)n + 1, fmt, ap);
	return str_n(p, (size_t)n);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str s = vprint(a, fmt, ap);
	va_end(ap);
	return (char *)s.p;
}

struct str arena_strf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str s = vprint(a, fmt, ap);
	va_end(ap);
	return s;
}
