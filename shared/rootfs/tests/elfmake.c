#include "shared/rootfs/tests/elfmake.h"

#include "shared/base/str.h"

#define NAMES "\0.dynstr\0.dynamic\0.shstrtab"
#define ADDRESS 0x10000

static void put(const struct elfmake *m, struct buf *b, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_addc(b, (char)(n >> 8 * (m->big ? bytes - 1 - i : i)));
}

static void word(const struct elfmake *m, struct buf *b, uint64_t n)
{
	put(m, b, n, m->is64 ? 8 : 4);
}

static void entries(const struct elfmake *m, const char *texts, unsigned tag, struct buf *dynamic,
	struct buf *strings)
{
	struct str rest = str_of(texts), text;
	while (str_word(&rest, &text)) {
		word(m, dynamic, tag);
		word(m, dynamic, strings->n);
		buf_addstr(strings, text);
		buf_addc(strings, 0);
	}
}

static void segment(const struct elfmake *m, struct buf *b, unsigned type, size_t off, size_t n)
{
	put(m, b, type, 4);
	if (m->is64)
		put(m, b, 4, 4);
	word(m, b, off);
	word(m, b, ADDRESS + off);
	word(m, b, ADDRESS + off);
	word(m, b, n);
	word(m, b, n);
	if (!m->is64)
		put(m, b, 4, 4);
	word(m, b, 1);
}

static void section(const struct elfmake *m, struct buf *b, unsigned name, unsigned type,
	unsigned link, size_t off, size_t n)
{
	put(m, b, name, 4);
	put(m, b, type, 4);
	word(m, b, 0);
	word(m, b, 0);
	word(m, b, off);
	word(m, b, n);
	put(m, b, link, 4);
	put(m, b, 0, 4);
	word(m, b, 1);
	word(m, b, 0);
}

static void header(const struct elfmake *m, struct buf *b, unsigned segments, size_t sections)
{
	unsigned ehdr = m->is64 ? 64 : 52;
	buf_adds(b, "\177ELF");
	buf_addc(b, m->is64 ? 2 : 1);
	buf_addc(b, m->big ? 2 : 1);
	buf_addc(b, 1);
	buf_addzero(b, 9);
	put(m, b, m->type, 2);
	put(m, b, m->machine, 2);
	put(m, b, 1, 4);
	word(m, b, 0);
	word(m, b, segments ? ehdr : 0);
	word(m, b, sections);
	put(m, b, m->flags, 4);
	put(m, b, ehdr, 2);
	put(m, b, m->is64 ? 56 : 32, 2);
	put(m, b, segments, 2);
	put(m, b, m->is64 ? 64 : 40, 2);
	put(m, b, sections ? 4 : 0, 2);
	put(m, b, sections ? 3 : 0, 2);
}

void elf_make(const struct elfmake *m, struct buf *out)
{
	auto_buf struct buf dynamic = BUF_INIT(1 << 20), strings = BUF_INIT(1 << 20);
	struct str interp = str_of(m->interp);
	bool dyn = m->soname || m->needed || m->rpath || m->runpath;
	unsigned segments = m->no_segments ? 0 : 1u + dyn + (m->interp != NULL);
	unsigned ehdr = m->is64 ? 64 : 52, phdr = m->is64 ? 56 : 32, entry = m->is64 ? 16 : 8;
	buf_addc(&strings, 0);
	entries(m, m->needed, 1, &dynamic, &strings);
	entries(m, m->soname, 14, &dynamic, &strings);
	entries(m, m->rpath, 15, &dynamic, &strings);
	entries(m, m->runpath, 29, &dynamic, &strings);
	size_t at_interp = ehdr + segments * phdr, at_strings = at_interp + interp.n + 1;
	size_t at_dynamic = at_strings + strings.n, n_dynamic = dynamic.n + 3 * entry;
	word(m, &dynamic, 5);
	word(m, &dynamic, ADDRESS + at_strings);
	word(m, &dynamic, 10);
	word(m, &dynamic, strings.n);
	word(m, &dynamic, 0);
	word(m, &dynamic, 0);
	size_t at_names = at_dynamic + n_dynamic, at_sections = at_names + sizeof(NAMES);
	header(m, out, segments, m->no_sections ? 0 : at_sections);
	if (segments)
		segment(m, out, 1, 0, at_names);
	if (segments && dyn)
		segment(m, out, 2, at_dynamic, n_dynamic);
	if (segments && m->interp)
		segment(m, out, 3, at_interp, interp.n + 1);
	buf_addstr(out, interp);
	buf_addc(out, 0);
	buf_addstr(out, buf_str(&strings));
	buf_addstr(out, buf_str(&dynamic));
	if (m->no_sections)
		return;
	buf_add(out, NAMES, sizeof(NAMES));
	section(m, out, 0, 0, 0, 0, 0);
	section(m, out, 1, 3, 0, at_strings, strings.n);
	section(m, out, 9, dyn ? 6 : 1, 1, at_dynamic, n_dynamic);
	section(m, out, 18, 3, 0, at_names, sizeof(NAMES));
}
