#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/buf.h"

/* Streaming writer of block YAML with the choices of the Go library that the existing tools print
 * with: list items indented below their key, empty containers as {} and [], texts plain where they
 * are read back as the same text, else quoted, those of several lines as literal blocks. What is
 * written reads back as what was given, to YAML 1.1 and 1.2 readers. */

#define YW_DEPTH 256

struct ywrite {
	struct buf *out;
	unsigned step; /* blanks a level, at least 2 */
	unsigned depth;
	bool after_key, root_done;
	struct yw_level {
		bool list, filled;
		bool compact; /* its first entry stands on the line of the "- " before it */
		unsigned col;
	} levels[YW_DEPTH];
};

/* Deeper than YW_DEPTH containers is a broken invariant. */
void yw_init(struct ywrite *w, struct buf *out, unsigned step);
void yw_map(struct ywrite *w);
void yw_map_end(struct ywrite *w);
void yw_list(struct ywrite *w);
void yw_list_end(struct ywrite *w);
void yw_key(struct ywrite *w, const char *key);
void yw_key_str(struct ywrite *w, struct str key);
void yw_str(struct ywrite *w, struct str s);
void yw_int(struct ywrite *w, int64_t n);
void yw_bool(struct ywrite *w, bool b);
void yw_null(struct ywrite *w);
/* Key and value at once; the _opt form writes nothing for an empty text. */
void yw_kstr(struct ywrite *w, const char *key, struct str s);
void yw_kstr_opt(struct ywrite *w, const char *key, struct str s);
void yw_kint(struct ywrite *w, const char *key, int64_t n);
void yw_kbool(struct ywrite *w, const char *key, bool b);
/* Which of two keys of a sorted map comes first, as that library has it: letters behind other
 * characters, runs of digits by their value. For qsort-like use. */
int yw_key_cmp(struct str a, struct str b);
