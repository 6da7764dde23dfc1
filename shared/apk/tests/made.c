#include "shared/apk/tests/made.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "shared/apk/pkgwrite.h"
#include "shared/os/dir.h"

void made_package(const char *dir, const char *text, const struct sigkey *key,
	const char *key_path, struct pool *pool, struct arena *a, struct made *ret)
{
	auto_err struct err err = ERR_INIT;
	const struct apk_pkg info = { .name = S("foo"), .version = S("1.0-r0"),
		.arch = S("x86_64") };
	const struct pkginfo_extra extra = { 0 };
	const struct pkgwrite_entry e = { .name = S("file"), .type = '0', .mode = 0644,
		.size = strlen(text), .uname = S("root"), .gname = S("root"), .bytes = text };
	struct pkgwrite_result result;

	ret->path = arena_printf(a, "%s/x86_64/foo-1.0-r0.apk", dir);
	assert_true(dir_make(arena_printf(a, "%s/x86_64", dir), 0755, &err));
	const struct pkgwrite w = { .entries = &e, .n = 1, .mtime = 1, .info = &info,
		.extra = &extra, .key = key, .key_path = key_path, .pool = pool,
		.path = ret->path };
	if (!pkgwrite(&w, &result, &err))
		fail_msg("%s", err.msg);
	ret->index = (struct apk_index){ .base = arena_strf(a, "%s/x86_64", dir),
		.arch = S("x86_64"), .is_local = true };
	ret->want = info;
	ret->want.index = &ret->index;
	ret->want.file_size = result.file_size;
	memcpy(ret->want.checksum, result.checksum, SHA1_SIZE);
	ret->want.checksum_n = SHA1_SIZE;
}
