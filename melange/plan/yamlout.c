#include "melange/plan/yamlout.h"

#include <ctype.h>
#include <string.h>

/* What a scalar's characters allow, as YAML emitters judge it. */
struct look {
	bool multiline, plain_ok, single_ok, literal_ok;
};

static bool is_break(unsigned char c)
{
	return c == '\n' || c == '\r';
}

/* Length of a UTF-8 sequence that may be printed as it is; 0 = it must be escaped. */
static size_t printable(struct str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];
	if (c == '\t' || c == '\n' || (c >= 0x20 && c < 0x7f))
		return 1;
	size_t n = c >= 0xf0 && c < 0xf8 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;
	if (n == 0 || i + n > s.n)
		return 0;
	for (size_t k = 1; k < n; k++)
		if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
			return 0;
	uint32_t u = c & (0xff >> (n + 1));
	for (size_t k = 1; k < n; k++)
		u = u << 6 | ((unsigned char)s.p[i + k] & 0x3f);
	bool ok = (u >= 0xa0 && u < 0xd800) || (u >= 0xe000 && u < 0xfffe && u != 0xfeff) ||
		(u >= 0x10000 && u <= 0x10ffff) || u == 0x85;
	return ok ? n : 0;
}

static bool starts_indicator(struct str s)
{
	char c = s.p[0], next = s.n > 1 ? s.p[1] : ' ';
	if (strchr("#,[]{}&*!|>'\"%@`", c))
		return true;
	return (c == '-' || c == '?' || c == ':') && (next == ' ' || next == '\t' || next == '\n');
}

static struct look examine(struct str s)
{
	struct look l = { false, true, true, true };
	if (s.n == 0)
		return (struct look){ false, false, true, false };
	bool special = false, space_break = false, break_space = false, tabs = false;
	bool indicators = starts_indicator(s) || str_starts(s, S("---")) || str_starts(s, S("..."));
	bool previous_space = false, previous_break = false;
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = printable(s, i);
		char next = i + 1 < s.n ? s.p[i + 1] : ' ';
		if (c == ':' && i && (next == ' ' || next == '\t' || is_break((unsigned char)next)))
			indicators = true;
		if (c == '#' && i && (previous_space || previous_break))
			indicators = true;
		special |= n == 0 && !is_break(c);
		tabs |= c == '\t';
		l.multiline |= is_break(c);
		space_break |= is_break(c) && previous_space;
		break_space |= c == ' ' && previous_break;
		previous_space = c == ' ';
		previous_break = is_break(c);
		i += n ? n : 1;
	}
	bool leading_space = s.p[0] == ' ', trailing_space = s.p[s.n - 1] == ' ';
	bool edge_break = is_break((unsigned char)s.p[0]) || is_break((unsigned char)s.p[s.n - 1]);
	if (leading_space || trailing_space || edge_break || indicators || l.multiline || tabs)
		l.plain_ok = false;
	if (trailing_space)
		l.literal_ok = false;
	if (break_space)
		l.single_ok = false;
	if (space_break || special)
		l.plain_ok = l.single_ok = false;
	if (space_break || special || memchr(s.p, '\r', s.n))
		l.literal_ok = false;
	if (tabs)
		l.single_ok = l.single_ok && !special;
	return l;
}

static bool is_number(struct str s)
{
	if (s.n && (s.p[0] == '+' || s.p[0] == '-'))
		s = str_from(s, 1);
	if (str_is(s, ".inf") || str_is(s, ".Inf") || str_is(s, ".INF"))
		return true;
	if (s.n > 2 && s.p[0] == '0' && strchr("xXoObB", s.p[1])) {
		int base = tolower((unsigned char)s.p[1]) == 'x' ? 16 : tolower((unsigned char)s.p[1]) == 'o' ? 8 : 2;
		for (size_t i = 2; i < s.n; i++) {
			int c = tolower((unsigned char)s.p[i]);
			int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
			if (c != '_' && d >= base)
				return false;
		}
		return true;
	}
	bool digits = false, dot = false, exponent = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c >= '0' && c <= '9') {
			digits = true;
		} else if (c == '_' && i) {
			continue;
		} else if (c == '.' && !dot && !exponent) {
			dot = true;
		} else if ((c == 'e' || c == 'E') && digits && !exponent && i + 1 < s.n) {
			exponent = true;
			if (s.p[i + 1] == '+' || s.p[i + 1] == '-')
				i++;
			if (i + 1 >= s.n)
				return false;
		} else {
			return false;
		}
	}
	return digits;
}

/* YYYY-M-D, with or without a time: a timestamp to YAML 1.1 readers. */
static bool is_date(struct str s)
{
	size_t i = 0, parts = 0;
	while (parts < 3) {
		size_t start = i;
		while (i < s.n && isdigit((unsigned char)s.p[i]))
			i++;
		size_t n = i - start;
		if (n == 0 || (parts == 0 ? n != 4 : n > 2))
			return false;
		if (++parts < 3 && (i >= s.n || s.p[i++] != '-'))
			return false;
	}
	return i == s.n || s.p[i] == 'T' || s.p[i] == 't' || s.p[i] == ' ';
}

/* 12:30:45: a number to base 60 for YAML 1.1 readers. */
static bool is_base60(struct str s)
{
	bool colon = false;
	if (s.n && (s.p[0] == '+' || s.p[0] == '-'))
		s = str_from(s, 1);
	if (s.n == 0 || !isdigit((unsigned char)s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		colon |= s.p[i] == ':';
		if (!isdigit((unsigned char)s.p[i]) && s.p[i] != ':' && s.p[i] != '.' && s.p[i] != '_')
			return false;
	}
	return colon;
}

/* Texts that would be read back as something else. */
static bool reads_otherwise(struct str s)
{
	static const char *const words[] = { "~", "null", "Null", "NULL", "true", "True", "TRUE",
		"false", "False", "FALSE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N",
		"no", "No", "NO", "off", "Off", "OFF", ".nan", ".NaN", ".NAN", "<<", "=" };
	for (size_t i = 0; i < countof(words); i++)
		if (str_is(s, words[i]))
			return true;
	return is_number(s) || is_date(s) || is_base60(s);
}

static void write_double(struct str s, struct buf *out)
{
	static const char from[] = "\"\\\n\t\r\b\f\v\a\033", to[] = "\"\\ntrbfvae";
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		const char *short_form = c ? strchr(from, c) : NULL;
		size_t n = printable(s, i);
		if (short_form) {
			buf_addc(out, '\\');
			buf_addc(out, to[short_form - from]);
			n = 1;
		} else if (n == 0) {
			buf_printf(out, c ? "\\x%02X" : "\\0", c);
			n = 1;
		} else {
			buf_addstr(out, str_sub(s, i, n));
		}
		i += n;
	}
	buf_addc(out, '"');
}

static void write_single(struct str s, struct buf *out)
{
	buf_addc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_addc(out, '\'');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '\'');
}

static void indent(unsigned level, struct buf *out)
{
	for (unsigned i = 0; i < level; i++)
		buf_adds(out, "  ");
}

static void write_literal(struct str s, unsigned level, struct buf *out)
{
	buf_addc(out, '|');
	if (s.p[0] == ' ' || s.p[0] == '\n')
		buf_addc(out, '2');
	bool ends = s.p[s.n - 1] == '\n';
	if (!ends)
		buf_addc(out, '-');
	else if (s.n == 1 || s.p[s.n - 2] == '\n')
		buf_addc(out, '+');
	if (ends)
		s.n--;
	struct str line;
	while (str_next(&s, '\n', &line)) {
		buf_addc(out, '\n');
		if (line.n)
			indent(level, out);
		buf_addstr(out, line);
	}
}

static void write_text(struct str s, unsigned level, bool is_key, struct buf *out)
{
	struct look l = examine(s);
	if (l.multiline && l.literal_ok && !is_key)
		write_literal(s, level, out);
	else if (s.n == 0 || l.multiline || reads_otherwise(s))
		write_double(s, out);
	else if (l.plain_ok)
		buf_addstr(out, s);
	else if (l.single_ok)
		write_single(s, out);
	else
		write_double(s, out);
}

static void write_map(const struct outline *o, unsigned level, bool inline_first, struct buf *out);

static void write_list(const struct outline *o, unsigned level, struct buf *out)
{
	for (size_t i = 0; i < o->n_items; i++) {
		const struct outline *v = o->items[i].val;
		indent(level, out);
		buf_adds(out, "- ");
		if (v->kind == OL_MAP && v->n_items) {
			write_map(v, level + 1, true, out);
		} else if (v->kind == OL_MAP) {
			buf_adds(out, "{}\n");
		} else {
			write_text(v->text, level + 1, false, out);
			buf_addc(out, '\n');
		}
	}
}

static void write_value(const struct outline *v, unsigned level, struct buf *out)
{
	switch (v->kind) {
	case OL_TEXT:
		buf_addc(out, ' ');
		write_text(v->text, level + 1, false, out);
		buf_addc(out, '\n');
		break;
	case OL_INT:
		buf_printf(out, " %lld\n", (long long)v->n);
		break;
	case OL_BOOL:
		buf_adds(out, v->n ? " true\n" : " false\n");
		break;
	case OL_NULL:
		buf_adds(out, " null\n");
		break;
	case OL_LIST:
		buf_adds(out, v->n_items ? "\n" : " []\n");
		write_list(v, level + 1, out);
		break;
	case OL_MAP:
		buf_adds(out, v->n_items ? "\n" : " {}\n");
		write_map(v, level + 1, false, out);
		break;
	}
}

static void write_map(const struct outline *o, unsigned level, bool inline_first, struct buf *out)
{
	for (size_t i = 0; i < o->n_items; i++) {
		if (i || !inline_first)
			indent(level, out);
		write_text(o->items[i].key, level, true, out);
		buf_addc(out, ':');
		write_value(o->items[i].val, level, out);
	}
}

void yaml_out(const struct outline *o, struct buf *out)
{
	write_map(o, 0, false, out);
}
