#include <stdint.h>
#include <stdlib.h>

#include "apko/oci/challenge.h"

/* What a registry asks for credentials with: values are parts of the header. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str part, struct str whole)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n((const char *)data, size);
	struct challenge c;
	if (!challenge_parse(text, &c))
		return 0;
	if (!c.scheme.n)
		abort();
	check(c.scheme, text);
	check(c.realm, text);
	check(c.service, text);
	check(c.scope, text);
	return 0;
}
