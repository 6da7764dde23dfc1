#include "shared/text/ynode.h"

#include "shared/base/buf.h"
#include "shared/os/fd.h"
#include "shared/text/utf8.h"

#define MAX_FILE ((size_t)64 << 20)

bool ydoc_load(const char *path, struct arena *a, struct ydoc *ret_doc, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_FILE);

	return file_read(path, &text, err) && ydoc_parse(buf_str(&text), path, a, ret_doc, err);
}

static const struct ypair *find_pair(const struct ynode *map, struct str key)
{
	if (!map || map->kind != YN_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++) {
		const struct ynode *k = map->pairs[i].key;

		if (str_eq(k->kind == YN_NULL ? S("null") : k->text, key))
			return &map->pairs[i];
	}
	return NULL;
}

struct ynode *ynode_get(const struct ynode *map, const char *key)
{
	const struct ypair *pair = find_pair(map, str_of(key));

	return pair ? pair->val : NULL;
}

const struct ynode *ynode_key(const struct ynode *map, struct str key)
{
	const struct ypair *pair = find_pair(map, key);

	return pair ? pair->key : NULL;
}

const char *ynode_kind_name(const struct ynode *n)
{
	static const char *const names[] = {
		[YN_NULL] = "nothing",
		[YN_SCALAR] = "a text",
		[YN_SEQ] = "a list",
		[YN_MAP] = "a map",
	};

	return n ? names[n->kind] : "nothing";
}

/* Where the text of a scalar begins in its line, behind an anchor and tags. */
static size_t content_start(const struct ydoc *doc, const struct ynode *n)
{
	size_t at = n->off;

	while (at < n->end && (doc->src.p[at] == '&' || doc->src.p[at] == '!')) {
		while (at < n->end && !strchr(" \t\r\n", doc->src.p[at]))
			at++;
		while (at < n->end && strchr(" \t\r\n", doc->src.p[at]))
			at++;
	}
	return at;
}

static struct pos pos_at_byte(const struct ydoc *doc, const struct ynode *n, size_t byte)
{
	struct pos pos = n->pos;
	uint32_t cp;
	size_t len;

	for (size_t at = n->off; at < byte; at += len ? len : 1) {
		len = utf8_decode(str_from(doc->src, at), &cp);
		if (len == 1 && cp == '\n') {
			pos.line++;
			pos.col = 1;
		} else {
			pos.col++;
		}
	}
	return pos;
}

/* Source bytes and text bytes of the escape (or plain byte) at the start of s. */
static size_t escape_len(struct str s, size_t *ret_text)
{
	unsigned digits, v = 0;
	char utf8[4];

	*ret_text = 1;
	if (s.p[0] != '\\' || s.n < 2)
		return 1;
	digits = s.p[1] == 'x' ? 2 : s.p[1] == 'u' ? 4 : s.p[1] == 'U' ? 8 : 0;
	for (unsigned i = 0; i < digits && 2 + i < s.n; i++) {
		char c = s.p[2 + i];

		v = v << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	if (s.p[1] == 'N' || s.p[1] == '_')
		*ret_text = 2;
	else if (s.p[1] == 'L' || s.p[1] == 'P')
		*ret_text = 3;
	else if (digits > 0)
		*ret_text = utf8_encode(v, utf8);
	return 2 + digits;
}

/* Offset in the source of text byte `at` of a quoted scalar of one line. */
static size_t quoted_offset(struct str src, size_t start, enum ystyle style, size_t at)
{
	size_t pos = start + 1, text = 0, len, one;

	while (text < at && pos < src.n) {
		one = 1;
		len = 1;
		if (style == YS_DOUBLE)
			len = escape_len(str_from(src, pos), &one);
		else if (src.p[pos] == '\'')
			len = 2;
		if (text + one > at)
			break;
		text += one;
		pos += len;
	}
	return pos;
}

/* The source line that holds line `k` of a literal block, and the text line; false when they do
 * not agree. */
static bool literal_line(const struct ydoc *doc, const struct ynode *n, size_t at,
	size_t *ret_offset)
{
	struct str rest = str_from(doc->src, content_start(doc, n)), text = n->text;
	struct str line, src_line;
	size_t text_start = 0;

	if (!str_next(&rest, '\n', &src_line))
		return false;
	while (str_next(&text, '\n', &line) && str_next(&rest, '\n', &src_line)) {
		if (at > text_start + line.n) {
			text_start += line.n + 1;
			continue;
		}
		(void)str_chop(&src_line, S("\r"));
		if (!str_ends(src_line, line))
			return false;
		*ret_offset = (size_t)(src_line.p - doc->src.p) + src_line.n - line.n +
			(at - text_start);
		return true;
	}
	return false;
}

struct pos ynode_pos_at(const struct ydoc *doc, const struct ynode *n, size_t at)
{
	size_t start, byte;

	if (!doc || !n || n->kind != YN_SCALAR || at > n->text.n || n->end > doc->src.n ||
		n->end < n->off)
		return n ? n->pos : (struct pos){ 0 };
	if (n->style == YS_LITERAL)
		return literal_line(doc, n, at, &byte) ? pos_at_byte(doc, n, byte) : n->pos;
	start = content_start(doc, n);
	if (n->style == YS_FOLDED || memchr(doc->src.p + start, '\n', n->end - start))
		return n->pos;
	if (n->style != YS_PLAIN)
		return pos_at_byte(doc, n, quoted_offset(doc->src, start, n->style, at));
	if (!str_starts(str_from(doc->src, start), n->text))
		return n->pos;
	return pos_at_byte(doc, n, start + at);
}
