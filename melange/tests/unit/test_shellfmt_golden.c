#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "melange/plan/shellfmt.h"
#include "shared/archive/unpack.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/text/jread.h"

/* Texts of real build files before and after the real tool printed them, where the recordings
 * are at hand. */

#define GOLDEN SOURCE_DIR "/../shared/data/compile-golden/"

struct tally {
	size_t equal, refused, other;
};

static void compare(struct str before, struct str after, struct tally *tally)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str got;
	if (!shellfmt(before, &a, &got)) {
		tally->refused++;
	} else if (str_eq(got, after)) {
		tally->equal++;
	} else {
		print_message("differs from\n%.*s\nhere\n%.*s\n", STR_ARG(after), STR_ARG(got));
		tally->other++;
	}
}

static void walk(const struct jval *before, const struct jval *after, struct tally *tally)
{
	if (!before || !after || before->kind != after->kind)
		return;
	for (size_t k = 0; before->kind == JS_ARRAY && k < before->n && k < after->n; k++)
		walk(before->items[k], after->items[k], tally);
	for (size_t k = 0; before->kind == JS_OBJECT && k < before->n; k++) {
		const struct jmember *m = &before->members[k];
		if (str_is(m->key, "runs") && m->val->kind == JS_STR)
			compare(m->val->s, jget_str(after, "runs"), tally);
		else
			walk(m->val, jget(after, m->key.p), tally);
	}
}

static struct jval *load(const char *dir, struct str name, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(64u << 20);
	struct jval *v = NULL;
	const char *path = arena_printf(a, "%s/wolfi/%.*s", dir, STR_ARG(name));
	if (!file_read(path, &b, &err) || !jread(buf_str(&b), path, a, &v, &err))
		fail_msg("%s", err.msg);
	return v;
}

static void test_golden(void **state)
{
	static const struct unpack_opts opts = { 0 };
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct strs names = { 0 };
	struct tally tally = { 0 };
	(void)state;
	if (access(GOLDEN, R_OK) != 0) {
		print_message("no recordings in " GOLDEN "\n");
		skip();
	}
	const char *dir = dir_temp(&a, "shellfmt", &err);
	const char *before = arena_printf(&a, "%s/before", dir);
	const char *after = arena_printf(&a, "%s/after", dir);
	if (!dir_make(before, 0755, &err) || !dir_make(after, 0755, &err) ||
			!unpack_file(GOLDEN "wolfi-unprinted.x86_64.tar.xz", before, &opts, &err) ||
			!unpack_file(GOLDEN "wolfi.x86_64.tar.xz", after, &opts, &err) ||
			!dir_names(arena_printf(&a, "%s/wolfi", before), &a, &names, &err))
		fail_msg("%s", err.msg);
	for (size_t k = 0; k < names.n; k++) {
		auto_arena struct arena one = ARENA_INIT;
		walk(load(before, names.v[k], &one), load(after, names.v[k], &one), &tally);
	}
	assert_true(dir_remove(dir, &err));
	print_message("%zu equal, %zu refused, %zu differ\n", tally.equal, tally.refused,
		tally.other);
	assert_int_equal(tally.other, 0);
	assert_true(tally.equal > 1000);
	/* one there is a <<- document whose continued lines the real tool changes */
	assert_true(tally.refused * 200 < tally.equal);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden) };
	return cmocka_run_group_tests_name("shellfmt golden", tests, NULL, NULL);
}
