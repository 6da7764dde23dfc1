#include "melange/license/lictext.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "shared/base/vec.h"

#define LEAST 0.8
#define MAX_WORDS 500000

struct grams {
	uint64_t *v;
	size_t n, cap;
};

/* The next word's hash; American spelling counts for both. */
static bool next_word(struct str *rest, uint64_t *ret)
{
	uint64_t h = 0xcbf29ce484222325u;
	size_t i = 0, n = 0;
	char word[8];
	while (i < rest->n && !isalnum((unsigned char)rest->p[i]))
		i++;
	for (; i < rest->n && isalnum((unsigned char)rest->p[i]); i++, n++) {
		char c = (char)tolower((unsigned char)rest->p[i]);
		if (n < sizeof(word))
			word[n] = c;
		if (n == 5 && c == 'c' && str_eq(str_n(word, 5), S("licen")))
			c = 's';
		h = (h ^ (unsigned char)c) * 0x100000001b3u;
	}
	*rest = str_from(*rest, i);
	*ret = h;
	return n > 0;
}

static void add_grams(struct str text, struct arena *a, struct grams *ret)
{
	uint64_t w[3] = { 0 };
	for (size_t n = 0; n < MAX_WORDS && next_word(&text, &w[2]); n++) {
		if (n >= 2)
			vec_push(a, ret, (w[0] * 31 + w[1]) * 31 + w[2]);
		w[0] = w[1];
		w[1] = w[2];
	}
}

static int gram_cmp(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;
	return *a < *b ? -1 : *a > *b;
}

static size_t count_known(const struct grams *marks, const struct grams *text)
{
	size_t n = 0;
	for (size_t i = 0; i < marks->n; i++)
		n += text->n &&
			bsearch(&marks->v[i], text->v, text->n, sizeof(text->v[0]), gram_cmp) != NULL;
	return n;
}

struct lic_match lic_identify(struct str text)
{
	auto_arena struct arena a = ARENA_INIT;
	struct lic_match best = { "NOASSERTION", "unknown", 0 };
	struct grams held = { 0 };
	size_t best_n = 0;
	add_grams(text, &a, &held);
	if (held.n)
		qsort(held.v, held.n, sizeof(held.v[0]), gram_cmp);
	for (size_t i = 0; i < n_lic_marks; i++) {
		const struct lic_mark *m = &lic_marks[i];
		struct grams marks = { 0 };
		for (size_t k = 0; k < countof(m->phrases) && m->phrases[k]; k++)
			add_grams(str_of(m->phrases[k]), &a, &marks);
		double c = (double)count_known(&marks, &held) / (double)marks.n;
		/* Some licences hold others whole: of those that are sure the longest is meant. */
		bool better = c >= LIC_SURE ? best.confidence < LIC_SURE || marks.n > best_n
			: c > best.confidence;
		if (c < LEAST || !better)
			continue;
		best = (struct lic_match){ m->id, m->kind, c };
		best_n = marks.n;
	}
	return best;
}
