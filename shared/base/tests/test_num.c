#include "shared/base/num.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "shared/base/compiler.h"
#include "shared/base/tstamp.h"

#define SEC INT64_C(1000000000)
#define MIN (60 * SEC)
#define HOUR (60 * MIN)
#define UNCHANGED 4711

static void test_u64(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned base;
		bool ok;
		uint64_t want;
	} cases[] = {
		{"0", 10, true, 0},
		{"18446744073709551615", 10, true, UINT64_MAX},
		{"18446744073709551616", 10, false, 0},
		{"99999999999999999999", 10, false, 0},
		{"", 10, false, 0},
		{"+1", 10, false, 0},
		{"-1", 10, false, 0},
		{" 1", 10, false, 0},
		{"1 ", 10, false, 0},
		{"007", 8, true, 7},
		{"8", 8, false, 0},
		{"fF", 16, true, 255},
		{"0x1", 16, false, 0},
		{"z", 36, true, 35},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t n = UNCHANGED;
		bool ok = num_u64(str_of(cases[i].text), cases[i].base, &n);
		if (ok != cases[i].ok || n != (ok ? cases[i].want : UNCHANGED))
			fail_msg("'%s': %d %" PRIu64, cases[i].text, ok, n);
	}
}

static void test_i64(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"+5", true, 5},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"-9223372036854775808", true, INT64_MIN},
		{"-9223372036854775809", false, 0},
		{"--1", false, 0},
		{"-+1", false, 0},
		{"-", false, 0},
		{"", false, 0},
		{"1e3", false, 0},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		int64_t n = UNCHANGED;
		bool ok = num_i64(str_of(cases[i].text), &n);
		if (ok != cases[i].ok || n != (ok ? cases[i].want : UNCHANGED))
			fail_msg("'%s': %d %" PRId64, cases[i].text, ok, n);
	}
}

static void test_bool(void **state)
{
	(void)state;
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
	static const char *const bad[] = {"", "yes", "on", "tRUE", "true ", "2"};
	for (size_t i = 0; i < 6; i++) {
		bool b = false;
		assert_true(num_bool(str_of(yes[i]), &b) && b);
		assert_true(num_bool(str_of(no[i]), &b) && !b);
		assert_false(num_bool(str_of(bad[i]), &b));
	}
}

static void test_size(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		uint64_t want;
	} cases[] = {
		{"123", true, 123},
		{"1.5 KB", true, 1536},
		{"300MiB", true, 300ull << 20},
		{"2g", true, 2ull << 30},
		{"1Ti", true, 1ull << 40},
		{"0.1k", true, 102},
		{"7b", true, 7},
		{"15E", true, 15ull << 60},
		{"16E", false, 0},
		{"", false, 0},
		{".", false, 0},
		{"B", false, 0},
		{"1 ", false, 0},
		{" 1", false, 0},
		{"-1", false, 0},
		{"1KBB", false, 0},
		{"1iB", false, 0},
		{"1x", false, 0},
		{"18446744073709551615", true, UINT64_MAX},
		{"18446744073709551616", false, 0},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		uint64_t n = UNCHANGED;
		bool ok = num_size(str_of(cases[i].text), &n);
		if (ok != cases[i].ok || n != (ok ? cases[i].want : UNCHANGED))
			fail_msg("'%s': %d %" PRIu64, cases[i].text, ok, n);
	}
}

static void test_duration(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"+0", true, 0},
		{"5s", true, 5 * SEC},
		{"1h30m", true, 90 * MIN},
		{"90s", true, 90 * SEC},
		{"1.5h", true, 90 * MIN},
		{"300ms", true, 300 * SEC / 1000},
		{"-1.5h", true, -90 * MIN},
		{"+5.s", true, 5 * SEC},
		{".5s", true, SEC / 2},
		{"1.004s", true, 1004 * SEC / 1000},
		{"100.00100s", true, 100001 * SEC / 1000},
		{"11us", true, 11000},
		{"12\xc2\xb5s", true, 12000},
		{"12\xce\xbcs", true, 12000},
		{"10.5s4m", true, 4 * MIN + 10 * SEC + SEC / 2},
		{"-2m3.4s", true, -(2 * MIN + 3 * SEC + 400 * SEC / 1000)},
		{"39h9m14.425s", true, 39 * HOUR + 9 * MIN + 14 * SEC + 425 * SEC / 1000},
		{"0.3333333333333333333h", true, 20 * MIN},
		{"0.100000000000000000000h", true, 6 * MIN},
		{"0.9223372036854775807h", true, INT64_C(3320413933267)},
		{"9007199254740993ns", true, INT64_C(9007199254740993)},
		{"9223372036854775807ns", true, INT64_MAX},
		{"-9223372036854775808ns", true, INT64_MIN},
		{"9223372036854775808ns", false, 0},
		{"3000000h", false, 0},
		{"99999999999999999999h", false, 0},
		{"", false, 0},
		{"3", false, 0},
		{"-", false, 0},
		{"s", false, 0},
		{".", false, 0},
		{".s", false, 0},
		{"1h ", false, 0},
		{"1d", false, 0},
		{"1 s", false, 0},
		{"--1s", false, 0},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		int64_t n = UNCHANGED;
		bool ok = num_duration(str_of(cases[i].text), &n);
		if (ok != cases[i].ok || n != (ok ? cases[i].want : UNCHANGED))
			fail_msg("'%s': %d %" PRId64, cases[i].text, ok, n);
	}
}

static void test_tstamp_parse(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} cases[] = {
		{"1970-01-01T00:00:00Z", true, 0},
		{"2026-01-31T13:00:00Z", true, 1769864400},
		{"2000-02-29T23:59:59Z", true, 951868799},
		{"2026-01-31T13:00:00.123456789Z", true, 1769864400},
		{"2026-01-31T15:30:00+02:30", true, 1769864400},
		{"2026-01-31T12:00:00-01:00", true, 1769864400},
		{"0001-01-01T00:00:00Z", true, INT64_C(-62135596800)},
		{"9999-12-31T23:59:59Z", true, INT64_C(253402300799)},
		{"1969-12-31T23:59:59Z", true, -1},
		{"1900-02-29T00:00:00Z", false, 0},
		{"0000-01-01T00:00:00Z", false, 0},
		{"2026-13-01T00:00:00Z", false, 0},
		{"2026-00-01T00:00:00Z", false, 0},
		{"2026-04-31T00:00:00Z", false, 0},
		{"2026-01-00T00:00:00Z", false, 0},
		{"2026-01-31T24:00:00Z", false, 0},
		{"2026-01-31T13:60:00Z", false, 0},
		{"2026-01-31T13:00:60Z", false, 0},
		{"2026-01-31T13:00:00.Z", false, 0},
		{"2026-01-31T13:00:00", false, 0},
		{"2026-01-31T13:00:00Zx", false, 0},
		{"2026-01-31T13:00:00+0100", false, 0},
		{"2026-01-31 13:00:00Z", false, 0},
		{"2026-1-31T13:00:00Z", false, 0},
		{"+026-01-31T13:00:00Z", false, 0},
		{"", false, 0},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		int64_t n = UNCHANGED;
		bool ok = tstamp_parse(str_of(cases[i].text), &n, &err);
		if (ok != cases[i].ok || n != (ok ? cases[i].want : UNCHANGED) || ok != !err.msg)
			fail_msg("'%s': %d %" PRId64, cases[i].text, ok, n);
	}
}

/* There and back over all the years, compared with libc. */
static void test_tstamp_civil(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	for (int64_t sec = INT64_C(-62135596800); sec < INT64_C(253402300799);
		sec += 86399 * INT64_C(397)) {
		auto_arena struct arena a = ARENA_INIT;
		char want[64];
		time_t t = sec;
		struct tm tm;
		gmtime_r(&t, &tm);
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		char *got = tstamp_rfc3339(&a, sec);
		assert_string_equal(got, want);
		int64_t back;
		assert_true(tstamp_parse(str_of(got), &back, &err));
		assert_int_equal(back, sec);
	}
}

static void test_tstamp_env(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok, set;
		int64_t want;
	} cases[] = {
		{NULL, true, false, UNCHANGED},
		{"", true, false, UNCHANGED},
		{"  ", true, false, UNCHANGED},
		{"0", true, true, 0},
		{"1769864400", true, true, 1769864400},
		{"-5", true, true, -5},
		{"1.5", false, false, UNCHANGED},
		{"today", false, false, UNCHANGED},
		{"99999999999999999999", false, false, UNCHANGED},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		bool set = false;
		int64_t sec = UNCHANGED;
		if (cases[i].text)
			setenv("SOURCE_DATE_EPOCH", cases[i].text, 1);
		else
			unsetenv("SOURCE_DATE_EPOCH");
		assert_int_equal(tstamp_env(&set, &sec, &err), cases[i].ok);
		assert_int_equal(set, cases[i].set);
		assert_int_equal(sec, cases[i].want);
		assert_int_equal(err.kind, cases[i].ok ? EK_NONE : EK_USAGE);
	}
	unsetenv("SOURCE_DATE_EPOCH");
	int64_t before = tstamp_mono_ns();
	assert_true(tstamp_mono_ns() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_tstamp_parse),
		cmocka_unit_test(test_tstamp_civil),
		cmocka_unit_test(test_tstamp_env),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
