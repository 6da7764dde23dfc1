#include "shared/base/vec.h"

#include <stdlib.h>

void strs_push(struct arena *a, struct strs *list, struct str s)
{
	vec_push(a, list, s);
}

void strs_sort(struct strs *list)
{
	if (list->n)
		qsort(list->v, list->n, sizeof(list->v[0]), str_cmp_qsort);
}

void strs_uniq(struct strs *list)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->n; i++)
		if (i == 0 || !str_eq(list->v[i], list->v[kept - 1]))
			list->v[kept++] = list->v[i];
	list->n = kept;
}

bool strs_has(const struct strs *list, struct str s)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], s))
			return true;
	return false;
}
