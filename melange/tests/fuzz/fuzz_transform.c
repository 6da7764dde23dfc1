#include <stdint.h>
#include <stdlib.h>

#include "melange/config/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An expression, a replacement and a text, a line each. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str rest = str_n((const char *)data, size), match, replace, out, same;
	const char *what;

	(void)str_cut(rest, '\n', &match, &rest);
	(void)str_cut(rest, '\n', &replace, &rest);
	if (!transform_replace(rest, match, replace, &a, &out, &what))
		return 0;
	/* the whole match put back changes nothing */
	if (!transform_replace(rest, match, S("${0}"), &a, &same, &what) || !str_eq(same, rest))
		abort();
	return 0;
}
