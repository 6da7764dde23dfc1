#include "shared/base/match.h"


#define NAME_MAX_COMPARED 64

/* Matches one class at p[0] == '['; *ret_len gets its length. Not a class if it never closes. */
static bool match_class(struct str p, char c, size_t *ret_len, bool *ret_hit)
{
	size_t i = 1;
	bool negated = i < p.n && (p.p[i] == '!' || p.p[i] == '^'), hit = false;
	i += negated;
	size_t first = i;
	for (; i < p.n && (p.p[i] != ']' || i == first); i++) {
		char low = p.p[i], high = low;
		if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
			high = p.p[i + 2];
			i += 2;
		}
		hit |= (unsigned char)low <= (unsigned char)c && (unsigned char)c <= (unsigned char)high;
	}
	if (i >= p.n)
		return false;
	*ret_len = i + 1;
	*ret_hit = hit != negated;
	return true;
}

/* One pattern character against c; *ret_len gets the pattern bytes it takes. */
static bool match_one(struct str p, char c, size_t *ret_len)
{
	bool hit;
	*ret_len = 1;
	switch (p.p[0]) {
	case '?':
		return true;
	case '[':
		if (match_class(p, c, ret_len, &hit))
			return hit;
		return c == '[';
	case '\\':
		if (p.n > 1) {
			*ret_len = 2;
			return p.p[1] == c;
		}
		return c == '\\';
	default:
		return p.p[0] == c;
	}
}

/* One path component: '*' backtracks to the last star only, so time is at most n * m. */
static bool match_component(struct str p, struct str s)
{
	struct str star_p = STR_NONE, star_s = STR_NONE;
	bool starred = false;
	while (s.n) {
		size_t len;
		if (p.n && p.p[0] == '*') {
			p = str_from(p, 1);
			star_p = p;
			star_s = s;
			starred = true;
		} else if (p.n && match_one(p, s.p[0], &len)) {
			p = str_from(p, len);
			s = str_from(s, 1);
		} else if (starred) {
			star_s = str_from(star_s, 1);
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
	unsigned row[NAME_MAX_COMPARED + 1];
	if (a.n > NAME_MAX_COMPARED || b.n > NAME_MAX_COMPARED)
		return str_eq(a, b) ? 0 : max + 1;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned up = row[j];
			row[j] = min3(row[j - 1] + 1, up + 1,
				diagonal + (a.p[i - 1] != b.p[j - 1]));
			diagonal = up;
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
