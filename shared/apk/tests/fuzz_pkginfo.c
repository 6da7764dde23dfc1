#include <stdint.h>
#include <stdlib.h>
#include "shared/apk/pkginfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct apk_pkg p, again;
	struct pkginfo_extra x = { 0 };
	if (!pkginfo_parse(str_n((const char *)data, size), "fuzz", &a, &p, &err))
		return 0;
	x.licenses = p.license;
	x.namespace_ = p.maintainer;
	pkginfo_write(&p, &x, &out);
	if (!pkginfo_parse(buf_str(&out), "again", &a, &again, &err) ||
		!str_eq(p.name, again.name) || !str_eq(p.depends, again.depends) ||
		p.installed_size != again.installed_size)
		abort();
	return 0;
}
