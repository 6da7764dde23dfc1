#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/match.h"
#include "shared/base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pattern and path are divided by the first NUL. A path quoted byte by byte matches itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = str_n((const char *)data, size), pattern, path;
	if (size > 512)
		return 0;
	(void)str_cut(all, 0, &pattern, &path);
	(void)match_glob(pattern, path);
	if (!match_glob(S("**"), path) || !match_glob(S("**/*"), path))
		abort();
	bool plain = true;
	for (size_t i = 0; i < path.n; i++)
		plain = plain && !strchr("*?[\\", path.p[i]);
	if (plain && !match_glob(path, path))
		abort();
	uint64_t bytes;
	int64_t ns;
	(void)num_size(all, &bytes);
	(void)num_duration(all, &ns);
	return 0;
}
