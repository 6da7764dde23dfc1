#include "shared/text/ywrite.h"

#include <inttypes.h>
#include <string.h>

#include "shared/base/compiler.h"
#include "shared/text/utf8.h"
#include "shared/text/yscalar.h"

/* Beyond this many bytes a key is announced by a "?". */
#define MAX_SIMPLE_KEY 128

void yw_init(struct ywrite *w, struct buf *out, unsigned step)
{
	w->out = out;
	w->step = step;
	w->depth = 0;
	w->after_key = w->root_done = false;
}

static void blanks(struct ywrite *w, unsigned n)
{
	while (n--)
		buf_addc(w->out, ' ');
}

/* The column of what stands in the innermost container's values: behind "- " two further, else
 * the next multiple of the step. */
static unsigned inner_column(const struct ywrite *w)
{
	if (w->depth == 0)
		return 0;
	const struct yw_level *l = &w->levels[w->depth - 1];
	return l->list ? l->col + 2 : (l->col + w->step) / w->step * w->step;
}

/* Where an entry of the innermost container begins. */
static void entry(struct ywrite *w)
{
	struct yw_level *l = &w->levels[w->depth - 1];
	if (l->filled || !l->compact) {
		buf_addc(w->out, '\n');
		blanks(w, l->col);
	}
	l->filled = true;
}

/* What stands before a value. */
static void lead_in(struct ywrite *w, bool container)
{
	if (w->depth == 0) {
		if (w->root_done)
			BUG("two YAML documents");
		w->root_done = true;
	} else if (w->levels[w->depth - 1].list) {
		entry(w);
		buf_adds(w->out, "- ");
	} else if (!w->after_key) {
		BUG("YAML value without a key");
	} else if (!container) {
		buf_addc(w->out, ' ');
	}
	w->after_key = false;
}

/* The last line ends once the document is complete. */
static void value_done(struct ywrite *w)
{
	if (w->depth == 0)
		buf_addc(w->out, '\n');
}

static void open_level(struct ywrite *w, bool list)
{
	bool compact = w->depth == 0 || w->levels[w->depth - 1].list;
	lead_in(w, true);
	if (w->depth == YW_DEPTH)
		BUG("YAML nested too deep");
	w->levels[w->depth] = (struct yw_level){
		.list = list,
		.compact = compact,
		.col = inner_column(w),
	};
	w->depth++;
}

static void close_level(struct ywrite *w, bool list)
{
	if (w->depth == 0 || w->after_key || w->levels[w->depth - 1].list != list)
		BUG("YAML closed where nothing is open or a value is due");
	const struct yw_level *l = &w->levels[--w->depth];
	if (!l->filled) {
		buf_adds(w->out, l->compact ? "" : " ");
		buf_adds(w->out, list ? "[]" : "{}");
	}
	value_done(w);
}

void yw_map(struct ywrite *w)
{
	open_level(w, false);
}

void yw_map_end(struct ywrite *w)
{
	close_level(w, false);
}

void yw_list(struct ywrite *w)
{
	open_level(w, true);
}

void yw_list_end(struct ywrite *w)
{
	close_level(w, true);
}

/* Scalars */

static void write_escape(struct buf *out, uint32_t c)
{
	static const char from[] = "\"\\\a\b\033\f\n\r\t\v", to[] = "\"\\abefnrtv";
	const char *simple = c && c < 0x80 ? strchr(from, (int)c) : NULL;
	buf_addc(out, '\\');
	if (simple)
		buf_addc(out, to[simple - from]);
	else if (c == 0)
		buf_addc(out, '0');
	else if (c == 0x85)
		buf_addc(out, 'N');
	else if (c == 0x2028 || c == 0x2029)
		buf_addc(out, c == 0x2028 ? 'L' : 'P');
	else if (c < 0x100)
		buf_printf(out, "x%02" PRIX32, c);
	else
		buf_printf(out, c < 0x10000 ? "u%04" PRIX32 : "U%08" PRIX32, c);
}

static bool is_raw(uint32_t c)
{
	return c != '"' && c != '\\' &&
	       ((c >= 0x20 && c < 0x7f) ||
		       (c >= 0xa0 && c < 0xfffe && c != 0xfeff && c != 0x2028 && c != 0x2029));
}

static void write_double(struct ywrite *w, struct str s)
{
	buf_addc(w->out, '"');
	while (s.n) {
		uint32_t c;
		size_t n = utf8_decode(s, &c);
		if (n && is_raw(c))
			buf_addstr(w->out, str_sub(s, 0, n));
		else
			write_escape(w->out, n ? c : (unsigned char)s.p[0]);
		s = str_from(s, n ? n : 1);
	}
	buf_addc(w->out, '"');
}

static void write_single(struct ywrite *w, struct str s)
{
	buf_addc(w->out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_addc(w->out, '\'');
		buf_addc(w->out, s.p[i]);
	}
	buf_addc(w->out, '\'');
}

static void write_literal(struct ywrite *w, struct str s)
{
	unsigned col = inner_column(w);
	struct str line;
	buf_addc(w->out, '|');
	if (strchr(" \t\n", s.p[0]))
		buf_printf(w->out, "%u", w->depth ? col - w->levels[w->depth - 1].col : w->step);
	if (!str_chop(&s, S("\n")))
		buf_addc(w->out, '-');
	else if (s.n == 0 || s.p[s.n - 1] == '\n')
		buf_addc(w->out, '+');
	while (str_next(&s, '\n', &line)) {
		buf_addc(w->out, '\n');
		blanks(w, line.n ? col : 0);
		buf_addstr(w->out, line);
	}
}

/* A text that the value's place allows only one line of. */
static void write_line(struct ywrite *w, struct str s)
{
	struct yscalar look = yscalar_look(s);
	if (look.multiline || yscalar_resolves(s))
		write_double(w, s);
	else if (look.plain)
		buf_addstr(w->out, s);
	else if (look.single)
		write_single(w, s);
	else
		write_double(w, s);
}

void yw_str(struct ywrite *w, struct str s)
{
	lead_in(w, false);
	struct yscalar look = yscalar_look(s);
	if (look.multiline && look.literal && w->depth)
		write_literal(w, s);
	else
		write_line(w, s);
	value_done(w);
}

void yw_key_str(struct ywrite *w, struct str key)
{
	if (w->depth == 0 || w->after_key || w->levels[w->depth - 1].list)
		BUG("YAML key where none may stand");
	entry(w);
	if (key.n > MAX_SIMPLE_KEY) {
		buf_adds(w->out, "? ");
		write_line(w, key);
		buf_addc(w->out, '\n');
		blanks(w, w->levels[w->depth - 1].col);
	} else {
		write_line(w, key);
	}
	buf_addc(w->out, ':');
	w->after_key = true;
}

void yw_key(struct ywrite *w, const char *key)
{
	yw_key_str(w, str_of(key));
}

void yw_int(struct ywrite *w, int64_t n)
{
	lead_in(w, false);
	buf_printf(w->out, "%" PRId64, n);
	value_done(w);
}

static void word(struct ywrite *w, const char *text)
{
	lead_in(w, false);
	buf_adds(w->out, text);
	value_done(w);
}

void yw_bool(struct ywrite *w, bool b)
{
	word(w, b ? "true" : "false");
}

void yw_null(struct ywrite *w)
{
	word(w, "null");
}

void yw_kstr(struct ywrite *w, const char *key, struct str s)
{
	yw_key(w, key);
	yw_str(w, s);
}

void yw_kstr_opt(struct ywrite *w, const char *key, struct str s)
{
	if (s.n)
		yw_kstr(w, key, s);
}

void yw_kint(struct ywrite *w, const char *key, int64_t n)
{
	yw_key(w, key);
	yw_int(w, n);
}

void yw_kbool(struct ywrite *w, const char *key, bool b)
{
	yw_key(w, key);
	yw_bool(w, b);
}

/* Order of keys */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static size_t digits(struct str s, size_t at)
{
	size_t n = 0;
	while (at + n < s.n && is_digit(s.p[at + n]))
		n++;
	return n;
}

static int number_cmp(struct str a, struct str b)
{
	struct str x = a, y = b;
	while (x.n && x.p[0] == '0')
		x = str_from(x, 1);
	while (y.n && y.p[0] == '0')
		y = str_from(y, 1);
	if (x.n != y.n)
		return x.n < y.n ? -1 : 1;
	int order = str_cmp(x, y);
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

int yw_key_cmp(struct str a, struct str b)
{
	size_t i = 0;
	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	if (i == a.n || i == b.n)
		return (a.n > b.n) - (a.n < b.n);
	bool la = is_letter(a.p[i]), lb = is_letter(b.p[i]), number = i && is_digit(a.p[i - 1]);
	if (la && lb)
		return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;
	if (la || lb)
		return la == number ? -1 : 1;
	size_t start = i;
	while (start && is_digit(a.p[start - 1]))
		start--;
	int order = number_cmp(str_sub(a, start, i - start + digits(a, i)),
		str_sub(b, start, i - start + digits(b, i)));
	if (order)
		return order;
	return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;
}
