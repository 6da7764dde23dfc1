#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Borrowed text: pointer and length, passed by value. Need not end in NUL unless its maker says
 * so (arena text does). Comparison is bytewise. An empty str may have a NULL pointer. */

struct str {
	const char *p;
	size_t n;
};

#define S(lit) ((struct str){ (lit), sizeof(lit) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
/* for printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).n, ((s).p ? (s).p : "")

struct str str_of(const char *cstr);	/* NULL gives the empty str */
struct str str_n(const char *p, size_t n);
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *cstr);
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Removes the prefix or suffix in place and returns true when it was there. */
bool str_skip(struct str *s, struct str prefix);
bool str_chop(struct str *s, struct str suffix);
struct str str_trim(struct str s);	/* blanks, tabs, CR, LF at both ends */
struct str str_from(struct str s, size_t start);	/* clamped */
struct str str_sub(struct str s, size_t start, size_t n);	/* clamped */
/* Offset of the first or last occurrence, -1 if none. */
/* Where the line that `at` is in begins, and where the next one would. */
size_t str_line_start(struct str s, size_t at);
size_t str_line_end(struct str s, size_t at);
long str_chr(struct str s, char c);
long str_rchr(struct str s, char c);
long str_find(struct str s, struct str needle);
/* Takes the part before the next `sep` off `rest` into `part`; the last part has no separator
 * behind it. Returns false once `rest` is exhausted ("a,,b" gives a, empty, b; "" gives one
 * empty part). Start with `rest` set to the whole text; once exhausted it is no text any more. */
bool str_next(struct str *rest, char sep, struct str *part);
/* Takes the next word off `rest`, words being separated by any of blank, tab, CR, LF. */
bool str_word(struct str *rest, struct str *word);
/* Cuts at the first `sep`; false (and `before` = s, `after` empty) when it does not occur. */
bool str_cut(struct str s, char sep, struct str *before, struct str *after);
/* qsort comparators over struct str and over const char *. */
int str_cmp_qsort(const void *a, const void *b);
