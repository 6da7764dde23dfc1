#include "shared/rootfs/elf.h"

#include <fcntl.h>
#include <string.h>

#include "shared/os/fd.h"
#include "shared/rootfs/tree.h"

#define MAX_COUNT 65536u
#define MAX_NAMES (16u << 20)
#define MAX_TEXT 4096u

enum { SHT_DYNAMIC_ = 6, PT_DYNAMIC_ = 2, PT_INTERP_ = 3, PT_LOAD_ = 1 };
enum { PN_XNUM_ = 0xffff, SHN_XINDEX_ = 0xffff };
enum { TAG_NULL, TAG_NEEDED, TAG_STRTAB = 5, TAG_STRSZ = 10, TAG_SONAME = 14, TAG_RPATH = 15,
	TAG_RUNPATH = 29 };

/* Where the fields of the file's structures stand, by class. Words are `word` bytes wide. */
struct layout {
	unsigned word, ehdr, phdr, shdr, dyn;
	unsigned e_phoff, e_shoff, e_flags, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
	unsigned p_offset, p_vaddr, p_filesz;
	unsigned sh_flags, sh_offset, sh_size, sh_link, sh_info;
};
static const struct layout layouts[2] = {
	{ 4, 52, 32, 40, 8, 28, 32, 36, 42, 44, 46, 48, 50, 4, 8, 16, 8, 16, 20, 24, 28 },
	{ 8, 64, 56, 64, 16, 32, 40, 48, 54, 56, 58, 60, 62, 8, 16, 32, 8, 24, 32, 40, 44 },
};

struct segment {
	uint32_t type;
	uint64_t off, vaddr, filesz;
};

struct reader {
	struct elf *e;
	const struct layout *l;
	struct arena *a;
	uint64_t phoff, shoff;
	uint32_t phentsize, phnum, shentsize, shnum, shstrndx;
	struct segment *segments;
};

static uint64_t number(const struct elf *e, const uint8_t *p, unsigned bytes)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < bytes; i++)
		n = n << 8 | p[e->big_endian ? i : bytes - 1 - i];
	return n;
}

static uint16_t half(const struct elf *e, const uint8_t *p)
{
	return (uint16_t)number(e, p, 2);
}

static uint32_t word32(const struct elf *e, const uint8_t *p)
{
	return (uint32_t)number(e, p, 4);
}

static uint64_t word(const struct reader *r, const uint8_t *p)
{
	return number(r->e, p, r->l->word);
}

static bool beyond(const char *what, struct err *err)
{
	return err_set(err, EK_PARSE, "elf: the %s beyond the end of the file", what);
}

static bool within(const struct elf *e, uint64_t at, uint64_t n)
{
	return at <= e->src.size && n <= e->src.size - at;
}

static bool read_at(const struct elf *e, void *p, uint64_t at, uint64_t n, const char *what,
	struct err *err)
{
	if (!within(e, at, n))
		return err_set(err, EK_PARSE, "elf: the %s lies beyond the end of the file", what);
	return n == 0 || e->src.pread(e->src.user, p, (size_t)n, at, err);
}

/* A text that ends in NUL within [at, end). */
static bool read_text(struct reader *r, uint64_t at, uint64_t end, const char *what,
	struct str *ret, struct err *err)
{
	char text[MAX_TEXT];
	size_t have = 0;
	if (end > r->e->src.size)
		end = r->e->src.size;
	while (have < sizeof(text) && at < end) {
		size_t n = have ? sizeof(text) - have : 64;
		if (n > end - at)
			n = (size_t)(end - at);
		if (!read_at(r->e, text + have, at, n, what, err))
			return false;
		const char *nul = memchr(text + have, 0, n);
		if (nul) {
			*ret = arena_str(r->a, str_n(text, (size_t)(nul - text)));
			return true;
		}
		have += n;
		at += n;
	}
	return err_set(err, EK_PARSE, "elf: a %s does not end within its table", what);
}

static bool read_header(struct reader *r, struct err *err)
{
	uint8_t h[64];
	struct elf *e = r->e;
	const struct layout *l = r->l;
	if (!read_at(e, h, 0, l->ehdr, "header", err))
		return false;
	e->type = half(e, h + 16);
	e->machine = half(e, h + 18);
	e->flags = word32(e, h + l->e_flags);
	r->phoff = word(r, h + l->e_phoff);
	r->shoff = word(r, h + l->e_shoff);
	r->phentsize = half(e, h + l->e_phentsize);
	r->phnum = half(e, h + l->e_phnum);
	r->shentsize = half(e, h + l->e_shentsize);
	r->shnum = half(e, h + l->e_shnum);
	r->shstrndx = half(e, h + l->e_shstrndx);
	if (r->shoff && r->shentsize < l->shdr)
		return err_set(err, EK_PARSE, "elf: section headers of %u bytes", r->shentsize);
	if (r->phnum && r->phentsize < l->phdr)
		return err_set(err, EK_PARSE, "elf: program headers of %u bytes", r->phentsize);
	return true;
}

/* Counts that did not fit the header stand in the first section header. */
static bool extended_counts(struct reader *r, struct err *err)
{
	uint8_t h[64];
	const struct layout *l = r->l;
	if (!r->shoff) {
		r->shnum = 0;
		return true;
	}
	if (r->shnum && r->shstrndx != SHN_XINDEX_ && r->phnum != PN_XNUM_)
		return true;
	if (!read_at(r->e, h, r->shoff, l->shdr, "first section header", err))
		return false;
	uint64_t size = word(r, h + l->sh_size);
	if (!r->shnum)
		r->shnum = size > MAX_COUNT ? MAX_COUNT + 1 : (uint32_t)size;
	if (r->shstrndx == SHN_XINDEX_)
		r->shstrndx = word32(r->e, h + l->sh_link);
	if (r->phnum == PN_XNUM_)
		r->phnum = word32(r->e, h + l->sh_info);
	return true;
}

static bool read_table(struct reader *r, uint64_t at, uint32_t count, uint32_t entsize,
	const char *what, uint8_t **ret, struct err *err)
{
	uint64_t n = (uint64_t)count * entsize;
	if (count > MAX_COUNT)
		return err_set(err, EK_PARSE, "elf: more than %u %s", MAX_COUNT, what);
	if (!within(r->e, at, n))
		return err_set(err, EK_PARSE, "elf: %s lie beyond the end of the file", what);
	*ret = arena_alloc(r->a, n + 1);
	return read_at(r->e, *ret, at, n, what, err);
}

/* Names out of the section that holds them; a file without it has unnamed sections. */
static bool section_names(struct reader *r, const uint8_t *table, struct err *err)
{
	struct elf *e = r->e;
	if (!r->shstrndx)
		return true;
	if (r->shstrndx >= e->n_sections)
		return err_set(err, EK_PARSE, "elf: no section %u for section names", r->shstrndx);
	const struct elf_section *s = &e->sections[r->shstrndx];
	if (s->type == ELF_SECTION_NOBITS)
		return true;
	if (s->size > MAX_NAMES || !within(e, s->off, s->size))
		return beyond("section names lie", err);
	char *names = arena_alloc(r->a, s->size + 1);
	if (!read_at(e, names, s->off, s->size, "section names", err))
		return false;
	for (size_t i = 0; i < e->n_sections; i++) {
		uint32_t at = word32(e, table + i * r->shentsize);
		if (at > s->size)
			return err_set(err, EK_PARSE, "elf: no name at %u for section %zu", at, i);
		e->sections[i].name = str_of(names + at);
	}
	return true;
}

static bool read_sections(struct reader *r, struct err *err)
{
	struct elf *e = r->e;
	const struct layout *l = r->l;
	uint8_t *table;
	if (!r->shnum)
		return true;
	if (!read_table(r, r->shoff, r->shnum, r->shentsize, "section headers", &table, err))
		return false;
	e->n_sections = r->shnum;
	e->sections = arena_array(r->a, struct elf_section, e->n_sections);
	for (size_t i = 0; i < e->n_sections; i++) {
		const uint8_t *h = table + i * r->shentsize;
		e->sections[i] = (struct elf_section){
			.name = S(""),
			.type = word32(e, h + 4),
			.flags = word(r, h + l->sh_flags),
			.off = word(r, h + l->sh_offset),
			.size = word(r, h + l->sh_size),
			.link = word32(e, h + l->sh_link),
		};
	}
	return section_names(r, table, err);
}

static bool read_segments(struct reader *r, struct err *err)
{
	const struct layout *l = r->l;
	uint8_t *table;
	if (!r->phnum)
		return true;
	if (!read_table(r, r->phoff, r->phnum, r->phentsize, "program headers", &table, err))
		return false;
	r->segments = arena_array(r->a, struct segment, r->phnum);
	for (uint32_t i = 0; i < r->phnum; i++) {
		const uint8_t *h = table + (size_t)i * r->phentsize;
		r->segments[i] = (struct segment){
			.type = word32(r->e, h),
			.off = word(r, h + l->p_offset),
			.vaddr = word(r, h + l->p_vaddr),
			.filesz = word(r, h + l->p_filesz),
		};
	}
	return true;
}

static const struct segment *find_segment(const struct reader *r, uint32_t type)
{
	for (uint32_t i = 0; i < r->phnum; i++)
		if (r->segments[i].type == type)
			return &r->segments[i];
	return NULL;
}

static bool read_interp(struct reader *r, struct err *err)
{
	const struct segment *s = find_segment(r, PT_INTERP_);
	if (!s || !s->filesz)
		return true;
	if (!within(r->e, s->off, s->filesz))
		return beyond("interpreter lies", err);
	r->e->has_interp = true;
	return read_text(r, s->off, s->off + s->filesz, "interpreter", &r->e->interp, err);
}

/* Where the dynamic entries and their texts are. */
struct dynamic {
	uint64_t off, size, text, text_end;
	uint64_t strtab, strsz;	/* as the entries say: an address */
	bool by_address;
};

static bool dynamic_section(const struct reader *r, struct dynamic *d, bool *ret_nobits,
	struct err *err)
{
	const struct elf *e = r->e;
	*ret_nobits = false;
	for (size_t i = 0; i < e->n_sections; i++) {
		const struct elf_section *s = &e->sections[i];
		if (s->type == ELF_SECTION_NOBITS && str_is(s->name, ".dynamic"))
			*ret_nobits = true;
		if (s->type != SHT_DYNAMIC_)
			continue;
		if (s->link >= e->n_sections)
			return err_set(err, EK_PARSE, "elf: no section %u of texts", s->link);
		const struct elf_section *t = &e->sections[s->link];
		if (t->type == ELF_SECTION_NOBITS || !within(e, t->off, t->size))
			return beyond("dynamic texts lie", err);
		*d = (struct dynamic){ s->off, s->size, t->off, t->off + t->size, 0, 0, false };
		return true;
	}
	return true;
}

/* Without a section to say so, DT_STRTAB's address is looked up in the loaded segments. */
static bool texts_by_address(const struct reader *r, struct dynamic *d, struct err *err)
{
	for (uint32_t i = 0; i < r->phnum; i++) {
		const struct segment *s = &r->segments[i];
		if (s->type != PT_LOAD_ || d->strtab < s->vaddr ||
			d->strtab - s->vaddr >= s->filesz)
			continue;
		uint64_t in = d->strtab - s->vaddr, left = s->filesz - in;
		if (!within(r->e, s->off, in))
			break;
		d->text = s->off + in;
		d->text_end = d->text + (d->strsz < left ? d->strsz : left);
		return true;
	}
	return err_set(err, EK_PARSE, "elf: no segment holds the dynamic texts");
}

struct entry {
	uint64_t tag, val;
};

static bool read_entries(struct reader *r, struct dynamic *d, struct entry **ret, size_t *ret_n,
	struct err *err)
{
	const struct layout *l = r->l;
	uint64_t n = d->size / l->dyn;
	uint8_t *table;
	if (n > MAX_COUNT)
		return err_set(err, EK_PARSE, "elf: more than %u dynamic entries", MAX_COUNT);
	if (!read_table(r, d->off, (uint32_t)n, l->dyn, "dynamic entries", &table, err))
		return false;
	struct entry *list = arena_array(r->a, struct entry, n + 1);
	size_t i;
	for (i = 0; i < n; i++) {
		const uint8_t *p = table + i * l->dyn;
		list[i] = (struct entry){ word(r, p), word(r, p + l->word) };
		if (list[i].tag == TAG_NULL)
			break;
		if (list[i].tag == TAG_STRTAB)
			d->strtab = list[i].val;
		if (list[i].tag == TAG_STRSZ)
			d->strsz = list[i].val;
	}
	*ret = list;
	*ret_n = i;
	return true;
}

static struct strs *list_of(struct elf *e, uint64_t tag)
{
	switch (tag) {
	case TAG_NEEDED:
		return &e->needed;
	case TAG_SONAME:
		return &e->soname;
	case TAG_RPATH:
		return &e->rpath;
	case TAG_RUNPATH:
		return &e->runpath;
	default:
		return NULL;
	}
}

static bool dynamic_texts(struct reader *r, struct dynamic *d, struct err *err)
{
	struct entry *list = NULL;
	size_t n = 0;
	bool found = !d->by_address;
	if (!read_entries(r, d, &list, &n, err))
		return false;
	r->e->has_dynamic = true;
	for (size_t i = 0; i < n; i++) {
		struct strs *to = list_of(r->e, list[i].tag);
		struct str text;
		if (!to)
			continue;
		if (!found && !texts_by_address(r, d, err))
			return false;
		found = true;
		if (list[i].val >= d->text_end - d->text)
			return err_set(err, EK_PARSE, "elf: a dynamic text is out of bounds");
		if (!read_text(r, d->text + list[i].val, d->text_end, "dynamic text", &text, err))
			return false;
		strs_push(r->a, to, text);
	}
	return true;
}

static bool read_dynamic(struct reader *r, struct err *err)
{
	struct dynamic d = { 0 };
	bool nobits;
	if (!dynamic_section(r, &d, &nobits, err))
		return false;
	if (!d.size) {
		const struct segment *s = find_segment(r, PT_DYNAMIC_);
		/* A file of debug symbols keeps the program headers but not what they lead to. */
		if (!s || !s->filesz || nobits)
			return true;
		d = (struct dynamic){ .off = s->off, .size = s->filesz, .by_address = true };
	}
	return dynamic_texts(r, &d, err);
}

bool elf_open(const struct elf_src *src, struct arena *a, struct elf *ret, struct err *err)
{
	uint8_t id[16];
	struct elf e = { .src = *src };
	if (src->size < 4 || !src->pread(src->user, id, 4, 0, err) || memcmp(id, "\177ELF", 4) != 0)
		return false;
	if (!read_at(&e, id, 0, sizeof(id), "identification", err))
		return false;
	if (id[4] < 1 || id[4] > 2)
		return err_set(err, EK_PARSE, "elf: unknown class %u", id[4]);
	if (id[5] < 1 || id[5] > 2)
		return err_set(err, EK_PARSE, "elf: unknown byte order %u", id[5]);
	e.is64 = id[4] == 2;
	e.big_endian = id[5] == 2;
	struct reader r = { .e = &e, .l = &layouts[e.is64], .a = a };
	if (!read_header(&r, err) || !extended_counts(&r, err) || !read_sections(&r, err) ||
		!read_segments(&r, err) || !read_interp(&r, err) || !read_dynamic(&r, err))
		return false;
	*ret = e;
	return true;
}

static bool pread_blob(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	const struct tree_body *b = user;
	return fd_pread_all(b->blob->fd, p, n, (off_t)(b->off + at), b->blob->name, err);
}

static bool pread_bytes(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	const struct tree_body *b = user;
	(void)err;
	memcpy(p, b->bytes + at, n);
	return true;
}

static bool pread_fd(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	return fd_pread_all(*(const int *)user, p, n, (off_t)at, "elf file", err);
}

static bool pread_closed(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	(void)user, (void)p, (void)n, (void)at;
	return err_set(err, EK_OTHER, "elf: the file is closed");
}

bool elf_open_node(const struct tree_node *file, struct arena *a, struct elf *ret,
	struct err *err)
{
	struct tree_body *b = file->body;
	auto_fd int fd = -1;
	if (!b)
		return false;
	struct elf_src src = { .pread = b->blob ? pread_blob : pread_bytes, .user = b,
		.size = b->size };
	if (!b->blob && !b->bytes) {
		fd = openat(b->dirfd, b->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "cannot open '%s'", b->path);
		src.pread = pread_fd;
		src.user = &fd;
	}
	if (!elf_open(&src, a, ret, err))
		return false;
	if (fd >= 0)
		ret->src = (struct elf_src){ .pread = pread_closed, .size = b->size };
	return true;
}

const struct elf_section *elf_section(const struct elf *e, struct str name)
{
	for (size_t i = 0; i < e->n_sections; i++)
		if (str_eq(e->sections[i].name, name))
			return &e->sections[i];
	return NULL;
}

bool elf_section_read(const struct elf *e, const struct elf_section *s, uint64_t from, size_t n,
	struct arena *a, struct str *ret_bytes, struct err *err)
{
	uint64_t have = s->type == ELF_SECTION_NOBITS || from > s->size ? 0 : s->size - from;
	if (n > have)
		n = (size_t)have;
	if (s->off > e->src.size || from > e->src.size - s->off || n > e->src.size - s->off - from)
		return err_set(err, EK_PARSE, "elf: section '%.*s' lies beyond the end of the file",
			STR_ARG(s->name));
	char *bytes = arena_alloc(a, n + 1);
	if (!read_at(e, bytes, s->off + from, n, "section", err))
		return false;
	*ret_bytes = str_n(bytes, n);
	return true;
}

struct str elf_machine_name(uint16_t machine, struct arena *a)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{ 2, "sparc" }, { ELF_386, "386" }, { 8, "mips" }, { 20, "ppc" },
		{ ELF_PPC64, "ppc64" }, { ELF_S390, "s390" }, { ELF_ARM, "arm" }, { 43, "sparcv9" },
		{ 50, "ia64" }, { ELF_X86_64, "x86_64" }, { ELF_AARCH64, "aarch64" },
		{ ELF_RISCV, "riscv" }, { 247, "bpf" }, { ELF_LOONGARCH, "loongarch" },
	};
	for (size_t i = 0; i < countof(names); i++)
		if (names[i].machine == machine)
			return str_of(names[i].name);
	return arena_strf(a, "machine %u", machine);
}
