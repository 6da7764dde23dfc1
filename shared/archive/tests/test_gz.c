#include "shared/archive/gz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define LIMIT (4 << 20)

static void fill_text(struct buf *b, size_t n)
{
	uint32_t x = 7;
	while (b->n < n) {
		x = x * 1664525 + 1013904223;
		buf_printf(b, "line %u of %u\n", x >> 20, x >> 28);
	}
	b->n = n;
}

static void pack(struct str text, struct buf *out)
{
	auto_err struct err err = ERR_INIT;
	if (!gz_deflate(text, 6, out, &err))
		fail_msg("%s", err.msg);
}

static void test_header(void **state)
{
	(void)state;
	static const uint8_t want[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
	for (int level = 1; level <= 12; level++) {
		auto_buf struct buf out = BUF_INIT(LIMIT);
		auto_err struct err err = ERR_INIT;
		assert_true(gz_deflate(S("hello"), level, &out, &err));
		assert_memory_equal(out.p, want, sizeof(want));
	}
	auto_buf struct buf tiny = BUF_INIT(10);
	auto_err struct err err = ERR_INIT;
	assert_false(gz_deflate(S("hello"), 6, &tiny, &err));
	assert_false(gz_deflate(S("hello"), 77, &tiny, &err));
}

static void test_member(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 1000, 65536, 1000000};
	for (size_t i = 0; i < countof(sizes); i++) {
		auto_buf struct buf text = BUF_INIT(LIMIT), gz = BUF_INIT(LIMIT);
		auto_buf struct buf out = BUF_INIT(LIMIT);
		auto_err struct err err = ERR_INIT;
		size_t used = 0;
		fill_text(&text, sizes[i]);
		pack(buf_str(&text), &gz);
		size_t len = gz.n;
		buf_adds(&gz, "whatever follows it");
		buf_adds(&out, "kept ");
		if (!gz_inflate_member(buf_str(&gz), "x", &out, &used, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(used, len);
		assert_int_equal(out.n, sizes[i] + 5);
		assert_memory_equal(out.p, "kept ", 5);
		if (text.n)
			assert_memory_equal(out.p + 5, text.p, text.n);
	}
}

static void test_member_limit(void **state)
{
	(void)state;
	auto_buf struct buf zeros = BUF_INIT(LIMIT), gz = BUF_INIT(LIMIT);
	size_t used;
	buf_addzero(&zeros, 1 << 20);
	pack(buf_str(&zeros), &gz);
	for (size_t max = (1 << 20) - 1; max <= 1 << 20; max++) {
		auto_buf struct buf out = BUF_INIT(max);
		auto_err struct err err = ERR_INIT;
		bool ok = gz_inflate_member(buf_str(&gz), "x", &out, &used, &err);
		assert_int_equal(ok, max == 1 << 20);
		if (!ok)
			assert_string_equal(
				err.msg, "'x': size limit exceeded: limit is 1048575 bytes");
	}
}

/* Reads the rest of the member by steps of n. */
static bool read_member(struct gz_source *g, size_t n, struct buf *out, struct err *err)
{
	char *block = test_malloc(n);
	ssize_t got;
	while ((got = source_read(&g->src, block, n, err)) > 0)
		buf_add(out, block, (size_t)got);
	test_free(block);
	return got == 0;
}

static void test_stream(void **state)
{
	(void)state;
	static const size_t steps[] = {1, 512, 100000, 1 << 20};
	auto_buf struct buf a = BUF_INIT(LIMIT), b = BUF_INIT(LIMIT), gz = BUF_INIT(LIMIT);
	fill_text(&a, 10000);
	fill_text(&b, 900000);
	pack(buf_str(&a), &gz);
	size_t first = gz.n;
	pack(buf_str(&b), &gz);
	size_t second = gz.n;
	pack(S(""), &gz);
	for (size_t i = 0; i < countof(steps); i++) {
		auto_buf struct buf out = BUF_INIT(LIMIT), tapped = BUF_INIT(LIMIT);
		auto_err struct err err = ERR_INIT;
		struct mem_source mem;
		struct buf_sink tap;
		struct gz_source g;
		bool more = false;
		mem_source_init(&mem, buf_str(&gz));
		buf_sink_init(&tap, &tapped);
		assert_true(gz_open(&g, &mem.src, "x", &err));
		assert_true(read_member(&g, steps[i], &out, &err));
		assert_int_equal(out.n, a.n);
		assert_memory_equal(out.p, a.p, a.n);
		assert_int_equal(g.in_total, first);
		assert_true(gz_more(&g, &more, &err));
		assert_true(more);
		assert_true(gz_next(&g, &err));
		g.tap = &tap.sink;
		buf_clear(&out);
		assert_true(read_member(&g, steps[i], &out, &err));
		assert_int_equal(out.n, b.n);
		assert_memory_equal(out.p, b.p, b.n);
		assert_int_equal(g.in_total, second);
		assert_int_equal(g.out_total, a.n + b.n);
		assert_int_equal(tapped.n, second - first);
		assert_memory_equal(tapped.p, gz.p + first, tapped.n);
		assert_true(gz_next(&g, &err));
		assert_true(read_member(&g, steps[i], &out, &err));
		assert_int_equal(out.n, b.n);
		assert_true(gz_more(&g, &more, &err));
		assert_false(more);
		gz_close(&g);
		gz_close(&g);
	}
}

static bool read_all(struct str gz, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(LIMIT);
	struct mem_source mem;
	struct gz_source g;
	mem_source_init(&mem, gz);
	if (!gz_open(&g, &mem.src, "x", err))
		return false;
	bool ok = read_member(&g, 4096, &out, err);
	if (!ok) {
		auto_err struct err again = ERR_INIT;
		assert_false(read_member(&g, 4096, &out, &again));
		assert_non_null(again.msg);
	}
	gz_close(&g);
	return ok;
}

/* Every byte matters, both ways of reading; the three of the header that say nothing excepted. */
static void test_damage(void **state)
{
	(void)state;
	auto_buf struct buf text = BUF_INIT(LIMIT), gz = BUF_INIT(LIMIT);
	fill_text(&text, 300);
	pack(buf_str(&text), &gz);
	for (size_t i = 0; i < gz.n; i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(LIMIT);
		size_t used;
		if (i >= 3 && i < GZ_HEADER_SIZE)
			continue;
		gz.p[i] ^= 1;
		assert_false(read_all(buf_str(&gz), &err));
		assert_int_equal(err.kind, EK_PARSE);
		assert_false(gz_inflate_member(buf_str(&gz), "x", &out, &used, &err));
		assert_int_equal(out.n, 0);
		gz.p[i] ^= 1;
	}
	for (size_t n = 0; n < gz.n; n++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(LIMIT);
		size_t used;
		assert_false(read_all(str_n(gz.p, n), &err));
		assert_string_equal(err.msg, "unexpected end of 'x'");
		assert_false(gz_inflate_member(str_n(gz.p, n), "x", &out, &used, &err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_member),
		cmocka_unit_test(test_member_limit),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
