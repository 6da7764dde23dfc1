#include "apko/layers/span.h"

#include <fcntl.h>
#include <string.h>

#include "shared/archive/tar.h"
#include "shared/os/fd.h"

uint64_t span_content(const struct export_entry *e)
{
	return e->node->type == '0' && !e->is_link ? e->node->body->size : 0;
}

/* The stretch at the cursor, not cut yet; empty where the entry ends. */
static struct span at_cursor(const struct span_cursor *c)
{
	uint64_t off = c->off;
	if (c->entry == c->plan->n)
		return (struct span){ .kind = SPAN_ZEROS, .n = TAR_END_SIZE - off };
	const struct export_entry *e = &c->plan->v[c->entry];
	if (off < e->header.n)
		return (struct span){ .kind = SPAN_BYTES, .n = e->header.n - off,
			.bytes = e->header.p + off };
	off -= e->header.n;
	uint64_t content = span_content(e);
	if (off >= content)
		return (struct span){ .kind = SPAN_ZEROS,
			.n = content + tar_padding(content) - off };
	const struct tree_body *b = e->node->body;
	if (!b->blob && b->bytes)
		return (struct span){ .kind = SPAN_BYTES, .n = content - off,
			.bytes = b->bytes + off };
	return (struct span){ .kind = SPAN_BODY, .n = content - off, .body = b, .off = off };
}

struct span span_next(struct span_cursor *c, uint64_t max)
{
	struct span s = at_cursor(c);
	while (!s.n && c->entry < c->plan->n) {
		c->entry++;
		c->off = 0;
		s = at_cursor(c);
	}
	if (s.n > max)
		s.n = max;
	c->off += s.n;
	return s;
}

bool span_read(const struct span *s, void *p, struct err *err)
{
	if (s->kind == SPAN_BYTES)
		memcpy(p, s->bytes, (size_t)s->n);
	if (s->kind == SPAN_ZEROS)
		memset(p, 0, (size_t)s->n);
	if (s->kind != SPAN_BODY)
		return true;
	const struct tree_body *b = s->body;
	if (b->blob)
		return fd_pread_all(b->blob->fd, p, (size_t)s->n, (off_t)(b->off + s->off),
			b->blob->name, err);
	auto_fd int fd = openat(b->dirfd, b->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", b->path);
	return fd_pread_all(fd, p, (size_t)s->n, (off_t)s->off, b->path, err);
}

bool span_fill(struct span_cursor *c, void *p, size_t n, size_t *ret_n, struct err *err)
{
	size_t done = 0;
	while (done < n) {
		struct span s = span_next(c, n - done);
		if (!s.n)
			break;
		if (!span_read(&s, (char *)p + done, err))
			return false;
		done += (size_t)s.n;
	}
	*ret_n = done;
	return true;
}
