#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "shared/rootfs/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool from_memory(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	(void)err;
	memcpy(p, (const uint8_t *)user + at, n);
	return true;
}

/* What opens can be read in every section; what does not says why. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct elf_src src = { from_memory, (void *)data, size };
	struct elf e;
	struct str bytes;
	if (!elf_open(&src, &a, &e, &err)) {
		if (err.kind == EK_NONE && size >= 4 && memcmp(data, "\177ELF", 4) == 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < e.n_sections && i < 100; i++)
		(void)elf_section_read(&e, &e.sections[i], i, 4096, &a, &bytes, &err);
	return 0;
}
