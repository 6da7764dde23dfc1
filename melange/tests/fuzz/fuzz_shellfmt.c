#include <stdint.h>
#include <stdlib.h>

#include "melange/plan/shellfmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was printed prints as itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str once, twice;

	if (!shellfmt(str_n((const char *)data, size), &a, &once))
		return 0;
	if (!shellfmt(once, &a, &twice) || !str_eq(once, twice))
		abort();
	return 0;
}
