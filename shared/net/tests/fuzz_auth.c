#include <stdint.h>
#include "shared/net/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct auth auth = { 0 };

	(void)!auth_add_netrc(&auth, text, "netrc", &a, &err);
	(void)!auth_add_http_auth(&auth, text, &a, &err);
	for (size_t i = 0; i < auth.n; i++)
		(void)auth_header(&auth.v[i].cred, &a);
	return 0;
}
