#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/buf.h"

/* Streaming JSON writer with Go's exact bytes: < > & U+2028 U+2029 as \u003c..., short escapes
 * \b \f \n \r \t, other controls as \u00xx, invalid UTF-8 as \ufffd, all else raw. indent 0 is
 * compact; otherwise that many blanks per level, "key": value, empty containers as {} and [].
 * No final newline. */

struct jwrite {
	struct buf *out;
	unsigned indent;
	unsigned depth;
	bool need_comma, after_key;
};

void jw_init(struct jwrite *w, struct buf *out, unsigned indent);
void jw_object(struct jwrite *w);
void jw_object_end(struct jwrite *w);
void jw_array(struct jwrite *w);
void jw_array_end(struct jwrite *w);
void jw_key(struct jwrite *w, const char *key);
void jw_key_str(struct jwrite *w, struct str key);
void jw_str(struct jwrite *w, struct str s);
void jw_int(struct jwrite *w, int64_t n);
void jw_real(struct jwrite *w, double d); /* finite; as few digits as give it back */
void jw_bool(struct jwrite *w, bool b);
void jw_null(struct jwrite *w);
/* key and value at once; the _opt form writes nothing for an empty text */
void jw_kstr(struct jwrite *w, const char *key, struct str s);
void jw_kstr_opt(struct jwrite *w, const char *key, struct str s);
void jw_kint(struct jwrite *w, const char *key, int64_t n);
void jw_kbool(struct jwrite *w, const char *key, bool b);
