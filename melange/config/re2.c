#include "melange/config/transform.h"

#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/num.h"

#define MAX_PATTERN 4096
#define MAX_REPEAT 1000

struct translator {
	struct str re;
	size_t i;
	struct buf out;
	const char *bad;	/* what is wrong; its text follows in bad_text */
	struct str bad_text;
	bool atom;		/* something stands here that may be repeated */
	bool repeated;		/* it is already */
};

static bool fail(struct translator *t, const char *what, size_t from, size_t n)
{
	t->bad = what;
	t->bad_text = str_sub(t->re, from, n);
	return false;
}

static char peek(const struct translator *t, size_t ahead)
{
	return t->i + ahead < t->re.n ? t->re.p[t->i + ahead] : 0;
}

static void copy(struct translator *t, size_t n)
{
	buf_addstr(&t->out, str_sub(t->re, t->i, n));
	t->i += n;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* \Q...\E: literal text. */
static void literal_run(struct translator *t)
{
	struct str rest = str_from(t->re, t->i + 2);
	long end = str_find(rest, S("\\E"));
	struct str text = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
	for (size_t k = 0; k < text.n; k++) {
		if (!is_word(text.p[k]) && (unsigned char)text.p[k] < 0x80)
			buf_addc(&t->out, '\\');
		buf_addc(&t->out, text.p[k]);
	}
	t->i += 2 + text.n + (end < 0 ? 0 : 2);
	t->atom = text.n > 0 || t->atom;
}

/* Length of \pN, \p{Greek}, \x7F, \x{10FFFF}, \123; 0 when it is none of them. */
static size_t long_escape(const struct translator *t)
{
	char c = peek(t, 1);
	size_t n = 2;
	if ((c == 'p' || c == 'P' || c == 'x') && peek(t, 2) == '{') {
		long end = str_chr(str_from(t->re, t->i), '}');
		return end > 3 ? (size_t)end + 1 : 0;
	}
	if (c == 'p' || c == 'P')
		return peek(t, 2) ? 3 : 0;
	if (c == 'x')
		return peek(t, 2) && strchr("0123456789abcdefABCDEF", peek(t, 2)) && peek(t, 3) &&
			strchr("0123456789abcdefABCDEF", peek(t, 3)) ? 4 : 0;
	if (c == '0' || (c >= '1' && c <= '7' && peek(t, 2) >= '0' && peek(t, 2) <= '7')) {
		while (n < 4 && peek(t, n) >= '0' && peek(t, n) <= '7')
			n++;
		return n;
	}
	return 0;
}

/* One escape, outside a class or inside. */
static bool escape(struct translator *t, bool in_class)
{
	char c = peek(t, 1);
	size_t n = long_escape(t);
	if (!c)
		return fail(t, "trailing backslash at end of expression", t->i, 0);
	if (n) {
		copy(t, n);
	} else if (c == 's') {
		buf_adds(&t->out, in_class ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]");
		t->i += 2;
	} else if (c == 'S' && !in_class) {
		buf_adds(&t->out, "[^\\t\\n\\f\\r ]");
		t->i += 2;
	} else if (c == 'v') {
		buf_adds(&t->out, "\\x0b");
		t->i += 2;
	} else if (strchr("afnrtdDsSwW", c) || (!in_class && strchr("AbBz", c)) || !is_word(c)) {
		copy(t, 2);
	} else {
		return fail(t, "invalid escape sequence", t->i, 2);
	}
	return true;
}

static bool class_set(struct translator *t)
{
	size_t start = t->i;
	copy(t, 1);
	if (peek(t, 0) == '^')
		copy(t, 1);
	if (peek(t, 0) == ']') {
		buf_addc(&t->out, '\\');
		copy(t, 1);
	}
	while (t->i < t->re.n && peek(t, 0) != ']') {
		if (peek(t, 0) == '\\') {
			if (!escape(t, true))
				return false;
		} else if (peek(t, 0) == '[' && peek(t, 1) == ':') {
			long end = str_find(str_from(t->re, t->i), S(":]"));
			if (end < 0)
				return fail(t, "missing closing ]", start, MAX_PATTERN);
			copy(t, (size_t)end + 2);
		} else if (peek(t, 0) == '[') {
			buf_addc(&t->out, '\\');
			copy(t, 1);
		} else {
			copy(t, 1);
		}
	}
	if (t->i >= t->re.n)
		return fail(t, "missing closing ]", start, MAX_PATTERN);
	copy(t, 1);
	return true;
}

/* What may follow an opening parenthesis: nothing special, a name, or flags. */
static bool group(struct translator *t)
{
	size_t start = t->i;
	copy(t, 1);
	if (peek(t, 0) != '?') {
		/* "(*" would be a verb to PCRE2 and is an error to RE2 */
		return true;
	}
	size_t n = peek(t, 1) == 'P' ? 2 : 1;
	if (peek(t, n) == '<') {
		size_t end = n + 1;
		while (is_word(peek(t, end)))
			end++;
		if (end == n + 1 || peek(t, end) != '>')
			return fail(t, "invalid named capture", start, 20);
		copy(t, end + 1);
		return true;
	}
	for (n = 1; peek(t, n) && strchr("imsU-", peek(t, n)); n++)
		;
	if (peek(t, n) != ':' && (peek(t, n) != ')' || n == 1))
		return fail(t, "invalid or unsupported Perl syntax", start, 4);
	if (peek(t, n) == ')')
		t->atom = false;
	copy(t, n + (peek(t, n) == ':'));
	return true;
}

/* {n}, {n,}, {n,m}: its length, 0 when the brace is literal. */
static size_t counted(const struct translator *t, uint64_t *ret_max)
{
	size_t n = 1, digits = 1;
	while (is_digit(peek(t, n)))
		n++;
	if (n == 1 || !num_u64(str_sub(t->re, t->i + 1, n - 1), 10, ret_max))
		return 0;
	if (peek(t, n) == ',') {
		uint64_t upper;
		digits = ++n;
		while (is_digit(peek(t, n)))
			n++;
		if (num_u64(str_sub(t->re, t->i + digits, n - digits), 10, &upper))
			*ret_max = upper > *ret_max ? upper : *ret_max;
	}
	return peek(t, n) == '}' ? n + 1 : 0;
}

static bool repeat(struct translator *t, size_t n)
{
	if (t->repeated)
		return fail(t, "invalid nested repetition operator", t->i, n);
	if (!t->atom)
		return fail(t, "missing argument to repetition operator", t->i, n);
	copy(t, n);
	if (peek(t, 0) == '?')
		copy(t, 1);
	t->repeated = true;
	return true;
}

static bool one(struct translator *t)
{
	char c = peek(t, 0);
	uint64_t max;
	size_t n = c == '*' || c == '+' || c == '?' ? 1 : c == '{' ? counted(t, &max) : 0;
	if (c == '{' && n && max > MAX_REPEAT)
		return fail(t, "invalid repeat count", t->i, n);
	if (n)
		return repeat(t, n);
	t->repeated = false;
	t->atom = c != '(' && c != '|';
	if (c == '\\' && peek(t, 1) == 'Q') {
		literal_run(t);
		return true;
	}
	if (c == '\\')
		return escape(t, false);
	if (c == '[')
		return class_set(t);
	if (c == '(')
		return group(t);
	if (c == '{')
		buf_addc(&t->out, '\\');
	copy(t, 1);
	return true;
}

bool re2_translate(struct str re, struct arena *a, struct str *ret, const char **ret_what)
{
	struct translator t = { .re = re, .out = BUF_INIT(16 * MAX_PATTERN) };
	bool ok = re.n <= MAX_PATTERN || fail(&t, "expression too large", 0, 0);
	while (ok && t.i < re.n)
		ok = one(&t);
	if (ok)
		*ret = arena_str(a, buf_str(&t.out));
	else if (t.bad_text.n)
		*ret_what = arena_printf(a, "%s: `%.*s`", t.bad, STR_ARG(str_sub(t.bad_text, 0, 60)));
	else
		*ret_what = t.bad;
	buf_release(&t.out);
	return ok;
}
