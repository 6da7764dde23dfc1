#include "shared/base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/num.h"

/* The sink: set once at the start, read by all threads. */
static struct {
	int level, fd;
	bool colour;
} sink = {.level = LOG_INFO, .fd = STDERR_FILENO};
static _Thread_local const char *line_attr;

static const struct {
	int level;
	const char *name, *tag, *colour;
} levels[] = {
	{LOG_DEBUG, "debug", "DEBU", "\033[35m"},
	{LOG_INFO, "info", "INFO", "\033[36m"},
	{LOG_WARN, "warn", "WARN", "\033[33m"},
	{LOG_ERROR, "error", "ERRO", "\033[31m"},
};

void log_setup(int level, int fd)
{
	sink.level = level;
	sink.fd = fd;
	sink.colour = isatty(fd) && !getenv("NO_COLOR");
}

static bool same_word(struct str a, const char *b)
{
	size_t i = 0;
	while (i < a.n && b[i] && tolower((unsigned char)a.p[i]) == b[i])
		i++;
	return i == a.n && !b[i];
}

bool log_level_parse(struct str s, int *ret_level)
{
	long plus = str_chr(s, '+'), minus = str_chr(s, '-');
	long at = plus >= 0 ? plus : minus;
	int64_t offset = 0;
	if (at >= 0) {
		if (!num_i64(str_from(s, (size_t)at), &offset) || offset < -1000 || offset > 1000)
			return false;
		s = str_sub(s, 0, (size_t)at);
	}
	for (size_t i = 0; i < countof(levels); i++) {
		if (same_word(s, levels[i].name)) {
			*ret_level = levels[i].level + (int)offset;
			return true;
		}
	}
	return false;
}

bool log_enabled(int level)
{
	return level >= sink.level;
}

void log_attr(const char *attr)
{
	line_attr = attr;
}

/* Bytes of the UTF-8 character at s that may be shown, 0 if it is malformed or a C1 control. */
static size_t shown(struct str s)
{
	static const unsigned char least[] = {0, 0, 0xa0, 0xa0, 0x90};
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	if (n < 2)
		return c < 0x20 || c == 0x7f ? 0 : n;
	if (s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls, overlong forms */
	bool first_of_kind = c == 0xc2 || c == 0xe0 || c == 0xf0;
	return first_of_kind && (unsigned char)s.p[1] < least[n] ? 0 : n;
}

/* Control characters could drive the reader's terminal; lines after the first are indented. */
static void add_safe(struct buf *b, struct str s)
{
	while (s.n) {
		size_t n = s.p[0] == '\t' ? 1 : shown(s);
		if (n)
			buf_add(b, s.p, n);
		else if (s.p[0] == '\n')
			buf_adds(b, "\n    ");
		else
			buf_printf(b, "\\x%02x", (unsigned char)s.p[0]);
		s = str_from(s, n ? n : 1);
	}
}

static void put_line(const struct buf *b)
{
	const char *p = b->p;
	size_t left = b->n;
	while (left) {
		ssize_t n = write(sink.fd, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p += n;
		left -= (size_t)n;
	}
}

static void add_head(struct buf *b, int level)
{
	size_t i = countof(levels) - 1;
	while (i > 0 && levels[i].level > level)
		i--;
	time_t now = time(NULL);
	struct tm tm;
	localtime_r(&now, &tm);
	buf_printf(b, "%04d/%02d/%02d %02d:%02d:%02d ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	buf_printf(b, "%s%s%s ", sink.colour ? levels[i].colour : "", levels[i].tag,
		sink.colour ? "\033[0m" : "");
}

void log_line(int level, const char *fmt, ...)
{
	if (!log_enabled(level))
		return;
	int keep = errno;
	auto_buf struct buf b = BUF_INIT(1 << 24);
	char *text;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		BUG("out of memory");
	va_end(ap);
	struct str rest = str_of(text), first;
	while (str_chop(&rest, S("\n"))) {
	}
	bool more = str_cut(rest, '\n', &first, &rest);
	add_head(&b, level);
	add_safe(&b, first);
	if (line_attr) {
		buf_addc(&b, ' ');
		add_safe(&b, str_of(line_attr));
	}
	if (more) {
		add_safe(&b, S("\n"));
		add_safe(&b, rest);
	}
	buf_addc(&b, '\n');
	free(text);
	/* One write, so that lines of several processes do not mix. A closed stderr is no reason to
	 * stop. */
	put_line(&b);
	errno = keep;
}
