#include "melange/scan/finder.h"

#include <lzma.h>
#include <string.h>

#include "melange/scan/content.h"
#include "shared/archive/gz.h"
#include "shared/archive/zs.h"
#include "shared/base/buf.h"

/* Kernel images and modules (melange-build 4.3): what an image's version text and a module's
 * vermagic say. */

#define MAX_IMAGE (256u << 20)	/* inflated */
#define MAX_MODINFO (1u << 20)
#define MAX_XZ_MEMORY (128u << 20)
#define MAX_TRIES 64		/* gzip headers in an image that are followed up */

static bool in_version(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		c == '.' || c == '-' || c == '_';
}

static const struct str linux_mark = { "Linux version ", sizeof("Linux version ") - 1 };

static struct str version_at(struct str s)
{
	size_t n = 0;
	while (n < s.n && in_version(s.p[n]))
		n++;
	return str_sub(s, 0, n);
}

static struct str text_after(struct str bytes, struct str mark)
{
	long at = str_find(bytes, mark);
	return at < 0 ? STR_NONE : version_at(str_from(bytes, (size_t)at + mark.n));
}

static bool unxz(struct str in, struct buf *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	bool ok = lzma_stream_decoder(&s, MAX_XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
	s.next_in = (const uint8_t *)in.p;
	s.avail_in = in.n;
	while (ok) {
		char *room = buf_room(out, 65536);
		if (!room) {
			ok = false;
			break;
		}
		s.next_out = (uint8_t *)room;
		s.avail_out = 65536;
		lzma_ret r = lzma_code(&s, LZMA_FINISH);
		out->n += 65536 - s.avail_out;
		if (r == LZMA_STREAM_END)
			break;
		ok = r == LZMA_OK;
	}
	lzma_end(&s);
	return ok;
}

/* Inflated when the bytes begin with a compression we know. */
static struct str opened(struct str bytes, struct buf *out)
{
	auto_err struct err ignored = ERR_INIT;
	size_t used;
	bool ok = false;
	if (str_starts(bytes, S("\x1f\x8b")))
		ok = gz_inflate_member(bytes, "kernel file", out, &used, &ignored);
	else if (str_starts(bytes, S("\x28\xb5\x2f\xfd")))
		ok = zs_inflate(bytes, "kernel file", out, &ignored);
	else if (str_starts(bytes, S("\xfd""7zXZ")))
		ok = unxz(bytes, out);
	return ok ? buf_str(out) : bytes;
}

static uint32_t le(struct str b, size_t at, unsigned bytes)
{
	uint32_t n = 0;
	for (unsigned i = bytes; i-- > 0 && at + i < b.n;)
		n = n << 8 | (unsigned char)b.p[at + i];
	return n;
}

/* bzImage: "HdrS" at 514, a pointer at 526 to the version text, 0x200 further on. */
static struct str bzimage_version(struct str b)
{
	if (!str_starts(str_from(b, 514), S("HdrS")) || le(b, 526, 2) == 0)
		return STR_NONE;
	return version_at(str_from(b, le(b, 526, 2) + 0x200));
}

/* The image inside a unified one: section .linux of a PE file. Empty if there is none. */
static struct str unified(struct str b)
{
	size_t pe = le(b, 0x3c, 4);
	if (!str_starts(b, S("MZ")) || !str_starts(str_from(b, pe), S("PE\0\0")))
		return STR_NONE;
	unsigned sections = le(b, pe + 6, 2);
	size_t at = pe + 24 + le(b, pe + 20, 2);
	for (unsigned i = 0; i < sections && at + 40 <= b.n; i++, at += 40) {
		if (!str_starts(str_from(b, at), S(".linux\0\0")))
			continue;
		uint32_t used = le(b, at + 8, 4), raw = le(b, at + 16, 4);
		return str_sub(b, le(b, at + 20, 4), used && used < raw ? used : raw);
	}
	return STR_NONE;
}

/* An image inside the image: the first gzip member that opens and holds the version text. */
static struct str embedded(struct str bytes, struct buf *out)
{
	struct str rest = bytes;
	for (unsigned tries = 0; tries < MAX_TRIES; tries++) {
		long at = str_find(rest, S("\x1f\x8b\x08"));
		if (at < 0)
			break;
		rest = str_from(rest, (size_t)at);
		buf_clear(out);
		struct str v = text_after(opened(rest, out), linux_mark);
		if (v.n)
			return v;
		rest = str_from(rest, 3);
	}
	return STR_NONE;
}

static struct str image_version(struct str bytes, struct buf *scratch)
{
	struct str inner = unified(bytes), open, v;
	if (inner.n)
		bytes = inner;
	open = opened(bytes, scratch);
	v = bzimage_version(open);
	if (v.n == 0)
		v = text_after(open, linux_mark);
	if (v.n == 0 && open.p == bytes.p)
		v = embedded(bytes, scratch);
	return v;
}

/* A plain module says it in a section; the rest need not be read. */
static struct str module_version(struct content *content, struct str bytes, struct arena *a,
	struct buf *scratch)
{
	auto_err struct err ignored = ERR_INIT;
	const struct elf_src src = content_elf(content);
	struct elf e;
	if (elf_open(&src, a, &e, &ignored)) {
		const struct elf_section *s = elf_section(&e, S(".modinfo"));
		struct str info;
		if (s && elf_section_read(&e, s, 0, MAX_MODINFO, a, &info, &ignored))
			return text_after(info, S("vermagic="));
	}
	return text_after(opened(bytes, scratch), S("vermagic="));
}

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	bool modules = str_starts(path, S("lib/modules/")) || str_starts(path, S("usr/lib/modules/"));
	auto_err struct err unread = ERR_INIT;
	auto_arena struct arena scratch = ARENA_INIT;
	auto_buf struct buf out = BUF_INIT(MAX_IMAGE);
	auto_content struct content content = CONTENT_INIT;
	struct str bytes, v;
	(void)err;
	if (n->type != '0' || (!modules && !str_starts(path, S("boot/"))))
		return true;
	if (!content_open(n, &content, &unread) || !content_map(&content, &bytes, &unread))
		return scan_unread(c, path, &unread);
	if (modules && str_find(n->name, S(".ko")) >= 0) {
		v = module_version(&content, bytes, &scratch, &out);
		if (v.n)
			scan_add(c, &c->runtime, "linux:%.*s", STR_ARG(v));
		return true;
	}
	v = image_version(bytes, &out);
	if (v.n)
		scan_add(c, &c->provides, "linux:%.*s", STR_ARG(v));
	return true;
}
const struct scan_finder find_kernel = { .name = "kernel", .visit = visit };
