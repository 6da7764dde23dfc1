#include <stdlib.h>
#include <string.h>
#include "shared/archive/tar.h"

/* Whatever is read and can be written must read back as the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct tar_entry *a, const struct tar_entry *b)
{
	return str_eq(a->name, b->name) && str_eq(a->link, b->link) && a->type == b->type &&
	       a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	       a->mtime == b->mtime && str_eq(a->uname, b->uname) && str_eq(a->gname, b->gname) &&
	       a->pax.n == b->pax.n;
}

static void again(const struct tar_entry *e)
{
	auto_buf struct buf out = BUF_INIT(8 << 20);
	auto_arena struct arena arena = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry back;
	if (!tar_header(e, &out, &err))
		return;
	mem_source_init(&src, buf_str(&out));
	tar_reader_init(&r, &src.src, "again", &arena);
	int got = tar_next(&r, &back, &err);
	if (got != 1 || !same(e, &back))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena arena = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	char block[600];
	mem_source_init(&src, str_n((const char *)data, size));
	tar_reader_init(&r, &src.src, "input", &arena);
	while (tar_next(&r, &e, &err) == 1) {
		struct str name;
		(void)tar_name_ok(e.name, &name);
		(void)!tar_read(&r, block, sizeof(block), &err);
		again(&e);
	}
	if (r.at > size)
		abort();
	(void)!tar_finish(&r, &err);
	return 0;
}
