#include "shared/text/jwrite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "shared/text/utf8.h"

void jw_init(struct jwrite *w, struct buf *out, unsigned indent)
{
	*w = (struct jwrite){ .out = out, .indent = indent };
}

static void new_line(struct jwrite *w)
{
	if (w->indent == 0)
		return;
	buf_addc(w->out, '\n');
	for (unsigned i = 0; i < w->depth * w->indent; i++)
		buf_addc(w->out, ' ');
}

/* What stands before a key, an item or the value of a key. */
static void lead_in(struct jwrite *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->need_comma)
		buf_addc(w->out, ',');
	if (w->depth > 0)
		new_line(w);
	w->need_comma = true;
}

static void open_with(struct jwrite *w, char c)
{
	lead_in(w);
	buf_addc(w->out, c);
	w->depth++;
	w->need_comma = false;
}

static void close_with(struct jwrite *w, char c)
{
	if (w->depth == 0 || w->after_key)
		BUG("JSON closed where nothing is open or a value is due");
	w->depth--;
	if (w->need_comma)
		new_line(w);
	buf_addc(w->out, c);
	w->need_comma = true;
}

void jw_object(struct jwrite *w)
{
	open_with(w, '{');
}

void jw_object_end(struct jwrite *w)
{
	close_with(w, '}');
}

void jw_array(struct jwrite *w)
{
	open_with(w, '[');
}

void jw_array_end(struct jwrite *w)
{
	close_with(w, ']');
}

static void add_escaped(struct buf *out, uint32_t cp)
{
	static const char letters[] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
		['\t'] = 't', ['"'] = '"', ['\\'] = '\\' };

	if (cp < sizeof(letters) && letters[cp] != 0)
		buf_add(out, (const char[]){ '\\', letters[cp] }, 2);
	else
		buf_printf(out, "\\u%04x", (unsigned)cp);
}

static bool is_raw(uint32_t cp)
{
	return cp >= 0x20 && cp != '"' && cp != '\\' && cp != '<' && cp != '>' && cp != '&' &&
		cp != 0x2028 && cp != 0x2029;
}

/* Bytes at the front that stand for themselves. */
static size_t raw_ascii(struct str s)
{
	size_t n = 0;
	while (n < s.n && (unsigned char)s.p[n] < 0x7f && is_raw((unsigned char)s.p[n]))
		n++;
	return n;
}

static void add_quoted(struct buf *out, struct str s)
{
	size_t len;
	uint32_t cp = 0;

	buf_addc(out, '"');
	for (; s.n > 0; s = str_from(s, len ? len : 1)) {
		len = raw_ascii(s);
		if (len > 0) {
			buf_add(out, s.p, len);
			continue;
		}
		len = utf8_decode(s, &cp);
		if (len == 0)
			buf_adds(out, "\\ufffd");
		else if (is_raw(cp))
			buf_add(out, s.p, len);
		else
			add_escaped(out, cp);
	}
	buf_addc(out, '"');
}

void jw_key_str(struct jwrite *w, struct str key)
{
	if (w->after_key)
		BUG("JSON key where a value is due");
	lead_in(w);
	add_quoted(w->out, key);
	buf_adds(w->out, w->indent ? ": " : ":");
	w->after_key = true;
}

void jw_key(struct jwrite *w, const char *key)
{
	jw_key_str(w, str_of(key));
}

void jw_str(struct jwrite *w, struct str s)
{
	lead_in(w);
	add_quoted(w->out, s);
}

void jw_int(struct jwrite *w, int64_t n)
{
	lead_in(w);
	buf_printf(w->out, "%" PRId64, n);
}

void jw_real(struct jwrite *w, double d)
{
	char text[64];
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	lead_in(w);
	buf_adds(w->out, text);
}

void jw_bool(struct jwrite *w, bool b)
{
	lead_in(w);
	buf_adds(w->out, b ? "true" : "false");
}

void jw_null(struct jwrite *w)
{
	lead_in(w);
	buf_adds(w->out, "null");
}

void jw_kstr(struct jwrite *w, const char *key, struct str s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void jw_kstr_opt(struct jwrite *w, const char *key, struct str s)
{
	if (s.n > 0)
		jw_kstr(w, key, s);
}

void jw_kint(struct jwrite *w, const char *key, int64_t n)
{
	jw_key(w, key);
	jw_int(w, n);
}

void jw_kbool(struct jwrite *w, const char *key, bool b)
{
	jw_key(w, key);
	jw_bool(w, b);
}
