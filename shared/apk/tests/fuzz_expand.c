#include <stdint.h>
#include <string.h>

#include "shared/apk/enttab.h"
#include "shared/apk/pkgread.h"
#include "shared/base/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void control(struct str s, struct arena *a, struct err *err)
{
	struct apk_pkg info;
	struct apk_script *scripts;
	size_t n_scripts;

	if (apk_control_parse(&s, a, &info, &scripts, &n_scripts, err) && info.name.n == 0)
		BUG("a package without a name");
}

static void data_tar(struct str s, struct arena *a, struct err *err)
{
	auto_enttab struct enttab t;
	auto_buf struct buf b = BUF_INIT(64 << 20);
	const struct enttab_stamp stamp = { .size = s.n };
	struct enttab_loaded got;
	struct mem_source src;

	enttab_init(&t);
	mem_source_init(&src, s);
	if (!datatar_scan(&src.src, 1000, &t, err))
		return;
	enttab_write(&t, &stamp, 0, &b);
	if (!enttab_load(buf_str(&b), a, &got) || got.n != t.n)
		BUG("a table that was written does not load");
}

static void table(struct str s, struct arena *a)
{
	struct enttab_stamp stamp = { .size = 1 << 20 };
	struct enttab_loaded got;

	if (s.n < 72)
		return;
	char *copy = arena_dup(a, s.p, s.n);
	memcpy(copy, "apkent\0\1", 8);
	enttab_restamp(copy, s.n, &stamp);
	if (!enttab_load(str_n(copy, s.n), a, &got))
		return;
	for (size_t i = 0; i < got.n; i++)
		if (strlen(got.entries[i].name.p) != got.entries[i].name.n)
			BUG("a name out of bounds");
}

/* The first byte says which reader the rest is for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct str rest = n ? str_n((const char *)data + 1, n - 1) : STR_NONE;

	if (n == 0)
		return 0;
	if (data[0] == 'c')
		control(rest, &a, &err);
	else if (data[0] == 'd')
		data_tar(rest, &a, &err);
	else
		table(rest, &a);
	return 0;
}
