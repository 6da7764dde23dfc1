#include <stdint.h>
#include <stdlib.h>

#include "melange/config/load.h"
#include "melange/plan/compile.h"
#include "shared/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A build file from bytes to its compiled form. What it is written out as is read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf json = BUF_INIT(BUF_NOLIMIT), yaml = BUF_INIT(BUF_NOLIMIT);
	const struct load_opts lo = { .commit = "unknown" };
	const struct compile_opts co = { .arch = apk_arch_find(S("x86_64")) };
	struct config c, compiled, again;

	log_setup(LOG_ERROR + 1, 2);
	if (!config_parse(str_n((const char *)data, size), "f.yaml", &lo, &a, &c, &err) ||
		!config_compile(&c, &co, &a, &compiled, &err))
		return 0;
	if (!config_json(&compiled, &json, &err) || !config_yaml(&compiled, &yaml, &err))
		abort();
	if (!config_parse(buf_str(&yaml), "again.yaml", &lo, &a, &again, &err))
		abort();
	return 0;
}
