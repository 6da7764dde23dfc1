#pragma once

#include <stdbool.h>
#include "shared/base/compiler.h"

/* An error: what kind, and one sentence for a person, set where the failure happened.
 *
 * A function that can fail for reasons outside the program takes `struct err *err` last, returns
 * false (or NULL) after setting it, and leaves its outputs untouched. Callers start from
 * `auto_err struct err err = ERR_INIT;`. The message may hold several lines; a line that starts
 * with "hint: " tells what to do. Messages are lower case, with names in single quotes and no
 * full stop. Setting an error that is already set replaces it. */

enum err_kind {
	EK_NONE,
	EK_OTHER,
	EK_USAGE,	/* wrong command line */
	EK_NOTFOUND,	/* the thing asked for does not exist */
	EK_PARSE,	/* malformed input */
	EK_SOURCE,	/* the same, with each place and its line: shown as it is */
	EK_TRUST,	/* signature, digest or key */
	EK_NETWORK,	/* transport; trying again may help */
	EK_CONFLICT,	/* packages or files exclude each other */
	EK_CHILD,	/* a child process failed */
	EK_CANCELLED,	/* interrupted */
	EK_STALE,	/* a cache was damaged and has been dropped: doing it again helps */
};

struct err {
	enum err_kind kind;
	char *msg;	/* owned, NULL while kind is EK_NONE */
	char *detail;	/* owned; the same for machines: a JSON value, where there is one */
};

/* A place in a text file; line and column count from 1, 0 means unknown. */
struct pos {
	const char *file;	/* borrowed */
	int line, col;
};

#define ERR_INIT { EK_NONE, NULL, NULL }
#define auto_err cleanup_with(err_release)

void err_release(struct err *err);

/* All of these return false, so that reporting and returning is one statement. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) printf_like(3, 4);
/* Appends ": " and the text of errno. */
bool err_sys(struct err *err, const char *fmt, ...) printf_like(2, 3);
/* Puts "file:line:col: " in front (kind EK_PARSE); leaves out what is unknown. */
bool err_at(struct err *err, struct pos pos, const char *fmt, ...) printf_like(3, 4);
/* Puts the text and ": " in front of the message that is set; the kind stays. */
bool err_wrap(struct err *err, const char *fmt, ...) printf_like(2, 3);
/* Adds a "hint: ..." line. */
bool err_hint(struct err *err, const char *fmt, ...) printf_like(2, 3);
/* Takes the detail (malloc'ed); wrapping and hints keep it. */
void err_detail(struct err *err, char *json);
/* Moves `from` into `to`; `from` becomes empty. */
bool err_move(struct err *to, struct err *from);
