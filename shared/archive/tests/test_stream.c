#include "shared/archive/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/archive/zs.h"

#define LIMIT (4 << 20)

static int temp_file(const char *text)
{
	char path[] = "/tmp/stream.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void test_mem(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	struct mem_source m;
	char b[8];
	mem_source_init(&m, S("0123456789"));
	assert_int_equal(source_read(&m.src, b, 3, &err), 3);
	assert_true(source_skip(&m.src, 2, "m", &err));
	assert_true(source_read_full(&m.src, b, 4, "m", &err));
	assert_memory_equal(b, "5678", 4);
	assert_false(source_read_full(&m.src, b, 4, "m", &err));
	assert_int_equal(err.kind, EK_PARSE);
	assert_string_equal(err.msg, "unexpected end of 'm'");
	assert_int_equal(source_read(&m.src, b, 4, &err), 0);
	assert_false(source_skip(&m.src, 1, "m", &err));
	assert_false(source_skip(&m.src, UINT64_MAX, "m", &err));
}

static void test_file(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(LIMIT);
	int fd = temp_file("0123456789");
	struct fd_source f;
	char b[20];
	fd_source_init(&f, fd, 2, 8, "f");
	assert_int_equal(source_read(&f.src, b, 20, &err), 6);
	assert_memory_equal(b, "234567", 6);
	assert_int_equal(source_read(&f.src, b, 20, &err), 0);
	fd_source_init(&f, fd, 2, 8, "f");
	assert_true(source_skip(&f.src, 4, "f", &err));
	assert_true(source_read_all(&f.src, "f", &out, &err));
	assert_string_equal(out.p, "67");
	assert_false(source_skip(&f.src, 1, "f", &err));
	/* the range promises more than there is */
	fd_source_init(&f, fd, 8, 12, "f");
	assert_int_equal(source_read(&f.src, b, 20, &err), 2);
	assert_int_equal(source_read(&f.src, b, 20, &err), -1);
	assert_string_equal(err.msg, "unexpected end of 'f'");
	assert_int_equal(source_read(&f.src, b, 20, &err), -1);
	close(fd);
	fd_source_init(&f, -1, 0, 12, "f");
	assert_int_equal(source_read(&f.src, b, 20, &err), -1);
	assert_non_null(strstr(err.msg, "cannot read 'f': "));
}

static void test_limit(void **state)
{
	(void)state;
	for (uint64_t limit = 0; limit < 12; limit++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(LIMIT);
		struct mem_source m;
		struct limit_source l;
		char b;
		mem_source_init(&m, S("0123456789"));
		limit_source_init(&l, &m.src, limit, "l");
		assert_int_equal(source_read_all(&l.src, "l", &out, &err), limit >= 10);
		if (limit >= 10)
			continue;
		assert_true(strncmp(err.msg, "'l': size limit exceeded: limit is ", 35) == 0);
		assert_int_equal(source_read(&l.src, &b, 1, &err), -1);
	}
}

static void test_read_all_bound(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(9);
	struct mem_source m;
	mem_source_init(&m, S("0123456789"));
	assert_false(source_read_all(&m.src, "m", &out, &err));
	assert_string_equal(err.msg, "'m': size limit exceeded: limit is 9 bytes");
}

static void test_sinks(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf big = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT), small = BUF_INIT(10);
	uint8_t md[SHA256_SIZE], want[SHA256_SIZE];
	struct mem_source m;
	struct buf_sink b;
	struct hash_sink h;
	buf_addzero(&big, 1000000);
	mem_source_init(&m, buf_str(&big));
	buf_sink_init(&b, &out);
	hash_sink_init(&h, DIGEST_SHA256, &b.sink);
	assert_true(source_copy(&m.src, &h.sink, &err));
	assert_int_equal(h.n, big.n);
	digest_final(&h.d, md);
	digest_release(&h.d);
	digest_once(DIGEST_SHA256, big.p, big.n, want);
	assert_memory_equal(md, want, sizeof(md));
	assert_int_equal(out.n, big.n);
	buf_sink_init(&b, &small);
	mem_source_init(&m, buf_str(&big));
	assert_false(source_copy(&m.src, &b.sink, &err));
	assert_string_equal(err.msg, "size limit exceeded: limit is 10 bytes");
}

static void test_fd_sink(void **state)
{
	(void)state;
	auto_err struct err err = ERR_INIT;
	int fd = temp_file("");
	struct fd_sink s;
	char b[4];
	fd_sink_init(&s, fd, "s");
	assert_true(sink_write(&s.sink, "ab", 2, &err));
	assert_true(sink_write(&s.sink, "cd", 2, &err));
	assert_int_equal(s.n, 4);
	assert_int_equal(pread(fd, b, 4, 0), 4);
	assert_memory_equal(b, "abcd", 4);
	close(fd);
	fd_sink_init(&s, -1, "s");
	assert_false(sink_write(&s.sink, "ab", 2, &err));
	assert_false(sink_write(&s.sink, "ab", 2, &err));
	assert_string_equal(err.msg, "writing 's' failed before");
}

/* Compresses in steps of n. */
static void zs_pack(struct str text, int level, size_t n, struct buf *out)
{
	auto_err struct err err = ERR_INIT;
	struct buf_sink b;
	struct zs_sink z;
	buf_sink_init(&b, out);
	assert_true(zs_open(&z, level, &b.sink, &err));
	for (; text.n; text = str_from(text, n))
		assert_true(sink_write(&z.sink, text.p, n < text.n ? n : text.n, &err));
	if (!zs_end(&z, &err))
		fail_msg("%s", err.msg);
	zs_close(&z);
	zs_close(&z);
}

static void test_zstd(void **state)
{
	(void)state;
	auto_buf struct buf text = BUF_INIT(LIMIT), a = BUF_INIT(LIMIT), b = BUF_INIT(LIMIT);
	auto_buf struct buf out = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	for (unsigned i = 0; text.n < 1500000; i++)
		buf_printf(&text, "%u %x\n", i, i * 2654435761U);
	zs_pack(buf_str(&text), 3, text.n, &a);
	zs_pack(buf_str(&text), 3, 1000, &b);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	/* a second frame behind the first, an empty one at last */
	zs_pack(S("end"), 1, 1, &a);
	zs_pack(STR_NONE, 1, 1, &a);
	if (!zs_inflate(buf_str(&a), "z", &out, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(out.n, text.n + 3);
	assert_memory_equal(out.p, text.p, text.n);
	assert_string_equal(out.p + text.n, "end");
}

static void test_zstd_bad(void **state)
{
	(void)state;
	auto_buf struct buf zeros = BUF_INIT(LIMIT), z = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	struct zs_sink sink;
	buf_addzero(&zeros, 1 << 20);
	zs_pack(buf_str(&zeros), 1, 4096, &z);
	for (size_t max = (1 << 20) - 1; max <= 1 << 20; max++) {
		auto_buf struct buf out = BUF_INIT(max);
		bool ok = zs_inflate(buf_str(&z), "z", &out, &err);
		assert_int_equal(ok, max == 1 << 20);
	}
	assert_string_equal(err.msg, "'z': size limit exceeded: limit is 1048575 bytes");
	for (size_t n = 0; n < z.n; n++) {
		auto_buf struct buf out = BUF_INIT(LIMIT);
		assert_false(zs_inflate(str_n(z.p, n), "z", &out, &err));
		assert_int_equal(err.kind, EK_PARSE);
	}
	z.p[z.n - 1] ^= 1;
	auto_buf struct buf out = BUF_INIT(LIMIT);
	assert_false(zs_inflate(buf_str(&z), "z", &out, &err));
	assert_false(zs_open(&sink, 99, NULL, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_read_all_bound),
		cmocka_unit_test(test_sinks),
		cmocka_unit_test(test_fd_sink),
		cmocka_unit_test(test_zstd),
		cmocka_unit_test(test_zstd_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
