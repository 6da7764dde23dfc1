#include <stdint.h>
#include <stdlib.h>
#include "shared/apk/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two versions, split at the first line end: each order is the other's mirror. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str a, b;
	(void)str_cut(str_n((const char *)data, size), '\n', &a, &b);
	if (apk_version_cmp(a, b) != -apk_version_cmp(b, a) || apk_version_cmp(a, a))
		abort();
	if (apko_version_cmp(a, b) != -apko_version_cmp(b, a))
		abort();
	if (apko_version_valid(a) && !apko_version_match(a, APK_OP_FUZZY, a))
		abort();
	if (!apko_version_valid(a) || !apko_version_valid(b))
		return 0;
	if (apko_valid_cmp(a, b) != apko_version_cmp(a, b))
		abort();
	for (unsigned op = 0; op < 16; op++)
		if (apko_valid_match(a, op, b) != apko_version_match(a, op, b))
			abort();
	return 0;
}
