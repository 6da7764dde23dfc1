#include "shared/base/num.h"

#include <ctype.h>
#include <string.h>

#include "shared/base/compiler.h"

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

bool num_u64(struct str s, unsigned base, uint64_t *ret_n)
{
	uint64_t n = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)digit_of(s.p[i]);
		if (d >= base || __builtin_mul_overflow(n, base, &n) ||
			__builtin_add_overflow(n, d, &n))
			return false;
	}
	*ret_n = n;
	return true;
}

bool num_i64(struct str s, int64_t *ret_n)
{
	bool minus = str_skip(&s, S("-"));
	if (!minus)
		(void)str_skip(&s, S("+"));
	uint64_t n;
	if (!num_u64(s, 10, &n) || n > (uint64_t)INT64_MAX + minus)
		return false;
	*ret_n = minus ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

bool num_bool(struct str s, bool *ret_b)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
	for (size_t i = 0; i < countof(yes); i++) {
		if (str_is(s, yes[i]) || str_is(s, no[i])) {
			*ret_b = str_is(s, yes[i]);
			return true;
		}
	}
	return false;
}

static bool at_digit(struct str s)
{
	return s.n && isdigit((unsigned char)s.p[0]);
}

/* A decimal number: whole + frac / scale. */
struct decimal {
	uint64_t whole, frac, scale;
};

/* Takes digits with an optional fraction off the front. Digits of the fraction that no longer fit
 * are too small to matter and are skipped. */
static bool take_decimal(struct str *s, struct decimal *d)
{
	size_t digits = 0;
	*d = (struct decimal){.scale = 1};
	for (; at_digit(*s); *s = str_from(*s, 1), digits++)
		if (__builtin_mul_overflow(d->whole, 10, &d->whole) ||
			__builtin_add_overflow(d->whole, (uint64_t)(s->p[0] - '0'), &d->whole))
			return false;
	if (!str_skip(s, S(".")))
		return digits > 0;
	for (; at_digit(*s); *s = str_from(*s, 1), digits++) {
		if (d->frac > INT64_MAX / 10 || d->scale > UINT64_MAX / 10)
			continue;
		d->frac = d->frac * 10 + (uint64_t)(s->p[0] - '0');
		d->scale *= 10;
	}
	return digits > 0;
}

static bool scaled(struct decimal d, uint64_t unit, uint64_t part, uint64_t *ret)
{
	uint64_t n;
	return !__builtin_mul_overflow(d.whole, unit, &n) && !__builtin_add_overflow(n, part, ret);
}

bool num_size(struct str s, uint64_t *ret_bytes)
{
	struct decimal d;
	if (!take_decimal(&s, &d))
		return false;
	unsigned shift = 0;
	if (s.n) {
		while (str_skip(&s, S(" "))) {
		}
		static const char units[] = "BKMGTPE";
		const char *unit = s.n ? strchr(units, toupper((unsigned char)s.p[0])) : NULL;
		if (!unit || !*unit)
			return false;
		shift = (unsigned)(unit - units) * 10;
		s = str_from(s, 1);
		if (shift && s.n && (s.p[0] == 'i' || s.p[0] == 'I'))
			s = str_from(s, 1);
		if (shift && s.n && (s.p[0] == 'b' || s.p[0] == 'B'))
			s = str_from(s, 1);
		if (s.n)
			return false;
	}
	uint64_t unit = (uint64_t)1 << shift;
	return scaled(d, unit, (uint64_t)((unsigned __int128)d.frac * unit / d.scale), ret_bytes);
}

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000},
	{"\xce\xbcs", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", UINT64_C(60000000000)},
	{"h", UINT64_C(3600000000000)},
};

static bool take_unit(struct str *s, uint64_t *ret_ns)
{
	size_t n = 0;
	while (n < s->n && s->p[n] != '.' && !isdigit((unsigned char)s->p[n]))
		n++;
	struct str name = str_sub(*s, 0, n);
	for (size_t i = 0; i < countof(units); i++) {
		if (str_is(name, units[i].name)) {
			*ret_ns = units[i].ns;
			*s = str_from(*s, n);
			return true;
		}
	}
	return false;
}

bool num_duration(struct str s, int64_t *ret_ns)
{
	bool minus = str_skip(&s, S("-"));
	if (!minus)
		(void)str_skip(&s, S("+"));
	if (str_is(s, "0")) {
		*ret_ns = 0;
		return true;
	}
	uint64_t total = 0;
	if (s.n == 0)
		return false;
	while (s.n) {
		struct decimal d;
		uint64_t unit, n;
		if (!take_decimal(&s, &d) || !take_unit(&s, &unit))
			return false;
		/* in floating point, as Go does it, so that both round alike */
		double part = (double)d.frac * ((double)unit / (double)d.scale);
		if (!scaled(d, unit, (uint64_t)part, &n) ||
			__builtin_add_overflow(total, n, &total))
			return false;
	}
	if (total > (uint64_t)INT64_MAX + minus)
		return false;
	*ret_ns = minus ? (int64_t)(0 - total) : (int64_t)total;
	return true;
}
