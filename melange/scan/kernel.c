#include "melange/scan/finder.h"

#include <lzma.h>
#include <string.h>

#include "shared/archive/gz.h"
#include "shared/archive/zs.h"
#include "shared/base/buf.h"

/* Kernel images and modules (melange-build 4.3): what an image's version text and a module's
 * vermagic say. */

#define MAX_IMAGE (256u << 20)

static bool starts_version(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		c == '.' || c == '-' || c == '_';
}

static struct str version_at(struct str s)
{
	size_t n = 0;
	while (n < s.n && starts_version(s.p[n]))
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
	bool ok = lzma_stream_decoder(&s, 128u << 20, LZMA_CONCATENATED) == LZMA_OK;
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

/* bzImage: "HdrS" at 514, a pointer at 526 to the version text, 0x200 further on. */
static struct str bzimage_version(struct str b)
{
	if (b.n < 1024 || memcmp(b.p + 514, "HdrS", 4) != 0)
		return STR_NONE;
	size_t at = (unsigned char)b.p[526] | (size_t)(unsigned char)b.p[527] << 8;
	return version_at(str_from(b, at + 0x200));
}

/* An image inside the image: the first gzip member that opens and holds the version text. */
static struct str embedded(struct str bytes, struct buf *out)
{
	for (struct str rest = bytes;;) {
		long at = str_find(rest, S("\x1f\x8b\x08"));
		if (at < 0)
			return STR_NONE;
		rest = str_from(rest, (size_t)at);
		buf_clear(out);
		struct str v = text_after(opened(rest, out), S("Linux version "));
		if (v.n)
			return v;
		rest = str_from(rest, 3);
	}
}

static struct str image_version(struct str bytes, struct buf *scratch)
{
	struct str open = opened(bytes, scratch), v = bzimage_version(open);
	if (v.n == 0)
		v = text_after(open, S("Linux version "));
	if (v.n == 0 && open.p == bytes.p)
		v = embedded(bytes, scratch);
	return v;
}

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	bool modules = str_starts(path, S("lib/modules/")) || str_starts(path, S("usr/lib/modules/"));
	bool boot = str_starts(path, S("boot/"));
	struct str bytes;
	if (n->type != '0' || (!modules && !boot))
		return true;
	auto_arena struct arena scratch = ARENA_INIT;
	auto_buf struct buf out = BUF_INIT(MAX_IMAGE);
	if (!tree_read(n, &scratch, MAX_IMAGE, &bytes, err))
		return false;
	struct str base = scan_base(path);
	if (modules && str_find(base, S(".ko")) >= 0) {
		struct str v = text_after(opened(bytes, &out), S("vermagic="));
		if (v.n)
			scan_add(c, &c->runtime, "linux:%.*s", STR_ARG(v));
		return true;
	}
	struct str v = image_version(bytes, &out);
	if (v.n)
		scan_add(c, &c->provides, "linux:%.*s", STR_ARG(v));
	return true;
}
const struct scan_finder find_kernel = { "kernel", visit };
