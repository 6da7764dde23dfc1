#include "shared/base/str.h"

#include <string.h>

#include "shared/base/compiler.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_of(const char *cstr)
{
	return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

struct str str_n(const char *p, size_t n)
{
	return (struct str){p, n};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *cstr)
{
	return str_eq(a, str_of(cstr));
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_n(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

bool str_skip(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_from(*s, prefix.n);
	return true;
}

bool str_chop(struct str *s, struct str suffix)
{
	if (!str_ends(*s, suffix))
		return false;
	s->n -= suffix.n;
	return true;
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_from(struct str s, size_t start)
{
	if (start > s.n)
		start = s.n;
	return str_n(s.p ? s.p + start : NULL, s.n - start);
}

struct str str_sub(struct str s, size_t start, size_t n)
{
	s = str_from(s, start);
	if (s.n > n)
		s.n = n;
	return s;
}

size_t str_line_start(struct str s, size_t at)
{
	while (at > 0 && s.p[at - 1] != '\n')
		at--;
	return at;
}

size_t str_line_end(struct str s, size_t at)
{
	while (at < s.n && s.p[at] != '\n')
		at++;
	return at < s.n ? at + 1 : at;
}

long str_chr(struct str s, char c)
{
	const char *p = s.n ? memchr(s.p, c, s.n) : NULL;
	return p ? (long)(p - s.p) : -1;
}

long str_rchr(struct str s, char c)
{
	const char *p = s.n ? memrchr(s.p, c, s.n) : NULL;
	return p ? (long)(p - s.p) : -1;
}

long str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	const char *p = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return p ? (long)(p - s.p) : -1;
}

/* An exhausted rest has a NULL pointer and a length that no text has. */
bool str_next(struct str *rest, char sep, struct str *part)
{
	if (rest->n == (size_t)-1)
		return false;
	long at = str_chr(*rest, sep);
	if (at < 0) {
		*part = *rest;
		*rest = (struct str){NULL, (size_t)-1};
		return true;
	}
	*part = str_n(rest->p, (size_t)at);
	*rest = str_from(*rest, (size_t)at + 1);
	return true;
}

bool str_word(struct str *rest, struct str *word)
{
	while (rest->n && is_blank(rest->p[0]))
		*rest = str_from(*rest, 1);
	if (rest->n == 0)
		return false;
	size_t n = 0;
	while (n < rest->n && !is_blank(rest->p[n]))
		n++;
	*word = str_n(rest->p, n);
	*rest = str_from(*rest, n);
	return true;
}

bool str_cut(struct str s, char sep, struct str *before, struct str *after)
{
	long at = str_chr(s, sep);
	*before = at < 0 ? s : str_n(s.p, (size_t)at);
	*after = at < 0 ? STR_NONE : str_from(s, (size_t)at + 1);
	return at >= 0;
}

int str_cmp_qsort(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}
