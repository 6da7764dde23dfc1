#include <stdint.h>
#include <stdlib.h>

#include "melange/plan/shell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left without comments has none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_n((const char *)data, size), once, twice;
	struct shell_problem bad = { 0 };

	if (!shell_strip(text, &a, &once, &bad)) {
		if (bad.at > size || !bad.what)
			abort();
		return 0;
	}
	if (!shell_strip(once, &a, &twice, &bad) || !str_eq(once, twice))
		abort();
	return 0;
}
