#include <stdint.h>
#include <stdlib.h>
#include "shared/apk/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two versions, split at the first line end: each order is the other's mirror. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str a, b;
	struct apko_version va, vb;
	(void)str_cut(str_n((const char *)data, size), '\n', &a, &b);
	if (apk_version_cmp(a, b) != -apk_version_cmp(b, a) || apk_version_cmp(a, a))
		abort();
	apko_version_parse(a, &va);
	apko_version_parse(b, &vb);
	if (apko_version_cmp(&va, &vb) != -apko_version_cmp(&vb, &va))
		abort();
	if (va.valid && !apko_version_match(&va, APK_OP_FUZZY, &va))
		abort();
	return 0;
}
