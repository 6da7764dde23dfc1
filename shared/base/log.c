#include "shared/base/log.h"

#include <ctype.h>
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
} sink = { .level = LOG_INFO, .fd = STDERR_FILENO };
static _Thread_local const char *line_attr;

static const struct {
	int level;
	const char *name, *tag, *colour;
} levels[] = {
	{ LOG_DEBUG, "debug", "DEBU", "\033[35m" },
	{ LOG_INFO, "info", "INFO", "\033[36m" },
	{ LOG_WARN, "warn", "WARN", "\033[33m" },
	{ LOG_ERROR, "error", "ERRO", "\033[31m" },
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
	if (same_word(s, "warning"))
		s = S("warn");
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

/* Control characters could drive the reader's terminal; lines after the first are indented. */
static void add_safe(struct buf *b, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '\n')
			buf_adds(b, "\n    ");
		else if ((c < 0x20 && c != '\t') || c == 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_addc(b, (char)c);
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
	auto_buf struct buf b = BUF_INIT(1 << 24);
	add_head(&b, level);
	va_list ap;
	va_start(ap, fmt);
	char *text = NULL;
	if (vasprintf(&text, fmt, ap) < 0)
		BUG("out of memory");
	va_end(ap);
	add_safe(&b, text);
	free(text);
	if (line_attr)
		buf_printf(&b, " %s", line_attr);
	buf_addc(&b, '\n');
	/* one write, so that lines of several processes do not mix; a closed stderr is no reason
	 * to stop */
	ssize_t ignored = write(sink.fd, b.p, b.n);
	(void)ignored;
}
