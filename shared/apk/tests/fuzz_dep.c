#include <stdint.h>
#include <stdlib.h>
#include "shared/apk/dep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_deps deps;
	if (apk_deps_parse(str_n((const char *)data, size), &a, &deps, &err))
		for (size_t i = 0; i < deps.n; i++)
			if (!deps.v[i].name.n || !deps.v[i].op != !deps.v[i].version.n)
				abort();
	return 0;
}
