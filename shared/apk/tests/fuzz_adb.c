#include <stdint.h>
#include <string.h>

#include "shared/apk/adbindex.h"
#include "shared/apk/adbpkg.h"
#include "shared/apk/tests/adb_dump.h"
#include "shared/base/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MOST (16u << 20)

/* A file: compression, blocks, then what a package or an index makes of it. */
static void file(struct str s, struct arena *a, struct err *err)
{
	auto_adb_source struct adb_source src = { 0 };
	struct mem_source mem;
	struct adb_file f;
	struct adb_head h;
	struct adb_pkg p;
	uint32_t crc;

	mem_source_init(&mem, s);
	if (!adb_source_open(&src, &mem.src, "x", err) || !adb_file_begin(&f, &src.src, "x", err) ||
	    !adb_head_read(&f, NULL, MOST, a, &h, err) || !adb_check(&h.adb, "x", err) ||
	    h.adb.schema != ADB_SCHEMA_PACKAGE || !adb_pkg_parse(&h, "x", 1000, a, &p, err))
		return;
	if (adb_pkg_data(&f, &h, &p, -1, &crc, err) && p.data_size > 1024ull * s.n * 1024)
		BUG("more data than can have come");
}

static void index_file(struct str s, struct arena *a, struct err *err)
{
	const struct index_read_opts o = { .name = "x", .max_inflated = MOST };
	struct apk_index idx = { 0 };

	if (!adb_index_is(s) || !index_read(s, &o, a, &idx, err))
		return;
	for (size_t i = 0; i < idx.n; i++) {
		idx.pkgs[i].index = &idx;
		if (!apk_pkg_url(&idx.pkgs[i], a).n || !apk_name_ok(idx.pkgs[i].name))
			BUG("a package without a name or a place");
	}
}

/* Values alone: nothing in front of them has to be right. */
static void values(struct str s, uint32_t schema, struct arena *a, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(MOST);
	struct adb_head h = { .adb = { schema, s } };
	const struct index_read_opts o = { .name = "x", .max_inflated = MOST };
	struct str text, description;
	struct adb_pkg p;

	if (!adb_check(&h.adb, "x", err) || !adb_dump_values(&h.adb, &out, err))
		return;
	if (schema == ADB_SCHEMA_PACKAGE)
		(void)!adb_pkg_parse(&h, "x", 1000, a, &p, err);
	else if (schema == ADB_SCHEMA_INDEX)
		(void)!adb_index_text(&h, &o, a, &text, &description, err);
}

/* The first byte says which reader the rest is for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct str rest = n ? str_n((const char *)data + 1, n - 1) : STR_NONE;

	if (n == 0)
		return 0;
	switch (data[0]) {
	case 'f':
		file(rest, &a, &err);
		break;
	case 'i':
		index_file(rest, &a, &err);
		break;
	case 'p':
		values(rest, ADB_SCHEMA_PACKAGE, &a, &err);
		break;
	case 'n':
		values(rest, ADB_SCHEMA_INDEX, &a, &err);
		break;
	default:
		values(rest, ADB_SCHEMA_INSTALLED, &a, &err);
	}
	return 0;
}
