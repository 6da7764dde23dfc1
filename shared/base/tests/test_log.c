#include "shared/base/log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int sink_pipe[2];

static int setup(void **state)
{
	(void)state;
	return pipe2(sink_pipe, O_NONBLOCK | O_CLOEXEC);
}

static int teardown(void **state)
{
	(void)state;
	close(sink_pipe[0]);
	close(sink_pipe[1]);
	log_setup(LOG_INFO, STDERR_FILENO);
	return 0;
}

/* What was written since; the time at its front is checked and taken off. */
static const char *logged(void)
{
	static char text[4096];
	ssize_t n = read(sink_pipe[0], text, sizeof(text) - 1);
	if (n <= 0)
		return "";
	text[n] = 0;
	static const char form[] = "dddd/dd/dd dd:dd:dd ";
	for (size_t i = 0; form[i]; i++)
		assert_true(form[i] == 'd' ? isdigit((unsigned char)text[i]) : text[i] == form[i]);
	return text + sizeof(form) - 1;
}

static void test_levels(void **state)
{
	(void)state;
	static const struct {
		int threshold, level;
		const char *want;
	} cases[] = {
		{LOG_INFO, LOG_DEBUG, ""},
		{LOG_INFO, LOG_INFO, "INFO m 1\n"},
		{LOG_INFO, LOG_INFO + 2, "INFO m 1\n"},
		{LOG_INFO, LOG_WARN, "WARN m 1\n"},
		{LOG_INFO, LOG_ERROR, "ERRO m 1\n"},
		{LOG_INFO, LOG_ERROR + 9, "ERRO m 1\n"},
		{LOG_DEBUG, LOG_DEBUG, "DEBU m 1\n"},
		{LOG_INFO + 2, LOG_INFO, ""},
		{LOG_ERROR, LOG_WARN, ""},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		log_setup(cases[i].threshold, sink_pipe[1]);
		assert_int_equal(log_enabled(cases[i].level), *cases[i].want != 0);
		log_line(cases[i].level, "m %d", 1);
		assert_string_equal(logged(), cases[i].want);
	}
}

static void test_text(void **state)
{
	(void)state;
	static const struct {
		const char *text, *attr, *want;
	} cases[] = {
		{"plain", NULL, "INFO plain\n"},
		{"", NULL, "INFO \n"},
		{"a\nb\nc", NULL, "INFO a\n    b\n    c\n"},
		{"a\n", NULL, "INFO a\n"},
		{"a\n\n", NULL, "INFO a\n"},
		{"tab\there", NULL, "INFO tab\there\n"},
		{"\033[2J\r\a\177", NULL, "INFO \\x1b[2J\\x0d\\x07\\x7f\n"},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", NULL,
			"INFO \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n"},
		{"c1 \xc2\x9b"
		 "2J",
			NULL, "INFO c1 \\xc2\\x9b2J\n"},
		{"bad \x9b \xe2\x82 \xc0\x80 \xe0\x80\x80 \xff", NULL,
			"INFO bad \\x9b \\xe2\\x82 \\xc0\\x80 \\xe0\\x80\\x80 \\xff\n"},
		{"m", "arch=x86_64", "INFO m arch=x86_64\n"},
		{"m\nn", "arch=\033", "INFO m arch=\\x1b\n    n\n"},
	};
	log_setup(LOG_INFO, sink_pipe[1]);
	for (size_t i = 0; i < countof(cases); i++) {
		log_attr(cases[i].attr);
		errno = EXDEV;
		log_info("%s", cases[i].text);
		assert_int_equal(errno, EXDEV);
		assert_string_equal(logged(), cases[i].want);
	}
	log_attr(NULL);
}

static void test_closed(void **state)
{
	(void)state;
	log_setup(LOG_INFO, -1);
	log_info("nowhere");
	assert_string_equal(logged(), "");
}

static void test_colour(void **state)
{
	(void)state;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		skip();
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	unsetenv("NO_COLOR");
	log_setup(LOG_INFO, slave);
	log_warn("careful");
	char text[256];
	ssize_t n = read(master, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = 0;
	assert_non_null(strstr(text, "\033[33mWARN\033[0m careful"));
	setenv("NO_COLOR", "1", 1);
	log_setup(LOG_INFO, slave);
	log_warn("plain");
	n = read(master, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = 0;
	assert_null(strchr(text, '\033'));
	unsetenv("NO_COLOR");
	close(slave);
	close(master);
}

static void test_level_parse(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int want;
	} cases[] = {
		{"debug", true, -4},
		{"INFO", true, 0},
		{"Warn", true, 4},
		{"error", true, 8},
		{"INFO+2", true, 2},
		{"error-3", true, 5},
		{"", false, 0},
		{"fatal", false, 0},
		{"panic", false, 0},
		{"inf", false, 0},
		{"infos", false, 0},
		{"info+", false, 0},
		{"info+x", false, 0},
		{"info+9999999", false, 0},
		{"+2", false, 0},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		int level = 99;
		bool ok = log_level_parse(str_of(cases[i].text), &level);
		if (ok != cases[i].ok || level != (ok ? cases[i].want : 99))
			fail_msg("'%s': %d %d", cases[i].text, ok, level);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_colour, setup, teardown),
		cmocka_unit_test(test_level_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
