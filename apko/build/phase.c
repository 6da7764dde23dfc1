#include "apko/build/phase.h"

#include "shared/base/log.h"
#include "shared/base/tstamp.h"

int64_t phase_begin(void)
{
	return tstamp_mono_ns();
}

void phase_end(int64_t *at, const char *name)
{
	int64_t now = tstamp_mono_ns();
	log_debug("phase %s: %.1f ms", name, (double)(now - *at) / 1e6);
	*at = now;
}
