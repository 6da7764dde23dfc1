#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/str.h"
#include "shared/base/vec.h"

/* A bounded reader of ELF files, both classes and both byte orders: what the linker left for the
 * dynamic loader, and the table of sections. Only the pieces needed are read, through a callback,
 * so that a file inside a package is not inflated or copied for it.
 *
 * Limits: 65536 sections, program headers and dynamic entries, 16 MiB of section names, 4096
 * bytes per text. Every offset is held against the size of the file. All text is the arena's. */

struct tree_node;

struct elf_src {
	/* Reads exactly n bytes at `at`; never asked for more than `size` allows. */
	bool (*pread)(void *user, void *p, size_t n, uint64_t at, struct err *err);
	void *user;
	uint64_t size;
};

enum elf_type { ELF_REL = 1, ELF_EXEC = 2, ELF_DYN = 3, ELF_CORE = 4 };
enum elf_machine {
	ELF_386 = 3,
	ELF_PPC64 = 21,
	ELF_S390 = 22,
	ELF_ARM = 40,
	ELF_X86_64 = 62,
	ELF_AARCH64 = 183,
	ELF_RISCV = 243,
	ELF_LOONGARCH = 258,
};
#define ELF_SECTION_NOBITS 8	/* a section type without bytes in the file */

struct elf_section {
	struct str name;
	uint32_t type, link;
	uint64_t flags, off, size;	/* as written: not yet held against the file's size */
};

struct elf {
	struct elf_src src;
	bool is64, big_endian;
	uint16_t type, machine;
	uint32_t flags;			/* e_flags: float ABI on some machines */
	struct elf_section *sections;	/* in file order, the empty first one included */
	size_t n_sections;
	bool has_interp, has_dynamic;
	struct str interp;		/* PT_INTERP */
	/* Dynamic entries, of the SHT_DYNAMIC section or, without one, of PT_DYNAMIC. */
	struct strs soname, needed, rpath, runpath;
};

/* A machine in words: "x86_64", or "machine 9" for one we have no name for. */
struct str elf_machine_name(uint16_t machine, struct arena *a);

/* False without an error (err untouched, so its kind stays EK_NONE) when the file is not ELF;
 * false with EK_PARSE when it is, but cut or malformed. `src` is copied: its `user` must live as
 * long as elf_section_read is used. */
bool elf_open(const struct elf_src *src, struct arena *a, struct elf *ret, struct err *err)
	must_check;
/* The same on a regular file of a tree (no section can be read later from a node that came from
 * a directory: its file is closed again). */
bool elf_open_node(const struct tree_node *file, struct arena *a, struct elf *ret,
	struct err *err) must_check;
/* The first section of that name, NULL if none. */
const struct elf_section *elf_section(const struct elf *e, struct str name);
/* Bytes [from, from + n) of a section into the arena, at most those it has. */
bool elf_section_read(const struct elf *e, const struct elf_section *s, uint64_t from, size_t n,
	struct arena *a, struct str *ret_bytes, struct err *err) must_check;
