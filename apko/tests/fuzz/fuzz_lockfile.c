#include <stdint.h>
#include <stdlib.h>

#include "apko/build/lockfile.h"

/* Lock files: what is taken out of one can be fetched by name, once each, with a checksum. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct image_solution *s, struct arena *a)
{
	for (size_t i = 0; i < s->set.n; i++) {
		const struct apk_pkg *p = s->set.pkgs[i];
		struct str url = apk_pkg_url(p, a);
		if (!apk_name_ok(p->name) || !apk_version_valid(p->version) || !p->checksum_n ||
			!str_ends(url, arena_strf(a, "/%.*s.apk", STR_ARG(apk_pkg_nv(p, a)))))
			abort();
		for (size_t k = 0; k < i; k++)
			if (str_eq(s->set.pkgs[k]->name, p->name))
				abort();
	}
	if (s->locked.n != s->set.n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ystr lines[] = {
		{S("https://user:pass@packages.test/os"), NULL}, {S("@tag ./repo"), NULL}};
	static const struct imgconf conf = {
		.contents.repositories = {.v = lines, .n = countof(lines)}};
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct image_solution s;
	struct lockfile l;
	if (!lockfile_parse(str_n((const char *)data, size), "lock.json", &a, &l, &err))
		return 0;
	for (size_t i = 0; i < APK_ARCHS; i++)
		if (lockfile_solution(&l, &conf, &apk_archs[i], &a, &s, &err))
			check(&s, &a);
	return 0;
}
