#include "shared/archive/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/os/fd.h"

#define SMALL_BLOCK 8192
#define COPY_BLOCK (256 << 10)

bool source_read_full(struct source *s, void *p, size_t n, const char *name, struct err *err)
{
	char *to = p;
	while (n) {
		ssize_t got = source_read(s, to, n, err);
		if (got < 0)
			return false;
		if (got == 0)
			return err_set(err, EK_PARSE, "unexpected end of '%s'", name);
		to += got;
		n -= (size_t)got;
	}
	return true;
}

static ssize_t mem_read(struct source *s, void *p, size_t n, struct err *err unused_arg)
{
	struct mem_source *m = (struct mem_source *)s;
	if (n > m->rest.n)
		n = m->rest.n;
	if (n)
		memcpy(p, m->rest.p, n);
	m->rest = str_from(m->rest, n);
	return (ssize_t)n;
}

void mem_source_init(struct mem_source *s, struct str bytes)
{
	*s = (struct mem_source){.src.read = mem_read, .rest = bytes};
}

static ssize_t file_source_read(struct source *s, void *p, size_t n, struct err *err)
{
	struct fd_source *f = (struct fd_source *)s;
	if (f->failed) {
		err_set(err, EK_OTHER, "reading '%s' failed before", f->name);
		return -1;
	}
	if (f->at >= f->end)
		return 0;
	if ((off_t)n > f->end - f->at || n > SSIZE_MAX)
		n = (size_t)(f->end - f->at);
	ssize_t got;
	do
		got = pread(f->fd, p, n, f->at);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		f->failed = true;
		if (got < 0)
			err_sys(err, "cannot read '%s'", f->name);
		else
			err_set(err, EK_PARSE, "unexpected end of '%s'", f->name);
		return -1;
	}
	f->at += got;
	return got;
}

void fd_source_init(struct fd_source *s, int fd, off_t at, off_t end, const char *name)
{
	*s = (struct fd_source){
		.src.read = file_source_read, .fd = fd, .at = at, .end = end, .name = name};
}

/* Skips without reading where the source allows it; returns what is left to skip. */
static uint64_t skip_fast(struct source *s, uint64_t n)
{
	if (s->read == mem_read) {
		struct mem_source *m = (struct mem_source *)s;
		size_t step = n < m->rest.n ? (size_t)n : m->rest.n;
		m->rest = str_from(m->rest, step);
		return n - step;
	}
	if (s->read == file_source_read) {
		struct fd_source *f = (struct fd_source *)s;
		uint64_t have = f->failed || f->end < f->at ? 0 : (uint64_t)(f->end - f->at);
		uint64_t step = n < have ? n : have;
		f->at += (off_t)step;
		return n - step;
	}
	return n;
}

bool source_skip(struct source *s, uint64_t n, const char *name, struct err *err)
{
	char block[SMALL_BLOCK];
	n = skip_fast(s, n);
	while (n) {
		size_t step = n < sizeof(block) ? (size_t)n : sizeof(block);
		if (!source_read_full(s, block, step, name, err))
			return false;
		n -= step;
	}
	return true;
}

bool source_read_all(struct source *s, const char *name, struct buf *out, struct err *err)
{
	for (;;) {
		char block[SMALL_BLOCK];
		ssize_t got = source_read(s, block, sizeof(block), err);
		if (got < 0)
			return false;
		if (got == 0)
			return true;
		buf_add(out, block, (size_t)got);
		if (out->over)
			return err_set(err, EK_PARSE,
				"'%s': size limit exceeded: limit is %zu bytes", name, out->max);
	}
}

bool source_copy(struct source *from, struct sink *to, struct err *err)
{
	char *block = malloc(COPY_BLOCK);
	if (!block)
		BUG("out of memory");
	ssize_t got;
	bool ok = true;
	while (ok && (got = source_read(from, block, COPY_BLOCK, err)) != 0)
		ok = got > 0 && sink_write(to, block, (size_t)got, err);
	free(block);
	return ok;
}

static bool buf_sink_write(struct sink *s, const void *p, size_t n, struct err *err)
{
	struct buf *out = ((struct buf_sink *)s)->out;
	buf_add(out, p, n);
	if (out->over)
		return err_set(err, EK_PARSE, "size limit exceeded: limit is %zu bytes", out->max);
	return true;
}

void buf_sink_init(struct buf_sink *s, struct buf *out)
{
	*s = (struct buf_sink){.sink.write = buf_sink_write, .out = out};
}

static bool fd_sink_write(struct sink *s, const void *p, size_t n, struct err *err)
{
	struct fd_sink *f = (struct fd_sink *)s;
	if (f->failed)
		return err_set(err, EK_OTHER, "writing '%s' failed before", f->name);
	f->failed = !fd_write_all(f->fd, p, n, f->name, err);
	if (!f->failed)
		f->n += n;
	return !f->failed;
}

void fd_sink_init(struct fd_sink *s, int fd, const char *name)
{
	*s = (struct fd_sink){.sink.write = fd_sink_write, .fd = fd, .name = name};
}

static bool hash_sink_write(struct sink *s, const void *p, size_t n, struct err *err)
{
	struct hash_sink *h = (struct hash_sink *)s;
	digest_add(&h->d, p, n);
	h->n += n;
	return !h->next || sink_write(h->next, p, n, err);
}

void hash_sink_init(struct hash_sink *s, enum digest_alg alg, struct sink *next)
{
	*s = (struct hash_sink){.sink.write = hash_sink_write, .next = next};
	digest_init(&s->d, alg);
}

static ssize_t limit_read(struct source *s, void *p, size_t n, struct err *err)
{
	struct limit_source *l = (struct limit_source *)s;
	/* one byte more than allowed tells a source that ends at the limit from one that goes on */
	if (n > l->left)
		n = (size_t)l->left + 1;
	ssize_t got = l->failed ? 1 : source_read(l->from, p, n, err);
	if (got < 0)
		return -1;
	if (l->failed || (uint64_t)got > l->left) {
		l->failed = true;
		err_set(err, EK_PARSE, "'%s': size limit exceeded: limit is %llu bytes", l->name,
			(unsigned long long)l->limit);
		return -1;
	}
	l->left -= (uint64_t)got;
	return got;
}

void limit_source_init(
	struct limit_source *s, struct source *from, uint64_t limit, const char *name)
{
	*s = (struct limit_source){
		.src.read = limit_read, .from = from, .left = limit, .limit = limit, .name = name};
}
