#pragma once

#include "shared/base/str.h"

/* Which licence a text is: how many of the triples of words that mark a licence it holds. Case,
 * layout, punctuation, names and years do not count, so that a text may be wrapped, numbered or
 * commented as one likes. */

struct lic_mark {
	const char *id;		/* SPDX */
	const char *kind;	/* what it asks for: notice, reciprocal, restricted, unencumbered */
	const char *phrases[5];	/* words in lower case, single blanks between them; as many as there are */
};
extern const struct lic_mark lic_marks[];
extern const size_t n_lic_marks;

struct lic_match {
	const char *id;		/* "NOASSERTION" when nothing comes near */
	const char *kind;
	double confidence;	/* 0 to 1 */
};
/* At this confidence a match is believed; below 0.8 there is none. */
#define LIC_SURE 0.9
struct lic_match lic_identify(struct str text);
