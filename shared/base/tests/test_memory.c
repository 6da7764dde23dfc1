#include "shared/base/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/ids.h"
#include "shared/base/map.h"
#include "shared/base/vec.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#if defined(WATCHED) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define is_poisoned(p) __asan_address_is_poisoned(p)
#define POISONS true
#else
#define is_poisoned(p) ((void)(p), false)
#define POISONS false
#endif

static bool all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void test_arena_alloc(void **state)
{
	(void)state;
	static const size_t sizes[] = {
		0, 1, 15, 16, 17, 1000, 4000, 5000, 100000, 1 << 20, 3 << 20, 7};
	auto_arena struct arena a = ARENA_INIT;
	char *got[countof(sizes) * 50];
	size_t n = 0;
	for (size_t round = 0; round < 50; round++) {
		for (size_t i = 0; i < countof(sizes); i++) {
			size_t size = round && sizes[i] > 5000 ? 33 : sizes[i];
			char *p = arena_alloc(&a, size);
			assert_int_equal((uintptr_t)p % 16, 0);
			assert_true(all_zero(p, size));
			/* what was given before must not be touched */
			memset(p, (int)(n % 250) + 1, size);
			got[n++] = p;
		}
	}
	for (size_t i = 0; i < n; i++) {
		size_t size = i >= countof(sizes) && sizes[i % countof(sizes)] > 5000
				      ? 33
				      : sizes[i % countof(sizes)];
		for (size_t j = 0; j < size; j += size / 8 + 1)
			assert_int_equal((unsigned char)got[i][j], i % 250 + 1);
	}
	assert_true(a.used >= 4 << 20);
	arena_release(&a);
	assert_null(a.head);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 1));
}

/* Blocks are filled with pages a step at a time: nothing shows where one ends. */
static void test_arena_steps(void **state)
{
	(void)state;
	static char *got[30000];
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(got); i++) {
		size_t size = i % 997 ? 300 : 150000;
		got[i] = arena_alloc(&a, size);
		assert_true(all_zero(got[i], size));
		memset(got[i], (int)(i % 250) + 1, size);
	}
	for (size_t i = 0; i < countof(got); i++) {
		assert_int_equal((unsigned char)got[i][0], i % 250 + 1);
		assert_int_equal((unsigned char)got[i][i % 997 ? 299 : 149999], i % 250 + 1);
	}
}

static void test_arena_poison(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	char *p = arena_alloc(&a, 10), *q = arena_alloc(&a, 16);
	assert_false(is_poisoned(p));
	assert_false(is_poisoned(p + 9));
	assert_int_equal(is_poisoned(p + 10), POISONS);
	assert_false(is_poisoned(q + 15));
	assert_int_equal(is_poisoned(q + 16), POISONS);
}

static void test_arena_text(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	assert_string_equal(arena_strdup(&a, "abc"), "abc");
	assert_string_equal(arena_strndup(&a, "abcdef", 2), "ab");
	assert_string_equal(arena_str(&a, S("x\0y")).p, "x");
	assert_int_equal(arena_str(&a, STR_NONE).n, 0);
	assert_string_equal(arena_str(&a, STR_NONE).p, "");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "up"), "7-up");
	assert_true(str_is(arena_strf(&a, "%5d", 42), "   42"));
	int numbers[] = {1, 2, 3};
	assert_memory_equal(arena_dup(&a, numbers, sizeof(numbers)), numbers, sizeof(numbers));
	long *longs = arena_array(&a, long, 100);
	assert_true(all_zero((char *)longs, 100 * sizeof(long)));
}

static void test_arena_adopt(void **state)
{
	(void)state;
	auto_arena struct arena to = ARENA_INIT;
	struct arena from = ARENA_INIT, empty = ARENA_INIT;
	char *kept = arena_strdup(&from, "kept"), *large = arena_alloc(&from, 50000);
	arena_adopt(&to, &empty);
	assert_null(to.head);
	size_t used = from.used;
	arena_adopt(&to, &from);
	assert_null(from.head);
	assert_int_equal(from.used, 0);
	assert_int_equal(to.used, used);
	char *own = arena_strdup(&to, "own");
	arena_release(&from);
	struct arena second = ARENA_INIT;
	char *more = arena_strdup(&second, "more");
	arena_adopt(&to, &second);
	assert_string_equal(kept, "kept");
	assert_string_equal(own, "own");
	assert_string_equal(more, "more");
	assert_true(all_zero(large, 50000));
}

static void test_buf(void **state)
{
	(void)state;
	auto_buf struct buf b = BUF_INIT(10);
	assert_true(str_is(buf_str(&b), ""));
	buf_adds(&b, "abc");
	buf_addc(&b, 'd');
	buf_addstr(&b, S("ef"));
	buf_addstr(&b, STR_NONE);
	buf_printf(&b, "%d", 12);
	assert_string_equal(b.p, "abcdef12");
	buf_addzero(&b, 2);
	assert_int_equal(b.n, 10);
	assert_false(b.over);
	buf_add(&b, "", 0);
	assert_false(b.over);
	buf_addc(&b, 'x');
	assert_true(b.over);
	assert_int_equal(b.n, 10);
	buf_clear(&b);
	assert_false(b.over);
	buf_adds(&b, "short");
	buf_adds(&b, "too long");
	assert_true(b.over);
	/* once over, always over: no hole in the middle */
	buf_adds(&b, "y");
	assert_string_equal(b.p, "short");
	assert_null(buf_room(&b, 1));
}

static void test_buf_room_and_steal(void **state)
{
	(void)state;
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);
	char *empty = buf_steal(&b);
	assert_string_equal(empty, "");
	free(empty);
	for (int i = 0; i < 1000; i++)
		memcpy(buf_room(&b, 10), "0123456789", 10), b.n += 10;
	buf_addc(&b, '!');
	assert_int_equal(b.n, 10001);
	assert_int_equal(strlen(b.p), 10001);
	char *p = buf_steal(&b);
	assert_int_equal(b.n, 0);
	assert_null(b.p);
	assert_int_equal(b.max, BUF_NOLIMIT);
	assert_memory_equal(p + 9990, "0123456789!", 12);
	free(p);
	assert_null(buf_room(&b, BUF_NOLIMIT + 1));
}

static void test_err(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT, other = ERR_INIT;
	assert_false(err_set(&err, EK_TRUST, "key '%s'", "k"));
	assert_int_equal(err.kind, EK_TRUST);
	assert_string_equal(err.msg, "key 'k'");
	assert_false(err_wrap(&err, "package '%s'", "p"));
	assert_false(err_hint(&err, "add %d", 1));
	assert_string_equal(err.msg, "package 'p': key 'k'\nhint: add 1");
	assert_int_equal(err.kind, EK_TRUST);
	/* the old text may be part of the new one */
	assert_false(err_set(&err, EK_OTHER, "again: %s", err.msg));
	assert_string_equal(err.msg, "again: package 'p': key 'k'\nhint: add 1");
	errno = ENOENT;
	assert_false(err_sys(&other, "cannot open '%s'", "f"));
	assert_int_equal(other.kind, EK_NOTFOUND);
	assert_string_equal(other.msg, "cannot open 'f': No such file or directory");
	assert_false(err_move(&err, &other));
	assert_null(other.msg);
	assert_int_equal(other.kind, EK_NONE);
	assert_int_equal(err.kind, EK_NOTFOUND);
	assert_false(err_move(&err, &err));
	assert_string_equal(err.msg, "cannot open 'f': No such file or directory");
	err_release(&err);
	assert_false(err_hint(&err, "alone"));
	assert_string_equal(err.msg, "hint: alone");
	assert_int_equal(err.kind, EK_OTHER);
	err_release(&err);
	assert_false(err_wrap(&err, "alone"));
	assert_string_equal(err.msg, "alone");
}

static void test_err_at(void **state)
{
	(void)state;
	static const struct {
		struct pos pos;
		const char *want;
	} cases[] = {
		{{"f.yaml", 3, 7}, "f.yaml:3:7: bad 'x'"},
		{{"f.yaml", 3, 0}, "f.yaml:3: bad 'x'"},
		{{"f.yaml", 0, 7}, "f.yaml: bad 'x'"},
		{{NULL, 3, 7}, "bad 'x'"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		assert_false(err_at(&err, cases[i].pos, "bad '%s'", "x"));
		assert_string_equal(err.msg, cases[i].want);
		assert_int_equal(err.kind, EK_PARSE);
	}
}

static void test_vec(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	VEC(int) v = {0};
	for (int i = 0; i < 1000; i++)
		vec_push(&a, &v, i * i);
	assert_int_equal(v.n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.v[i], i * i);
}

static void test_strs(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct strs list = {0};
	strs_sort(&list);
	strs_uniq(&list);
	assert_int_equal(list.n, 0);
	static const char *const words[] = {"b", "a", "c", "a", "", "b", "ab", "\xff"};
	for (size_t i = 0; i < countof(words); i++)
		strs_push(&a, &list, str_of(words[i]));
	strs_sort(&list);
	strs_uniq(&list);
	static const char *const want[] = {"", "a", "ab", "b", "c", "\xff"};
	assert_int_equal(list.n, countof(want));
	for (size_t i = 0; i < countof(want); i++)
		assert_true(str_is(list.v[i], want[i]));
	assert_true(strs_has(&list, S("ab")));
	assert_false(strs_has(&list, S("abc")));
}

static void test_map(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_map struct map m;
	map_init(&m, &a);
	assert_null(map_first(&m));
	assert_null(map_get(&m, S("x")));
	int one = 1, two = 2, three = 3;
	assert_null(map_put(&m, S("one"), &one));
	assert_null(map_put(&m, S("two"), &two));
	assert_null(map_put(&m, STR_NONE, &three));
	assert_null(map_put(&m, S("none"), NULL));
	assert_ptr_equal(map_put(&m, S("one"), &three), &one);
	assert_int_equal(m.n, 4);
	assert_ptr_equal(map_get(&m, S("one")), &three);
	assert_ptr_equal(map_get(&m, S("")), &three);
	assert_true(map_has(&m, S("none")));
	assert_null(map_get(&m, S("none")));
	assert_false(map_has(&m, S("on")));
	assert_ptr_equal(map_del(&m, S("two")), &two);
	assert_null(map_del(&m, S("two")));
	static const char *const want[] = {"one", "", "none"};
	size_t n = 0;
	for (struct map_entry *e = map_first(&m); e; e = map_next(e), n++)
		assert_true(str_is(map_key(e), want[n]));
	assert_int_equal(n, 3);
	assert_ptr_equal(map_val(map_first(&m)), &three);
}

static void test_map_many(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_map struct map m;
	map_init(&m, &a);
	for (size_t i = 0; i < 20000; i++) {
		struct str key = arena_strf(&a, "key-%zu", i * 7919 % 20000);
		assert_null(map_put(&m, key, (void *)(uintptr_t)(i + 1)));
	}
	size_t i = 0;
	for (struct map_entry *e = map_first(&m); e; e = map_next(e))
		assert_int_equal((uintptr_t)map_val(e), ++i);
	assert_int_equal(i, 20000);
	for (i = 0; i < 20000; i += 2)
		assert_non_null(map_del(&m, arena_strf(&a, "key-%zu", i)));
	assert_int_equal(m.n, 10000);
	for (i = 0; i < 20000; i++)
		assert_int_equal(map_has(&m, arena_strf(&a, "key-%zu", i)), i % 2);
}

static void test_ids(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct ids m = { 0 };
	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t *at = ids_at(&m, &a, i * 858993u);
		assert_int_equal(*at, 0);
		*at = i + 1;
	}
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(*ids_at(&m, &a, i * 858993u), i + 1);
	assert_int_equal(*ids_at(&m, &a, UINT32_MAX - 1), 0);
	assert_int_equal(m.n, 5001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_alloc),
		cmocka_unit_test(test_arena_steps),
		cmocka_unit_test(test_arena_poison),
		cmocka_unit_test(test_arena_text),
		cmocka_unit_test(test_arena_adopt),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_room_and_steal),
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_err_at),
		cmocka_unit_test(test_vec),
		cmocka_unit_test(test_strs),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_many),
		cmocka_unit_test(test_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
