#include "shared/base/match.h"

#include <stdint.h>

#define NAME_MAX_COMPARED 64

/* Takes one character off the front: a UTF-8 sequence, or the byte alone where it is none. */
static uint32_t take_char(struct str *s)
{
	unsigned char c = (unsigned char)s->p[0];
	size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
	uint32_t cp = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (i == s->n || ((unsigned char)s->p[i] & 0xc0) != 0x80) {
			*s = str_from(*s, 1);
			return 0x110000u + c;
		}
		cp = cp << 6 | ((unsigned char)s->p[i] & 0x3f);
	}
	*s = str_from(*s, n);
	return n == 1 && c >= 0x80 ? 0x110000u + c : cp;
}

static uint32_t take_quoted(struct str *p)
{
	if (p->n > 1 && p->p[0] == '\\')
		*p = str_from(*p, 1);
	return take_char(p);
}

/* Takes a class, which begins with '[', off the pattern; false, with the pattern left alone, if it
 * never closes. */
static bool take_class(struct str *pattern, uint32_t c, bool *ret_hit)
{
	struct str p = str_from(*pattern, 1);
	bool negated = str_skip(&p, S("!")) || str_skip(&p, S("^")), hit = false;
	for (bool first = true; p.n && (first || p.p[0] != ']'); first = false) {
		uint32_t low = take_quoted(&p), high = low;
		if (p.n > 1 && p.p[0] == '-' && p.p[1] != ']') {
			p = str_from(p, 1);
			high = take_quoted(&p);
		}
		hit |= low <= c && c <= high;
	}
	if (!p.n)
		return false;
	*pattern = str_from(p, 1);
	*ret_hit = hit != negated;
	return true;
}

/* Takes one pattern character, which is no star, and one character of the text. */
static bool match_one(struct str *p, struct str *s)
{
	uint32_t c = take_char(s);
	bool hit;
	if (p->p[0] == '?') {
		*p = str_from(*p, 1);
		return true;
	}
	if (p->p[0] == '[' && take_class(p, c, &hit))
		return hit;
	return take_quoted(p) == c;
}

/* One path component: '*' backtracks to the last star only, so time is at most n * m. */
static bool match_component(struct str p, struct str s)
{
	struct str star_p = STR_NONE, star_s = STR_NONE;
	bool starred = false;
	while (s.n) {
		struct str next_p = p, next_s = s;
		if (p.n && p.p[0] == '*') {
			p = str_from(p, 1);
			star_p = p;
			star_s = s;
			starred = true;
		} else if (p.n && match_one(&next_p, &next_s)) {
			p = next_p;
			s = next_s;
		} else if (starred) {
			(void)take_char(&star_s);
			p = star_p;
			s = star_s;
		} else {
			return false;
		}
	}
	while (p.n && p.p[0] == '*')
		p = str_from(p, 1);
	return p.n == 0;
}

static struct str first_component(struct str s)
{
	long slash = str_chr(s, '/');
	return slash < 0 ? s : str_sub(s, 0, (size_t)slash);
}

/* Behind the first component and its slash; *ret_more is false when there is none. */
static struct str behind(struct str s, bool *ret_more)
{
	struct str head = first_component(s);
	*ret_more = head.n < s.n;
	return str_from(s, head.n + *ret_more);
}

/* The same scheme one level up: '**' is the star, a component the character. */
bool match_glob(struct str p, struct str s)
{
	struct str star_p = STR_NONE, star_s = STR_NONE;
	bool starred = false, p_more = true, s_more = true, star_more = false, star_s_more = false;
	for (;;) {
		if (p_more && str_is(first_component(p), "**")) {
			p = behind(p, &p_more);
			if (!p_more)
				return true;
			star_p = p;
			star_s = s;
			star_more = p_more;
			star_s_more = s_more;
			starred = true;
			continue;
		}
		if (!p_more && !s_more)
			return true;
		if (p_more && s_more && match_component(first_component(p), first_component(s))) {
			p = behind(p, &p_more);
			s = behind(s, &s_more);
			continue;
		}
		if (!starred || !star_s_more)
			return false;
		star_s = behind(star_s, &star_s_more);
		p = star_p;
		p_more = star_more;
		s = star_s;
		s_more = star_s_more;
	}
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

unsigned match_distance(struct str a, struct str b, unsigned max)
{
	unsigned rows[3][NAME_MAX_COMPARED + 1], *before = rows[0], *last = rows[1], *row = rows[2];
	if (a.n > NAME_MAX_COMPARED || b.n > NAME_MAX_COMPARED)
		return str_eq(a, b) ? 0 : max + 1;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *spare = before;
		before = last;
		last = row;
		row = spare;
		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			row[j] = min3(row[j - 1] + 1, last[j] + 1,
				last[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
				a.p[i - 2] == b.p[j - 1];
			if (swapped && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return row[b.n] > max ? max + 1 : row[b.n];
}

const char *match_nearest(struct str s, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned limit = s.n < 4 ? 1 : s.n < 8 ? 2 : 3, best_distance = limit + 1;
	for (size_t i = 0; i < n; i++) {
		unsigned d = match_distance(s, str_of(names[i]), limit);
		if (d < best_distance) {
			best_distance = d;
			best = names[i];
		}
	}
	return best;
}
