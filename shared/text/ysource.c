#include "shared/text/ysource.h"

#include <limits.h>
#include "shared/base/buf.h"
#include "shared/text/utf8.h"

#define MARK_STEP 128
#define MAX_SOURCE ((size_t)64 << 20)

static uint32_t unit16(struct str s, size_t at, bool big)
{
	unsigned char a = (unsigned char)s.p[at], b = (unsigned char)s.p[at + 1];

	return big ? (uint32_t)a << 8 | b : (uint32_t)b << 8 | a;
}

/* UTF-16 behind its byte order mark to UTF-8; false when it is malformed. */
static bool from_utf16(struct str s, bool big, struct buf *out)
{
	char c[4];

	if (s.n % 2 != 0)
		return false;
	for (size_t i = 2; i < s.n; i += 2) {
		uint32_t u = unit16(s, i, big), low;

		if (u >= 0xdc00 && u <= 0xdfff)
			return false;
		if (u >= 0xd800 && u <= 0xdbff) {
			i += 2;
			low = i < s.n ? unit16(s, i, big) : 0;
			if (low < 0xdc00 || low > 0xdfff)
				return false;
			u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
		}
		buf_add(out, c, utf8_encode(u, c));
	}
	return true;
}

/* What YAML lets stand in a text. */
static bool is_printable(uint32_t cp)
{
	return cp == '\t' || cp == '\n' || cp == '\r' || (cp >= 0x20 && cp <= 0x7e) ||
		cp == 0x85 || (cp >= 0xa0 && cp <= 0xfffd && cp != 0xfeff) || cp >= 0x10000;
}

static void step(struct ymark *m, size_t len, bool newline)
{
	m->chars++;
	m->byte += len;
	if (newline && m->line < INT_MAX) {
		m->line++;
		m->col = 1;
	} else if (!newline && m->col < INT_MAX) {
		m->col++;
	}
}

static void bad_char(struct diags *d, const struct ydoc *doc, const struct ymark *m, size_t len,
	uint32_t cp)
{
	struct pos pos = { doc->file, m->line, m->col };

	if (len == 0)
		diags_add(d, pos, "invalid UTF-8 (byte 0x%02x)",
			(unsigned)(unsigned char)doc->src.p[m->byte]);
	else if (cp == 0)
		diags_add(d, pos, "NUL byte; is this a text file?");
	else if (cp == 0xfeff)
		diags_add(d, pos, "byte order mark inside the text");
	else
		diags_add(d, pos, "control character U+%04X is not allowed", (unsigned)cp);
}

static bool scan(struct ysource *s, const struct ydoc *doc, struct diags *d, struct arena *a)
{
	struct ymark m = { 0, s->start, 1, 1 };
	uint32_t cp = 0;
	size_t len;

	while (m.byte < s->src.n) {
		unsigned char c = (unsigned char)s->src.p[m.byte];
		if (m.chars % MARK_STEP == 0)
			vec_push(a, &s->marks, m);
		if (c >= 0x20 && c < 0x7f) {	/* most of them */
			step(&m, 1, false);
			continue;
		}
		len = utf8_decode(str_from(s->src, m.byte), &cp);
		if (len == 0 || !is_printable(cp)) {
			bad_char(d, doc, &m, len, cp);
			return false;
		}
		step(&m, len, cp == '\n');
	}
	return true;
}

bool ysource_init(struct ysource *s, struct str text, struct ydoc *doc, struct diags *d,
	struct arena *a)
{
	struct pos top = { doc->file, 1, 1 };
	bool big = str_starts(text, S("\xfe\xff"));

	*s = (struct ysource){ .cur = { 0, 0, 1, 1 } };
	if (text.n > MAX_SOURCE) {
		diags_add(d, top, "size limit exceeded: limit is %zu bytes", MAX_SOURCE);
		return false;
	}
	if (big || str_starts(text, S("\xff\xfe"))) {
		auto_buf struct buf utf8 = BUF_INIT(MAX_SOURCE * 2);

		if (!from_utf16(text, big, &utf8)) {
			diags_add(d, top, "malformed UTF-16");
			return false;
		}
		s->src = arena_str(a, buf_str(&utf8));
	} else {
		s->src = arena_str(a, text);
		s->start = str_starts(s->src, S("\xef\xbb\xbf")) ? 3 : 0;
	}
	s->cur.byte = s->start;
	doc->src = s->src;
	return scan(s, doc, d, a);
}

struct ymark ysource_at(struct ysource *s, size_t chars)
{
	size_t block = chars / MARK_STEP;
	struct ymark m = s->cur;
	uint32_t cp;
	size_t len;

	if (s->marks.n == 0)
		return m;
	if (block >= s->marks.n)
		block = s->marks.n - 1;
	if (m.chars > chars || m.chars < s->marks.v[block].chars)
		m = s->marks.v[block];
	while (m.chars < chars && m.byte < s->src.n) {
		len = utf8_decode(str_from(s->src, m.byte), &cp);
		step(&m, len, cp == '\n');
	}
	s->cur = m;
	return m;
}
