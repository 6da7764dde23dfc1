#include "melange/scan/content.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared/os/fd.h"

bool content_open(const struct tree_node *file, struct content *ret, struct err *err)
{
	struct content c = { .body = file->body, .fd = -1 };
	if (!c.body->bytes && !c.body->blob && c.body->size) {
		c.fd = openat(c.body->dirfd, c.body->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (c.fd < 0)
			return err_sys(err, "cannot open '%s'", c.body->path);
	}
	*ret = c;
	return true;
}

void content_close(struct content *c)
{
	if (c->map)
		munmap(c->map, c->map_size);
	c->map = NULL;
	fd_close(&c->fd);
}

bool content_pread(const struct content *c, void *p, size_t n, uint64_t at, struct err *err)
{
	const struct tree_body *b = c->body;
	if (n == 0)
		return true;
	if (b->blob)
		return fd_pread_all(b->blob->fd, p, n, (off_t)(b->off + at), b->blob->name, err);
	if (!b->bytes)
		return fd_pread_all(c->fd, p, n, (off_t)at, b->path, err);
	memcpy(p, b->bytes + at, n);
	return true;
}

bool content_head(const struct tree_node *file, size_t n, struct arena *a, struct str *ret,
	struct err *err)
{
	auto_content struct content c = CONTENT_INIT;
	if (n > file->body->size)
		n = (size_t)file->body->size;
	char *p = arena_alloc(a, n + 1);
	if (!content_open(file, &c, err) || !content_pread(&c, p, n, 0, err))
		return false;
	*ret = str_n(p, n);
	return true;
}

bool content_map(struct content *c, struct str *ret, struct err *err)
{
	const struct tree_body *b = c->body;
	size_t size = (size_t)b->size;
	if (size == 0 || (b->bytes && !b->blob)) {
		*ret = size ? str_n(b->bytes, size) : S("");
		return true;
	}
	/* A mapping starts at a page; a blob's content need not. */
	uint64_t skip = b->blob ? b->off % (uint64_t)sysconf(_SC_PAGESIZE) : 0;
	off_t at = b->blob ? (off_t)(b->off - skip) : 0;
	void *p = mmap(NULL, size + skip, PROT_READ, MAP_PRIVATE, b->blob ? b->blob->fd : c->fd, at);
	if (p == MAP_FAILED)
		return err_sys(err, "cannot map '%s'", b->blob ? b->blob->name : b->path);
	c->map = p;
	c->map_size = size + skip;
	*ret = str_n((const char *)p + skip, size);
	return true;
}

static bool read_elf(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	return content_pread(user, p, n, at, err);
}

struct elf_src content_elf(struct content *c)
{
	return (struct elf_src){ read_elf, c, c->body->size };
}
