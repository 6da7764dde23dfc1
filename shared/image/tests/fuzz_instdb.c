#include <stdint.h>
#include <stdlib.h>

#include "shared/image/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An installed database: what is read of it names packages that can stand in a world. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct image_base b;
	struct strs atoms = { 0 };
	struct str text = arena_str(&a, str_n((const char *)data, size));

	if (!image_base_read(text, "fuzz", apk_arch_find(S("x86_64")), &a, &b, &err))
		return 0;
	image_base_atoms(&b, &a, &atoms);
	if (atoms.n != b.index->n)
		abort();
	for (size_t i = 0; i < atoms.n; i++) {
		struct str name, version;
		if (!str_cut(atoms.v[i], '=', &name, &version) || !image_base_has(&b, name))
			abort();
	}
	(void)image_base_provides(&b, S("so:libc.so.6"));
	return 0;
}
