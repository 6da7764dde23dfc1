#pragma once

#include <string.h>
#include "shared/base/arena.h"

/* Typed growing array in an arena: `VEC(struct str) names = {0}; vec_push(arena, &names, s);`
 * Elements are v->v[0 .. v->n-1]; the old array stays in the arena when it grows. */

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n, cap;                                                                     \
	}

#define vec_push(arena, vec, ...)                                                                  \
	do {                                                                                       \
		if ((vec)->n == (vec)->cap) {                                                      \
			size_t vec_cap_ = (vec)->cap ? (vec)->cap * 2 : 8;                         \
			void *vec_new_ = arena_array_((arena), sizeof((vec)->v[0]), vec_cap_);     \
			if ((vec)->n)                                                              \
				memcpy(vec_new_, (vec)->v, (vec)->n * sizeof((vec)->v[0]));        \
			(vec)->v = vec_new_;                                                       \
			(vec)->cap = vec_cap_;                                                     \
		}                                                                                  \
		(vec)->v[(vec)->n++] = __VA_ARGS__;                                                \
	} while (0)

/* A list of texts, the commonest vector. */
struct strs {
	struct str *v;
	size_t n, cap;
};

void strs_push(struct arena *a, struct strs *list, struct str s);	/* borrows s */
void strs_sort(struct strs *list);
void strs_uniq(struct strs *list);	/* of a sorted list */
bool strs_has(const struct strs *list, struct str s);
