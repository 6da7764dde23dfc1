#include "shared/base/tstamp.h"

#include <stdlib.h>
#include <time.h>

#include "shared/base/num.h"

#define DAY 86400

/* Days since 1970-01-01 of a proleptic Gregorian date, and back (era arithmetic: 400 years are
 * 146097 days, years begin in March so that the leap day comes last). */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

static void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned doe = (unsigned)(days - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

bool tstamp_env(bool *ret_set, int64_t *ret_sec, struct err *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	struct str s = str_trim(str_of(text));
	int64_t sec;
	if (s.n == 0) {
		*ret_set = false;
		return true;
	}
	if (!num_i64(s, &sec)) {
		err_set(err, EK_USAGE, "SOURCE_DATE_EPOCH is '%s', not a number of seconds", text);
		return err_hint(
			err, "set it to seconds since 1970, for example $(date +%%s), or unset it");
	}
	*ret_set = true;
	*ret_sec = sec;
	return true;
}

static bool take_digits(struct str *s, size_t n, unsigned *ret)
{
	uint64_t v;
	if (s->n < n || !num_u64(str_sub(*s, 0, n), 10, &v))
		return false;
	*ret = (unsigned)v;
	*s = str_from(*s, n);
	return true;
}

static unsigned month_days(unsigned y, unsigned m)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return days[m - 1] + (m == 2 && leap);
}

static bool take_zone(struct str *s, int64_t *ret_offset)
{
	unsigned h, m;
	if (str_skip(s, S("Z")) || str_skip(s, S("z"))) {
		*ret_offset = 0;
		return true;
	}
	bool minus = str_skip(s, S("-"));
	if (!minus && !str_skip(s, S("+")))
		return false;
	if (!take_digits(s, 2, &h) || !str_skip(s, S(":")) || !take_digits(s, 2, &m) || h > 23 ||
		m > 59)
		return false;
	*ret_offset = (minus ? -1 : 1) * (int64_t)(h * 3600 + m * 60);
	return true;
}

static bool parse(struct str s, int64_t *ret_sec)
{
	unsigned y, mon, d, h, min, sec;
	int64_t zone;
	if (!take_digits(&s, 4, &y) || !str_skip(&s, S("-")) || !take_digits(&s, 2, &mon) ||
		!str_skip(&s, S("-")) || !take_digits(&s, 2, &d) ||
		!(str_skip(&s, S("T")) || str_skip(&s, S("t"))) || !take_digits(&s, 2, &h) ||
		!str_skip(&s, S(":")) || !take_digits(&s, 2, &min) || !str_skip(&s, S(":")) ||
		!take_digits(&s, 2, &sec))
		return false;
	if (str_skip(&s, S("."))) {
		size_t digits = 0;
		for (; s.n && s.p[0] >= '0' && s.p[0] <= '9'; digits++)
			s = str_from(s, 1);
		if (!digits)
			return false;
	}
	if (!take_zone(&s, &zone) || s.n || y < 1 || mon < 1 || mon > 12 || d < 1 ||
		d > month_days(y, mon) || h > 23 || min > 59 || sec > 59)
		return false;
	*ret_sec = days_from_civil(y, mon, d) * DAY + h * 3600 + min * 60 + sec - zone;
	return true;
}

bool tstamp_parse(struct str rfc3339, int64_t *ret_sec, struct err *err)
{
	if (parse(rfc3339, ret_sec))
		return true;
	err_set(err, EK_USAGE, "'%.*s' is not a time", STR_ARG(rfc3339));
	return err_hint(err, "write it as 2006-01-02T15:04:05Z");
}

char *tstamp_rfc3339(struct arena *a, int64_t sec)
{
	int64_t days = sec / DAY, rest = sec % DAY, y;
	unsigned m, d;
	if (rest < 0) {
		rest += DAY;
		days--;
	}
	civil_from_days(days, &y, &m, &d);
	return arena_printf(a, "%04lld-%02u-%02uT%02lld:%02lld:%02lldZ", (long long)y, m, d,
		(long long)(rest / 3600), (long long)(rest / 60 % 60), (long long)(rest % 60));
}

int64_t tstamp_mono_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
