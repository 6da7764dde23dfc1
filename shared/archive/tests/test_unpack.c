#include "shared/archive/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/os/dir.h"
#include "shared/os/fd.h"

struct member {
	const char *name;
	mode_t mode;      /* with the type; 0 for a hard link */
	const char *text; /* content or link target */
};

struct fixture {
	struct arena arena;
	char *top, *dir, *file;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->top = dir_temp(&f->arena, "unpack", &f->err);
	f->dir = arena_printf(&f->arena, "%s/in/to", f->top);
	f->file = arena_printf(&f->arena, "%s/x.archive", f->top);
	*state = f;
	return f->top && dir_make(f->dir, 0755, &f->err) ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	bool ok = dir_remove(f->top, &f->err);
	arena_release(&f->arena);
	err_release(&f->err);
	free(f);
	return ok ? 0 : -1;
}

typedef int setting(struct archive *a);

static void make(
	struct fixture *f, setting *format, setting *filter, const struct member *m, size_t n)
{
	struct archive *a = archive_write_new();
	assert_int_equal(format(a), ARCHIVE_OK);
	assert_int_equal(filter(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, f->file), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *e = archive_entry_new();
		bool regular = S_ISREG(m[i].mode);
		archive_entry_copy_pathname(e, m[i].name);
		archive_entry_set_mode(e, m[i].mode ? m[i].mode : S_IFREG | 0644);
		archive_entry_set_mtime(e, 1000000, 0);
		if (!m[i].mode)
			archive_entry_copy_hardlink(e, m[i].text);
		if (S_ISLNK(m[i].mode))
			archive_entry_copy_symlink(e, m[i].text);
		archive_entry_set_size(e, regular ? (la_int64_t)strlen(m[i].text) : 0);
		/* a name outside the C locale earns a warning */
		assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
		if (regular)
			assert_int_equal(archive_write_data(a, m[i].text, strlen(m[i].text)),
				strlen(m[i].text));
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}

static void expect_file(struct fixture *f, const char *name, const char *text, mode_t mode)
{
	auto_buf struct buf got = BUF_INIT(1 << 20);
	struct stat st;
	char *path = arena_printf(&f->arena, "%s/%s", f->dir, name);
	if (!file_read(path, &got, &f->err))
		fail_msg("%s", f->err.msg);
	assert_string_equal(got.p ? got.p : "", text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_mtime, 1000000);
}

static const struct member plain[] = {
	{"./pkg-1/", S_IFDIR | 0775, ""},
	{"pkg-1/script", S_IFREG | 04777, "#!/bin/sh\n"},
	{"./pkg-1//sub/deep/f", S_IFREG | 0400, "deep"},
	{"pkg-1/link", S_IFLNK | 0777, "script"},
	{"pkg-1/away", S_IFLNK | 0777, "/nonexistent"},
	{"pkg-1/\xc3\xa4", S_IFREG | 0644, "umlaut"},
};

static void test_formats(void **state)
{
	static const struct {
		setting *format, *filter;
	} kinds[] = {
		{archive_write_set_format_ustar, archive_write_add_filter_none},
		{archive_write_set_format_pax, archive_write_add_filter_gzip},
		{archive_write_set_format_gnutar, archive_write_add_filter_bzip2},
		{archive_write_set_format_ustar, archive_write_add_filter_xz},
		{archive_write_set_format_ustar, archive_write_add_filter_zstd},
		{archive_write_set_format_zip, archive_write_add_filter_none},
	};
	struct fixture *f = *state;
	mode_t was = umask(077);
	for (size_t i = 0; i < countof(kinds); i++) {
		struct unpack_opts opts = {.strip_components = 1};
		char *path = arena_printf(&f->arena, "%s/sub/deep/f", f->dir);
		make(f, kinds[i].format, kinds[i].filter, plain, countof(plain));
		(void)unlink(path);
		if (!unpack_file(f->file, f->dir, &opts, &f->err))
			fail_msg("%s", f->err.msg);
		expect_file(f, "script", "#!/bin/sh\n", 0755);
		expect_file(f, "link", "#!/bin/sh\n", 0755);
		expect_file(f, "sub/deep/f", "deep", 0600);
		expect_file(f, "\xc3\xa4", "umlaut", 0644);
		assert_int_equal(access(arena_printf(&f->arena, "%s/away", f->dir), F_OK), -1);
	}
	umask(was);
	if (!unpack_file(f->file, f->dir, NULL, &f->err))
		fail_msg("%s", f->err.msg);
	expect_file(f, "pkg-1/script", "#!/bin/sh\n", 0755);
}

static void test_hard_link(void **state)
{
	static const struct member m[] = {
		{"p/a", S_IFREG | 0644, "text"},
		{"p/b", 0, "p/a"},
	};
	struct fixture *f = *state;
	struct unpack_opts opts = {.strip_components = 1};
	struct stat st;
	make(f, archive_write_set_format_ustar, archive_write_add_filter_none, m, countof(m));
	if (!unpack_file(f->file, f->dir, &opts, &f->err))
		fail_msg("%s", f->err.msg);
	expect_file(f, "b", "text", 0644);
	assert_int_equal(stat(arena_printf(&f->arena, "%s/a", f->dir), &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

/* Nothing may come to lie outside, and each is refused with a reason. */
static void test_escapes(void **state)
{
	static const struct {
		struct member m[2];
		const char *part;
	} cases[] = {
		{{{"../evil", S_IFREG | 0644, "x"}}, "unsafe name"},
		{{{"a/../../evil", S_IFREG | 0644, "x"}}, "unsafe name"},
		{{{"/tmp/evil", S_IFREG | 0644, "x"}}, "absolute name"},
		{{{"a\nb", S_IFREG | 0644, "x"}}, "unsafe name"},
		{{{"l", S_IFLNK | 0777, ".."}, {"l/evil", S_IFREG | 0644, "x"}}, "l"},
		{{{"m", S_IFLNK | 0777, "/tmp"}, {"m/evil", S_IFREG | 0644, "x"}}, "m"},
		{{{"h", 0, "../../x.archive"}}, "unsafe name"},
		{{{"h", 0, "/etc/passwd"}}, "absolute name"},
		{{{"dev", S_IFCHR | 0644, ""}}, "neither file"},
		{{{"fifo", S_IFIFO | 0644, ""}}, "neither file"},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < countof(cases); i++) {
		make(f, archive_write_set_format_gnutar, archive_write_add_filter_none, cases[i].m,
			cases[i].m[1].name ? 2 : 1);
		assert_false(unpack_file(f->file, f->dir, NULL, &f->err));
		assert_int_equal(f->err.kind, EK_PARSE);
		if (!strstr(f->err.msg, cases[i].part))
			fail_msg("'%s' does not say '%s'", f->err.msg, cases[i].part);
	}
	assert_int_equal(access(arena_printf(&f->arena, "%s/in/evil", f->top), F_OK), -1);
	assert_int_equal(access(arena_printf(&f->arena, "%s/evil", f->top), F_OK), -1);
	assert_int_equal(access("/tmp/evil", F_OK), -1);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	struct unpack_opts opts = {.max_bytes = 19};
	make(f, archive_write_set_format_ustar, archive_write_add_filter_none, plain, 5);
	assert_false(unpack_file(f->file, f->dir, &(struct unpack_opts){.max_bytes = 13}, &f->err));
	assert_non_null(strstr(f->err.msg, "more than 13 bytes"));
	assert_false(
		unpack_file(f->file, f->dir, &(struct unpack_opts){.max_entries = 4}, &f->err));
	assert_non_null(strstr(f->err.msg, "more than 4 entries"));
	opts.max_entries = 5;
	if (!unpack_file(f->file, f->dir, &opts, &f->err))
		fail_msg("%s", f->err.msg);
}

static void test_no_archive(void **state)
{
	struct fixture *f = *state;
	assert_true(file_write(f->file, "hello\n", 6, 0644, &f->err));
	assert_false(unpack_file(f->file, f->dir, NULL, &f->err));
	assert_false(unpack_file("/nonexistent", f->dir, NULL, &f->err));
	assert_non_null(strstr(f->err.msg, "'/nonexistent'"));
	assert_false(unpack_file(f->file, "/nonexistent", NULL, &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hard_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_archive, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
