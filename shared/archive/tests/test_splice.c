#include "shared/archive/splice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "shared/archive/gz.h"
#include "shared/archive/lastblock.h"

#define LIMIT (16 << 20)

/* Kinds of content that make the encoder choose different kinds of blocks. */
static void fill(char *p, size_t n, unsigned kind)
{
	uint32_t x = 1 + kind;
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		switch (kind) {
		case 0: /* incompressible: stored blocks */
			p[i] = (char)(x >> 24);
			break;
		case 1:
			p[i] = 0;
			break;
		case 2: /* few symbols, few matches */
			p[i] = "abcd"[x >> 30];
			break;
		case 3: /* skewed: long codes */
			p[i] = (char)__builtin_clz(x | 1);
			break;
		case 4: /* changes its nature: several blocks */
			p[i] = i / 9000 % 2 ? (char)(x >> 24) : "the quick brown fox "[i % 20];
			break;
		default: /* short matches */
			p[i] = i % 5 < 3 ? (char)(i / 5 % 251) : (char)(x >> 29);
		}
	}
}
#define KINDS 6

static void read_back(const struct buf *gz, const char *p, size_t n)
{
	auto_buf struct buf out = BUF_INIT(LIMIT), streamed = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	struct mem_source mem;
	struct gz_source g;
	size_t used;
	if (!gz_inflate_member(buf_str(gz), "spliced", &out, &used, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(used, gz->n);
	assert_int_equal(out.n, n);
	assert_memory_equal(out.p, p, n);
	mem_source_init(&mem, buf_str(gz));
	assert_true(gz_open(&g, &mem.src, "spliced", &err));
	if (!source_read_all(&g.src, "spliced", &streamed, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(g.in_total, gz->n);
	gz_close(&g);
	assert_int_equal(streamed.n, n);
	assert_memory_equal(streamed.p, p, n);
}

static void join_one(struct splice_enc *e, const char *p, size_t n)
{
	auto_buf struct buf piece_bytes = BUF_INIT(LIMIT), gz = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	struct splice_piece piece;
	struct splice_join j;
	struct buf_sink out;
	buf_sink_init(&out, &gz);
	assert_true(splice_deflate(e, p, n, &piece_bytes, &piece, &err));
	assert_int_equal(piece.raw, n);
	assert_int_equal(piece.deflated, piece_bytes.n);
	assert_true(splice_begin(&j, &out.sink, &err));
	assert_true(splice_add(&j, &piece, piece_bytes.p, &err));
	assert_true(splice_end(&j, &err));
	read_back(&gz, p, n);
}

static void test_round_trip(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 2, 3, 7, 50, 63, 64, 1000, 9001, 65535, 65536, 65537,
		200000, 262143, 262144, 262145, 700001};
	static const int levels[] = {1, 2, 3, 4, 5, 6, 9};
	char *p = malloc(sizes[countof(sizes) - 1]);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		fill(p, sizes[countof(sizes) - 1], kind);
		for (size_t l = 0; l < countof(levels); l++) {
			struct splice_enc *e = splice_enc_new(levels[l]);
			for (size_t i = 0; i < countof(sizes); i++)
				join_one(e, p, sizes[i]);
			splice_enc_free(e);
		}
	}
	free(p);
}

/* Every length, so that streams end at every bit. */
static void test_every_length(void **state)
{
	(void)state;
	struct splice_enc *e = splice_enc_new(3);
	char p[700];
	for (unsigned kind = 0; kind < KINDS; kind++) {
		fill(p, sizeof(p), kind);
		for (size_t n = 0; n <= sizeof(p); n++)
			join_one(e, p, n);
	}
	splice_enc_free(e);
}

static void test_many_pieces(void **state)
{
	(void)state;
	enum { PIECES = 40, SIZE = 20000 };
	auto_buf struct buf gz = BUF_INIT(LIMIT), content = BUF_INIT(LIMIT);
	auto_buf struct buf bytes = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	struct splice_piece pieces[PIECES];
	size_t at[PIECES];
	struct splice_enc *e = splice_enc_new(SPLICE_LEVEL_PACKAGE);
	char *p = malloc(SIZE);
	/* made in the other order than joined */
	for (unsigned i = PIECES; i-- > 0;) {
		at[i] = bytes.n;
		fill(p, SIZE, i % KINDS);
		assert_true(
			splice_deflate(e, p, i % 7 ? SIZE - 13 * i : 0, &bytes, &pieces[i], &err));
	}
	struct splice_join j;
	struct buf_sink out;
	buf_sink_init(&out, &gz);
	assert_true(splice_begin(&j, &out.sink, &err));
	for (unsigned i = 0; i < PIECES; i++) {
		fill(p, SIZE, i % KINDS);
		buf_add(&content, p, (size_t)pieces[i].raw);
		if (i % 2) {
			assert_true(splice_add(&j, &pieces[i], bytes.p + at[i], &err));
			continue;
		}
		buf_add(&gz, bytes.p + at[i], (size_t)pieces[i].deflated);
		splice_account(&j, &pieces[i]);
	}
	assert_true(splice_end(&j, &err));
	assert_int_equal(j.raw, content.n);
	assert_int_equal(GZ_HEADER_SIZE + j.deflated + 2 + GZ_TRAILER_SIZE, gz.n);
	read_back(&gz, content.p, content.n);
	splice_enc_free(e);
	free(p);
}

static void test_same_bytes(void **state)
{
	(void)state;
	auto_buf struct buf a = BUF_INIT(LIMIT), b = BUF_INIT(LIMIT);
	auto_err struct err err = ERR_INIT;
	struct splice_piece pa, pb;
	struct splice_enc *used = splice_enc_new(1), *fresh = splice_enc_new(1);
	char *p = malloc(100000);
	fill(p, 100000, 2);
	assert_true(splice_deflate(used, p, 100000, &a, &pa, &err));
	fill(p, 100000, 4);
	buf_clear(&a);
	assert_true(splice_deflate(used, p, 100000, &a, &pa, &err));
	assert_true(splice_deflate(fresh, p, 100000, &b, &pb, &err));
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	assert_int_equal(pa.crc, pb.crc);
	assert_string_equal(splice_encoder_id(), splice_encoder_id());
	assert_non_null(strstr(splice_encoder_id(), "libdeflate-"));
	splice_enc_free(used);
	splice_enc_free(fresh);
	free(p);
}

static void test_no_room(void **state)
{
	(void)state;
	auto_buf struct buf out = BUF_INIT(100);
	auto_err struct err err = ERR_INIT;
	struct splice_piece piece;
	struct splice_enc *e = splice_enc_new(1);
	char p[1000];
	fill(p, sizeof(p), 0);
	buf_adds(&out, "kept");
	assert_false(splice_deflate(e, p, sizeof(p), &out, &piece, &err));
	assert_int_equal(out.n, 4);
	splice_enc_free(e);
}

/* The end found must be the true one: nothing but what it says may follow the last block. */
static void test_last_block(void **state)
{
	(void)state;
	static const struct {
		uint8_t bytes[8 + LAST_BLOCK_SLACK];
		size_t n;
		bool ok;
		uint64_t start, end;
	} cases[] = {
		{{3, 0}, 2, true, 0, 10},                /* fixed, empty */
		{{1, 0, 0, 0xff, 0xff}, 5, true, 0, 40}, /* stored, empty */
		{{0, 0, 0, 0xff, 0xff, 3, 0}, 7, true, 40, 50},
		{{1, 1, 0, 0xfe, 0xff, 'x'}, 6, true, 0, 48},
		{{0}, 0, false, 0, 0},
		{{3}, 1, false, 0, 0},
		{{3, 0, 0}, 3, false, 0, 0}, /* goes on after its end */
		{{7, 0}, 2, false, 0, 0},    /* no such type */
		{{1, 1, 0, 0xff, 0xff, 'x'}, 6, false, 0, 0},
		{{1, 2, 0, 0xfd, 0xff, 'x'}, 6, false, 0, 0},
		{{2, 0}, 2, false, 0, 0}, /* no final block */
		{{5, 0xff, 0xff, 0xff}, 4, false, 0, 0},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct last_block last = {0};
		bool ok = last_block_find(cases[i].bytes, cases[i].n, &last);
		assert_int_equal(ok, cases[i].ok);
		assert_int_equal(last.start, cases[i].start);
		assert_int_equal(last.end, cases[i].end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_many_pieces),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_last_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
