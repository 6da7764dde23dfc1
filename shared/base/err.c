#include "shared/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(stderr, "%s:%d: bug: ", file, line);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

static char *vformat(const char *fmt, va_list ap) printf_like(1, 0);
static char *vformat(const char *fmt, va_list ap)
{
	char *s;
	if (vasprintf(&s, fmt, ap) < 0)
		BUG("out of memory");
	return s;
}

static char *format(const char *fmt, ...) printf_like(1, 2);
static char *format(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = vformat(fmt, ap);
	va_end(ap);
	return s;
}

static bool take(struct err *err, enum err_kind kind, char *msg)
{
	free(err->msg);
	err->kind = kind;
	err->msg = msg;
	return false;
}

void err_detail(struct err *err, char *json)
{
	free(err->detail);
	err->detail = json;
}

void err_release(struct err *err)
{
	(void)take(err, EK_NONE, NULL);
	err_detail(err, NULL);
}

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *msg = vformat(fmt, ap);
	va_end(ap);
	err_detail(err, NULL);
	return take(err, kind, msg);
}

bool err_sys(struct err *err, const char *fmt, ...)
{
	int code = errno;
	va_list ap;
	va_start(ap, fmt);
	char *what = vformat(fmt, ap);
	va_end(ap);
	char *msg = format("%s: %s%s", what, strerror(code),
		code == ENOSPC || code == EDQUOT ? "\nhint: free some space there" : "");
	free(what);
	return take(err, code == ENOENT ? EK_NOTFOUND : EK_OTHER, msg);
}

bool err_at(struct err *err, struct pos pos, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *what = vformat(fmt, ap);
	va_end(ap);
	char *msg;
	if (!pos.file)
		msg = format("%s", what);
	else if (!pos.line)
		msg = format("%s: %s", pos.file, what);
	else if (!pos.col)
		msg = format("%s:%d: %s", pos.file, pos.line, what);
	else
		msg = format("%s:%d:%d: %s", pos.file, pos.line, pos.col, what);
	free(what);
	return take(err, EK_PARSE, msg);
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *front = vformat(fmt, ap);
	va_end(ap);
	char *msg = format("%s%s%s", front, err->msg ? ": " : "", err->msg ? err->msg : "");
	free(front);
	return take(err, err->kind ? err->kind : EK_OTHER, msg);
}

bool err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *hint = vformat(fmt, ap);
	va_end(ap);
	char *msg = format("%s%shint: %s", err->msg ? err->msg : "", err->msg ? "\n" : "", hint);
	free(hint);
	return take(err, err->kind ? err->kind : EK_OTHER, msg);
}

bool err_move(struct err *to, struct err *from)
{
	if (to == from)
		return false;
	(void)take(to, from->kind, from->msg);
	err_detail(to, from->detail);
	*from = (struct err)ERR_INIT;
	return false;
}
