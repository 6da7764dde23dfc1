#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/os/fd.h"

/* What the tools that define the encoding wrote, read and written again: every header must come
 * out as it was. The real files are not part of the repository. */

#define DATA SOURCE_DIR "/../shared/data/"
#define LIMIT ((size_t)1 << 30)

static size_t reencode_all(struct str tar, const char *name)
{
	auto_arena struct arena arena = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	size_t count = 0;
	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, name, &arena);
	for (;; count++) {
		auto_buf struct buf again = BUF_INIT(1 << 20);
		struct tar_entry e;
		uint64_t from = r.at + r.left + r.pad;
		int got = tar_next(&r, &e, &err);
		if (got < 0)
			fail_msg("%s", err.msg);
		if (!got)
			break;
		if (!tar_header(&e, &again, &err))
			fail_msg("%s", err.msg);
		if (again.n != r.at - from || memcmp(again.p, tar.p + from, again.n) != 0)
			fail_msg("'%s': entry '%.*s' at byte %llu is encoded differently", name,
				STR_ARG(e.name), (unsigned long long)from);
	}
	assert_true(tar_finish(&r, &err));
	return count;
}

static void inflate_xz(const char *path, struct buf *out)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	la_ssize_t n;
	char block[65536];
	archive_read_support_filter_xz(a);
	archive_read_support_format_raw(a);
	assert_int_equal(archive_read_open_filename(a, path, sizeof(block)), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	while ((n = archive_read_data(a, block, sizeof(block))) > 0)
		buf_add(out, block, (size_t)n);
	assert_int_equal(n, 0);
	assert_false(out->over);
	archive_read_free(a);
}

/* All members of an .apk are one archive. */
static void inflate_members(const char *path, struct buf *out)
{
	auto_buf struct buf file = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	if (!file_read(path, &file, &err))
		fail_msg("%s", err.msg);
	for (struct str rest = buf_str(&file); rest.n;) {
		size_t used;
		if (!gz_inflate_member(rest, path, out, &used, &err))
			fail_msg("%s", err.msg);
		rest = str_from(rest, used);
	}
}

static void check_files(const char *pattern, void (*inflate)(const char *path, struct buf *out))
{
	glob_t g;
	size_t entries = 0;
	if (glob(pattern, GLOB_BRACE, NULL, &g) != 0) {
		print_message("no recorded files here, nothing to compare\n");
		skip();
	}
	for (size_t i = 0; i < g.gl_pathc; i++) {
		auto_buf struct buf tar = BUF_INIT(LIMIT);
		inflate(g.gl_pathv[i], &tar);
		entries += reencode_all(buf_str(&tar), g.gl_pathv[i]);
	}
	print_message("%zu files, %zu entries\n", g.gl_pathc, entries);
	globfree(&g);
	assert_true(entries > 0);
}

static void test_layers(void **state)
{
	(void)state;
	check_files(DATA "image-golden/*/expected/*.tar.xz", inflate_xz);
}

static void test_packages(void **state)
{
	(void)state;
	check_files(DATA "{build-golden/*/expected,apks/lint,apks/sca,apks/sign,apks/wolfi}/*.apk",
		inflate_members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_packages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
