#include "shared/text/yscalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/compiler.h"
#include "shared/base/num.h"
#include "shared/text/utf8.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank_or_end(struct str s, size_t i)
{
	return i >= s.n || strchr(" \t\r\n", s.p[i]) != NULL;
}

/* Bytes of the character at i when it may be shown as it is; 0 = to be escaped. Line breaks
 * other than LF count among the latter, and so does what is beyond 16 bits. */
static size_t shown(struct str s, size_t i)
{
	uint32_t c;
	size_t n = utf8_decode(str_from(s, i), &c);
	bool ok = c == '\n' || (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xd800) ||
		  (c >= 0xe000 && c < 0xfffe);
	return n && ok && c != 0xfeff && c != 0x2028 && c != 0x2029 ? n : 0;
}

static bool starts_with_indicator(struct str s)
{
	if (str_starts(s, S("---")) || str_starts(s, S("...")))
		return true;
	if (strchr("?:-", s.p[0]))
		return is_blank_or_end(s, 1);
	return strchr("#,[]{}&*!|>'\"%@`", s.p[0]) != NULL;
}

static bool indicates(struct str s, size_t i)
{
	if (i == 0)
		return starts_with_indicator(s);
	if (s.p[i] == ':')
		return is_blank_or_end(s, i + 1);
	return s.p[i] == '#' && is_blank_or_end(s, i - 1);
}

struct yscalar yscalar_look(struct str s)
{
	bool breaks = false, tabs = false, special = false, indicator = false;
	bool space_break = false, break_space = false;
	if (s.n == 0)
		return (struct yscalar){.plain = true, .single = true};
	for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
		n = shown(s, i);
		char c = s.p[i], last = i ? s.p[i - 1] : 'x';
		tabs |= c == '\t';
		special |= n == 0 && c != '\t';
		breaks |= c == '\n';
		space_break |= c == '\n' && last == ' ';
		break_space |= c == ' ' && last == '\n';
		indicator |= indicates(s, i);
	}
	bool edges = strchr(" \n", s.p[0]) || strchr(" \n", s.p[s.n - 1]);
	bool quoted = space_break || tabs || special;
	return (struct yscalar){
		.multiline = breaks,
		.plain = !edges && !break_space && !quoted && !breaks && !indicator,
		.single = !break_space && !quoted,
		.literal = s.p[s.n - 1] != ' ' && !space_break && !special,
	};
}

/* What a reader takes for something else than text */

static size_t digits(struct str s, size_t at)
{
	size_t n = 0;
	while (at + n < s.n && is_digit(s.p[at + n]))
		n++;
	return n;
}

/* [+-](.D+|D+[.D*])[(e|E)[+-]D+] that fits a double */
static bool is_float(const char *p)
{
	struct str s = str_of(p);
	size_t i = s.n && strchr("+-", s.p[0]) ? 1 : 0, whole = digits(s, i), fraction = 0;
	i += whole;
	if (i < s.n && s.p[i] == '.') {
		fraction = digits(s, i + 1);
		i += 1 + fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (i < s.n && strchr("eE", s.p[i])) {
		i += i + 1 < s.n && strchr("+-", s.p[i + 1]) ? 2 : 1;
		size_t n = digits(s, i);
		if (n == 0)
			return false;
		i += n;
	}
	return i == s.n && isfinite(strtod(p, NULL));
}

/* 0x, 0o, 0b with digits of that base that fit 64 bits */
static bool is_prefixed(const char *p)
{
	static const struct {
		char letter;
		unsigned base;
	} bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
	uint64_t n = 0;
	bool negative = *p == '-', some = false;
	unsigned base = 0;
	p += strchr("+-", *p) ? 1 : 0;
	for (size_t i = 0; i < countof(bases); i++)
		if (p[0] == '0' && (p[1] | 0x20) == bases[i].letter)
			base = bases[i].base;
	if (base == 0)
		return false;
	for (p += 2; *p; p++, some = true) {
		unsigned d = is_digit(*p) ? (unsigned)(*p - '0') : 99;
		if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			d = (unsigned)(*p | 0x20) - 'a' + 10;
		if (d >= base || n > (UINT64_MAX - d) / base)
			return false;
		n = n * base + d;
	}
	return some && (!negative || n <= (uint64_t)INT64_MAX + 1);
}

static bool is_number(struct str s)
{
	char plain[512];
	size_t n = 0;
	if (s.n >= sizeof(plain) || !(is_digit(s.p[0]) || strchr("+-.", s.p[0])))
		return false;
	if (s.p[0] == '.' && memchr(s.p, '_', s.n))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_')
			plain[n++] = s.p[i];
	plain[n] = 0;
	return n && memchr(plain, 0, n) == NULL && (is_float(plain) || is_prefixed(plain));
}

static bool is_base60(struct str s)
{
	size_t i = strchr("+-", s.p[0]) ? 1 : 0, groups = 0;
	if (digits(s, i) == 0)
		return false;
	while (i < s.n && (is_digit(s.p[i]) || s.p[i] == '_'))
		i++;
	while (i < s.n && s.p[i] == ':') {
		size_t n = digits(s, i + 1);
		if (n == 0 || n > 2 || (n == 2 && s.p[i + 1] > '5'))
			return false;
		i += 1 + n;
		groups++;
	}
	if (groups && i < s.n && s.p[i] == '.')
		for (i++; i < s.n && (is_digit(s.p[i]) || s.p[i] == '_'); i++)
			;
	return groups && i == s.n;
}

/* A number of one or two digits, not above max, taken off s. */
static bool take(struct str *s, unsigned min, unsigned max, unsigned *ret)
{
	size_t n = digits(*s, 0);
	if (n == 0)
		return false;
	n = n > 2 ? 2 : n;
	*ret = n == 1 ? (unsigned)(s->p[0] - '0')
		      : (unsigned)(s->p[0] - '0') * 10 + (unsigned)(s->p[1] - '0');
	*s = str_from(*s, n);
	return *ret >= min && *ret <= max;
}

static bool take_day(struct str *s)
{
	static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year = 0, month, day;
	if (digits(*s, 0) != 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		year = year * 10 + (unsigned)(s->p[i] - '0');
	*s = str_from(*s, 4);
	if (!str_skip(s, S("-")) || !take(s, 1, 12, &month) || !str_skip(s, S("-")))
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return take(s, 1, lengths[month - 1] + (leap && month == 2 ? 1u : 0), &day);
}

static bool take_clock(struct str *s)
{
	unsigned n;
	if (!take(s, 0, 23, &n) || !str_skip(s, S(":")) || !take(s, 0, 59, &n) ||
		!str_skip(s, S(":")) || !take(s, 0, 59, &n))
		return false;
	if (s->n > 1 && strchr(".,", s->p[0]) && is_digit(s->p[1]))
		*s = str_from(*s, 1 + digits(*s, 1));
	return true;
}

static bool is_zone(struct str s)
{
	if (str_is(s, "Z"))
		return true;
	return s.n == 6 && strchr("+-", s.p[0]) && digits(s, 1) == 2 && s.p[3] == ':' &&
	       digits(s, 4) == 2;
}

static bool is_date(struct str s)
{
	if (!take_day(&s))
		return false;
	if (s.n == 0)
		return true;
	if (str_skip(&s, S(" ")))
		return take_clock(&s) && s.n == 0;
	return (str_skip(&s, S("T")) || str_skip(&s, S("t"))) && take_clock(&s) && is_zone(s);
}

bool yscalar_resolves(struct str s)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", "true", "True", "TRUE",
		"false", "False", "FALSE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n",
		"N", "no", "No", "NO", "off", "Off", "OFF", ".nan", ".NaN", ".NAN", ".inf", ".Inf",
		".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "<<"};
	for (size_t i = 0; i < countof(words); i++)
		if (str_is(s, words[i]))
			return true;
	return is_number(s) || is_date(s) || is_base60(s);
}
