#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/buf.h"

/* Small ELF files for tests: headers, an interpreter, dynamic entries, section names. */
struct elfmake {
	bool is64, big, no_sections, no_segments;
	uint16_t type, machine;
	uint32_t flags;
	const char *interp;	/* NULL: none */
	/* Texts of the dynamic entries, separated by blanks; NULL: none. All four NULL: no
	 * dynamic section. */
	const char *soname, *needed, *rpath, *runpath;
};
void elf_make(const struct elfmake *m, struct buf *out);
