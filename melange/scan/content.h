#pragma once

#include "shared/rootfs/elf.h"
#include "shared/rootfs/tree.h"

/* Content of a regular file of a tree, open for small reads anywhere in it: what the scan and the
 * linters look at, without taking whole files into memory. The node must outlive it. */

struct content {
	const struct tree_body *body;
	int fd;		/* -1 when the body needs none of its own */
	void *map;	/* of content_map; NULL = none */
	size_t map_size;
};
#define CONTENT_INIT { .fd = -1 }
#define auto_content cleanup_with(content_close)

bool content_open(const struct tree_node *file, struct content *ret, struct err *err) must_check;
void content_close(struct content *c);
/* Exactly n bytes at `at`; the caller stays within body->size. */
bool content_pread(const struct content *c, void *p, size_t n, uint64_t at, struct err *err)
	must_check;
/* The first n bytes, less at the end of the file; arena text. */
bool content_head(const struct tree_node *file, size_t n, struct arena *a, struct str *ret,
	struct err *err) must_check;
/* All of it, mapped: valid until content_close. */
bool content_map(struct content *c, struct str *ret, struct err *err) must_check;
/* For elf_open; `c` stays open as long as sections are read. */
struct elf_src content_elf(struct content *c);
