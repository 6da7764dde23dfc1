#include "shared/archive/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define L10 "0123456789"
#define L50 L10 L10 L10 L10 L10
#define L100 L50 L50

/* One header block, its parts given as text; the checksum is worked out here, apart from the
 * code under test. */
struct block {
	const char *name, *mode, *size, *mtime, *link, *uname, *gname, *dev, *prefix;
	char type;
};

static void put(char *at, const char *text)
{
	if (text)
		memcpy(at, text, strlen(text));
}

static void make_block(const struct block *b, char h[512])
{
	memset(h, 0, 512);
	put(h, b->name);
	put(h + 100, b->mode ? b->mode : "0000644");
	put(h + 108, "0000000");
	put(h + 116, "0000000");
	put(h + 124, b->size ? b->size : "00000000000");
	put(h + 136, b->mtime ? b->mtime : "00000000000");
	h[156] = b->type ? b->type : '0';
	put(h + 157, b->link);
	memcpy(h + 257,
		"ustar\0"
		"00",
		8);
	put(h + 265, b->uname);
	put(h + 297, b->gname);
	put(h + 329, b->dev ? b->dev : b->type == 'x' ? "" : "0000000");
	put(h + 337, b->type == 'x' ? "" : "0000000");
	put(h + 345, b->prefix);
	unsigned sum = 8 * ' ';
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	h[155] = ' ';
}

static void expect_header(const struct tar_entry *e, const struct block *pax, const char *records,
	const struct block *main)
{
	auto_buf struct buf out = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	char h[512];
	if (pax) {
		make_block(pax, h);
		buf_add(&want, h, sizeof(h));
		buf_adds(&want, records);
		buf_addzero(&want, tar_padding(want.n));
	}
	make_block(main, h);
	buf_add(&want, h, sizeof(h));
	if (!tar_header(e, &out, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
}

static void test_plain(void **state)
{
	(void)state;
	struct tar_entry e = {.name = S("usr/bin/x"),
		.type = '0',
		.mode = 04755,
		.size = 9,
		.mtime = 8,
		.uname = S("root"),
		.gname = S("wheel")};
	expect_header(&e, NULL, NULL,
		&(struct block){.name = "usr/bin/x",
			.mode = "0004755",
			.size = "00000000011",
			.mtime = "00000000010",
			.uname = "root",
			.gname = "wheel"});
	e = (struct tar_entry){.name = S("l"), .type = '2', .mode = 0777, .link = S("to")};
	expect_header(&e, NULL, NULL,
		&(struct block){.name = "l", .mode = "0000777", .type = '2', .link = "to"});
	e = (struct tar_entry){.name = S("c"), .type = '3', .mode = 0644, .major = 10};
	expect_header(&e, NULL, NULL, &(struct block){.name = "c", .type = '3', .dev = "0000012"});
	e = (struct tar_entry){.name = S(L100), .type = '0', .mode = 0644, .mtime = 077777777777};
	expect_header(&e, NULL, NULL, &(struct block){.name = L100, .mtime = "77777777777"});
}

static void test_split(void **state)
{
	(void)state;
	struct tar_entry e = {.name = S("abcd/" L50 "/" L50), .type = '0', .mode = 0644};
	expect_header(&e, NULL, NULL, &(struct block){.prefix = "abcd/" L50, .name = L50});
	e.name = S(L50 L100 "abcde/" L100);
	expect_header(&e, NULL, NULL, &(struct block){.prefix = L50 L100 "abcde", .name = L100});
	/* a slash at the very end is no place to split */
	e.name = S("ab/" L100 "/");
	e.type = '5';
	expect_header(&e,
		&(struct block){
			.name = "ab/" L100, .mode = "0000000", .type = 'x', .size = "00000000162"},
		"114 path=ab/" L100 "/\n",
		&(struct block){.name = "ab/" L50 L10 L10 L10 L10 "0123456", .type = '5'});
}

static void test_pax_records(void **state)
{
	(void)state;
	struct tar_pax recs[] = {
		{S("b"), S("two")},
		{S("SCHILY.xattr.user.x"), S("1=2\n3")},
	};
	struct tar_entry e = {
		.name = S("dir/file"), .type = '0', .mode = 0644, .pax = {recs, 2, 2}};
	expect_header(&e,
		&(struct block){.name = "dir/PaxHeaders.0/file",
			.type = 'x',
			.mode = "0000000",
			.size = "00000000045"},
		"29 SCHILY.xattr.user.x=1=2\n3\n8 b=two\n", &(struct block){.name = "dir/file"});
	e.name = S("top");
	e.pax.n = 1;
	expect_header(&e,
		&(struct block){.name = "PaxHeaders.0/top",
			.type = 'x',
			.mode = "0000000",
			.size = "00000000010"},
		"8 b=two\n", &(struct block){.name = "top"});
}

static void test_pax_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *header;
	} cases[] = {
		{"/x", "/PaxHeaders.0/x"},
		{"./a/b", "a/PaxHeaders.0/b"},
		{"a//b", "a/PaxHeaders.0/b"},
		{"d/", "d/PaxHeaders.0"},
		{"a/..", "a"},
		{"a/.", "a/PaxHeaders.0"},
		{"\xc3\xa4/b", "/PaxHeaders.0/b"},
	};
	struct tar_pax rec = {S("k"), S("v")};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_buf struct buf out = BUF_INIT(4096);
		auto_err struct err err = ERR_INIT;
		struct tar_entry e = {
			.name = str_of(cases[i].name), .type = '5', .pax = {&rec, 1, 1}};
		assert_true(tar_header(&e, &out, &err));
		assert_string_equal(out.p, cases[i].header);
	}
}

/* What does not fit goes into records, and its field is zero or cut. */
static void test_too_large(void **state)
{
	(void)state;
	struct tar_entry e = {
		.name = S("f"), .type = '0', .mode = 0644, .size = 0100000000000, .mtime = -1};
	expect_header(&e,
		&(struct block){.name = "PaxHeaders.0/f",
			.type = 'x',
			.mode = "0000000",
			.size = "00000000037"},
		"12 mtime=-1\n19 size=8589934592\n", &(struct block){.name = "f"});
	e.size = 0;
	e.mtime = 0100000000000;
	expect_header(&e,
		&(struct block){.name = "PaxHeaders.0/f",
			.type = 'x',
			.mode = "0000000",
			.size = "00000000024"},
		"20 mtime=8589934592\n", &(struct block){.name = "f"});
	e.mtime = 0;
	e.name = S("a\xc3\xa4"
		   "b");
	expect_header(&e,
		&(struct block){.name = "PaxHeaders.0/ab",
			.type = 'x',
			.mode = "0000000",
			.size = "00000000015"},
		"13 path=a\xc3\xa4"
		"b\n",
		&(struct block){.name = "ab"});
}

static void test_length_counts_itself(void **state)
{
	(void)state;
	/* values around the lengths where the number gains a digit */
	static const struct {
		size_t val;
		const char *start;
	} cases[] = {{4, "9 k="}, {5, "11 k="}, {92, "98 k="}, {93, "99 k="}, {94, "101 k="},
		{992, "999 k="}, {993, "1001 k="}};
	char text[1000];
	memset(text, 'v', sizeof(text));
	for (size_t i = 0; i < countof(cases); i++) {
		auto_buf struct buf out = BUF_INIT(8192);
		auto_err struct err err = ERR_INIT;
		struct tar_pax rec = {S("k"), str_n(text, cases[i].val)};
		struct tar_entry e = {.name = S("f"), .type = '0', .pax = {&rec, 1, 1}};
		assert_true(tar_header(&e, &out, &err));
		assert_memory_equal(out.p + 512, cases[i].start, strlen(cases[i].start));
		assert_int_equal(out.p[511 + atoi(cases[i].start)], '\n');
	}
}

static void test_unwritable(void **state)
{
	(void)state;
	struct tar_pax bad[] = {{S("a=b"), S("")}, {S("path"), S("x")}, {S(""), S("x")}};
	const struct tar_entry cases[] = {
		{.type = '0'},
		{.name = S("a\0b"), .type = '0'},
		{.name = S("a"), .type = 'S'},
		{.name = S("a"), .type = '0', .mode = 0100644},
		{.name = S("a"), .type = '0', .uid = -1},
		{.name = S("a"), .type = '5', .size = 1},
		{.name = S("a"), .type = '3', .major = 010000000},
		{.name = S("a"), .type = '2', .link = S("x\0y")},
		{.name = S("a"), .type = '0', .pax = {bad, 1, 1}},
		{.name = S("a"), .type = '0', .pax = {bad + 1, 1, 1}},
		{.name = S("a"), .type = '0', .pax = {bad + 2, 1, 1}},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_buf struct buf out = BUF_INIT(8192);
		auto_err struct err err = ERR_INIT;
		assert_false(tar_header(&cases[i], &out, &err));
		assert_int_equal(out.n, 0);
		assert_non_null(err.msg);
	}
	auto_buf struct buf small = BUF_INIT(600);
	auto_err struct err err = ERR_INIT;
	struct tar_entry e = {.name = S("a"), .type = '0'};
	assert_true(tar_header(&e, &small, &err));
	assert_false(tar_header(&e, &small, &err));
	assert_int_equal(small.n, 512);
}

/* An archive made of raw blocks, and what reading it must give. */
struct archive_text {
	struct buf bytes;
	struct arena arena;
	struct mem_source src;
	struct tar_reader r;
	struct err err;
};

static void at_setup(struct archive_text *t)
{
	*t = (struct archive_text){.bytes = BUF_INIT(8 << 20)};
}

static void at_block(struct archive_text *t, const struct block *b)
{
	char h[512];
	make_block(b, h);
	buf_add(&t->bytes, h, sizeof(h));
}

static void at_content(struct archive_text *t, struct str s)
{
	buf_addstr(&t->bytes, s);
	buf_addzero(&t->bytes, tar_padding(s.n));
}

static void at_special(struct archive_text *t, char type, struct str body)
{
	char size[16];
	snprintf(size, sizeof(size), "%011zo", body.n);
	at_block(t, &(struct block){.name = "special", .type = type, .size = size});
	at_content(t, body);
}

static void at_open(struct archive_text *t)
{
	mem_source_init(&t->src, buf_str(&t->bytes));
	tar_reader_init(&t->r, &t->src.src, "test.tar", &t->arena);
}

static void at_release(struct archive_text *t)
{
	buf_release(&t->bytes);
	arena_release(&t->arena);
	err_release(&t->err);
}

static void next_is(struct archive_text *t, struct tar_entry *ret_e)
{
	if (tar_next(&t->r, ret_e, &t->err) != 1)
		fail_msg("%s", t->err.msg ? t->err.msg : "the archive ends");
}

static void str_equals(struct str a, const char *b)
{
	if (!str_is(a, b))
		fail_msg("'%.*s' is not '%s'", STR_ARG(a), b);
}

static void test_read(void **state)
{
	(void)state;
	struct archive_text t;
	struct tar_entry e;
	char block[16];
	at_setup(&t);
	at_block(&t, &(struct block){.name = "a/", .type = '5', .mode = "0001777"});
	at_block(&t, &(struct block){.name = "b",
			     .size = "00000000003",
			     .prefix = "a",
			     .uname = "u",
			     .gname = "g"});
	at_content(&t, S("xyz"));
	at_block(&t, &(struct block){.name = "a/c", .type = '2', .link = "b"});
	at_block(&t, &(struct block){.name = "skipped", .size = "00000001001"});
	at_content(&t, S(L100 L100 L100 L100 L100 "0123456789012"));
	at_block(&t, &(struct block){.name = "dev", .type = '4', .dev = "0000010"});
	buf_addzero(&t.bytes, TAR_END_SIZE);
	at_open(&t);
	next_is(&t, &e);
	str_equals(e.name, "a/");
	assert_int_equal(e.type, '5');
	assert_int_equal(e.mode, 01777);
	next_is(&t, &e);
	str_equals(e.name, "a/b");
	str_equals(e.uname, "u");
	str_equals(e.gname, "g");
	assert_int_equal(e.size, 3);
	assert_int_equal(tar_read(&t.r, block, 2, &t.err), 2);
	assert_int_equal(tar_read(&t.r, block + 2, 9, &t.err), 1);
	assert_int_equal(tar_read(&t.r, block, 9, &t.err), 0);
	assert_memory_equal(block, "xyz", 3);
	next_is(&t, &e);
	str_equals(e.link, "b");
	next_is(&t, &e);
	next_is(&t, &e);
	assert_int_equal(e.major, 8);
	assert_int_equal(tar_next(&t.r, &e, &t.err), 0);
	assert_true(t.r.ended);
	assert_int_equal(t.r.at, t.bytes.n);
	assert_true(tar_finish(&t.r, &t.err));
	at_release(&t);
}

static void test_read_records(void **state)
{
	(void)state;
	struct archive_text t;
	struct tar_entry e;
	at_setup(&t);
	at_special(&t, 'g', S("17 comment=hello\n"));
	at_special(&t, 'x',
		S("12 path=p/q\n9 uid=70\n15 mtime=-1.51\n8 k=a\0b\n14 linkpath=l\n"
		  "9 uname=\n15 size=000001\n"));
	at_block(&t, &(struct block){.name = "short", .uname = "kept"});
	at_content(&t, S("z"));
	at_special(&t, 'L', S(L100 L50 "\0"));
	at_special(&t, 'K', S(L50 L100 "\0\0"));
	at_block(&t, &(struct block){.name = "cut", .type = '1', .link = "cut"});
	at_open(&t);
	next_is(&t, &e);
	str_equals(e.name, "p/q");
	str_equals(e.uname, "kept");
	str_equals(e.link, "");
	assert_int_equal(e.uid, 70);
	assert_int_equal(e.mtime, -2);
	assert_int_equal(e.size, 1);
	assert_int_equal(e.pax.n, 1);
	str_equals(e.pax.v[0].key, "k");
	assert_int_equal(e.pax.v[0].val.n, 3);
	next_is(&t, &e);
	str_equals(e.name, L100 L50);
	str_equals(e.link, L50 L100);
	assert_int_equal(e.pax.n, 0);
	assert_int_equal(tar_next(&t.r, &e, &t.err), 0);
	assert_false(t.r.ended);
	at_release(&t);
}

static void test_mtime(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t t;
	} cases[] = {{"7", 7}, {"7.", 7}, {"7.4999", 7}, {"7.5", 8}, {"-0.4", 0}, {"-0.5", 0},
		{"-0.500", 0}, {"-0.5001", -1}, {"-7.6", -8}};
	for (size_t i = 0; i < countof(cases); i++) {
		struct archive_text t;
		struct tar_entry e;
		char rec[64];
		at_setup(&t);
		snprintf(rec, sizeof(rec), "%zu mtime=%s\n", strlen(cases[i].text) + 10,
			cases[i].text);
		/* one digit of length where the record is shorter than ten bytes */
		if (strlen(rec) != (size_t)atoi(rec))
			snprintf(rec, sizeof(rec), "%zu mtime=%s\n", strlen(cases[i].text) + 9,
				cases[i].text);
		at_special(&t, 'x', str_of(rec));
		at_block(&t, &(struct block){.name = "f"});
		at_open(&t);
		next_is(&t, &e);
		assert_int_equal(e.mtime, cases[i].t);
		at_release(&t);
	}
}

static void expect_refused(struct archive_text *t, const char *part)
{
	struct tar_entry e;
	int got;
	at_open(t);
	while ((got = tar_next(&t->r, &e, &t->err)) > 0)
		continue;
	assert_int_equal(got, -1);
	assert_int_equal(t->err.kind, EK_PARSE);
	if (!strstr(t->err.msg, part))
		fail_msg("'%s' does not say '%s'", t->err.msg, part);
	assert_int_equal(tar_next(&t->r, &e, &t->err), -1);
	at_release(t);
}

static void test_bad_records(void **state)
{
	(void)state;
	static const struct {
		char type;
		struct str body;
		const char *part;
	} cases[] = {
		{'x', S("99 k=v\n"), "malformed pax record"},
		{'x', S("6 k=v\n7"), "malformed pax record"},
		{'x', S("5 k=v\n"), "malformed pax record"},
		{'x', S("5 kv\n"), "malformed pax record"},
		{'x', S("5 =v\n"), "malformed pax record"},
		{'x', S("-6 k=v\n"), "malformed pax record"},
		{'x', S("99999999999999999999999 k=v\n"), "malformed pax record"},
		{'x', S("\0\0\0\0"), "malformed pax record"},
		{'x', S("12 path=a\0b\n"), "impossible value"},
		{'x', S("11 size=-1\n"), "impossible value"},
		{'x', S("28 size=9223372036854775808\n"), "impossible value"},
		{'x', S("10 uid=-1\n"), "impossible value"},
		{'x', S("12 mtime=1x\n"), "impossible value"},
		{'x', S("14 mtime=1.2e\n"), "impossible value"},
		{'x', S("22 GNU.sparse.major=1\n"), "sparse"},
		{'g', S("9 path=x\n"), "global pax record"},
		{'L', S("a\0b"), "NUL in a long name"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct archive_text t;
		at_setup(&t);
		at_special(&t, cases[i].type, cases[i].body);
		at_block(&t, &(struct block){.name = "f"});
		buf_addzero(&t.bytes, TAR_END_SIZE);
		expect_refused(&t, cases[i].part);
	}
}

static void test_bad_headers(void **state)
{
	(void)state;
	static const struct {
		struct block b;
		const char *part;
	} cases[] = {
		{{.name = "f", .size = "-0000000001"}, "impossible number"},
		{{.name = "f", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
			"impossible number"},
		{{.name = "f", .size = "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
			"impossible number"},
		{{.name = "f", .mode = "8"}, "impossible number"},
		{{.name = "f", .type = 'S'}, "unknown type"},
		{{.name = "f", .type = '5', .size = "00000000001"}, "there can be none"},
		{{.name = "f", .size = "00000000001"}, "unexpected end of 'test.tar'"},
		{{.name = "f", .type = 'x', .size = "00010000000"}, "more than 1 MiB"},
		{{.name = "f", .type = 'x', .size = "00000000000"}, "without an entry"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct archive_text t;
		at_setup(&t);
		at_block(&t, &cases[i].b);
		expect_refused(&t, cases[i].part);
	}
}

static void test_bad_archives(void **state)
{
	(void)state;
	struct archive_text t;
	at_setup(&t);
	at_block(&t, &(struct block){.name = "f"});
	t.bytes.p[0] = 'g';
	expect_refused(&t, "checksum");
	at_setup(&t);
	at_block(&t, &(struct block){.name = "f"});
	memcpy(t.bytes.p + 257, "tsuar", 5);
	expect_refused(&t, "unknown kind");
	at_setup(&t);
	buf_addzero(&t.bytes, 512);
	at_block(&t, &(struct block){.name = "f"});
	expect_refused(&t, "lone zero block");
	at_setup(&t);
	buf_addzero(&t.bytes, 100);
	expect_refused(&t, "unexpected end");
	at_setup(&t);
	for (int i = 0; i < 257; i++)
		buf_adds(&t.bytes, "6 k=v\n");
	struct buf body = t.bytes;
	at_setup(&t);
	at_special(&t, 'x', buf_str(&body));
	buf_release(&body);
	expect_refused(&t, "more than 256");
}

static void test_after_end(void **state)
{
	(void)state;
	struct archive_text t;
	struct tar_entry e;
	at_setup(&t);
	buf_addzero(&t.bytes, TAR_END_SIZE);
	at_content(&t, S("again"));
	at_open(&t);
	assert_int_equal(tar_next(&t.r, &e, &t.err), 0);
	assert_true(t.r.ended);
	assert_false(tar_finish(&t.r, &t.err));
	at_release(&t);
	at_setup(&t);
	at_open(&t);
	assert_int_equal(tar_next(&t.r, &e, &t.err), 0);
	assert_false(t.r.ended);
	at_release(&t);
}

/* Large numbers in base 256 and the two older kinds of header. */
static void test_old_kinds(void **state)
{
	(void)state;
	struct archive_text t;
	struct tar_entry e;
	at_setup(&t);
	at_block(&t, &(struct block){.name = "big", .mtime = "\x80\1\1\1\1\1\1\1\1\1\1\1"});
	at_open(&t);
	assert_int_equal(tar_next(&t.r, &e, &t.err), -1);
	at_release(&t);
	at_setup(&t);
	at_block(&t, &(struct block){.name = "old",
			     .mtime = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"});
	at_block(&t, &(struct block){.name = "old/", .mtime = "           "});
	char *h = t.bytes.p + 512;
	memset(h + 257, 0, 8);
	h[156] = '\0';
	memcpy(h + 345, "pre", 3);
	memset(h + 148, ' ', 8);
	unsigned sum = 0;
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	at_open(&t);
	next_is(&t, &e);
	assert_int_equal(e.mtime, -2);
	next_is(&t, &e);
	str_equals(e.name, "old/");
	assert_int_equal(e.type, '5');
	at_release(&t);
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *stored, *name;
	} cases[] = {
		{"a/b", "a/b"},
		{"./a/", "a"},
		{".a", ".a"},
		{"a..b", "a..b"},
		{"../a", NULL},
		{"a/../b", NULL},
		{"/a", NULL},
		{"././a", NULL},
		{"a//b", NULL},
		{"", NULL},
		{"./", NULL},
		{".", NULL},
		{"a\nb", NULL},
		{"a//", NULL},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct str name;
		bool ok = tar_name_ok(str_of(cases[i].stored), &name);
		assert_int_equal(ok, cases[i].name != NULL);
		if (ok)
			str_equals(name, cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_pax_records),
		cmocka_unit_test(test_pax_names),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_length_counts_itself),
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_records),
		cmocka_unit_test(test_mtime),
		cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_bad_archives),
		cmocka_unit_test(test_after_end),
		cmocka_unit_test(test_old_kinds),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
