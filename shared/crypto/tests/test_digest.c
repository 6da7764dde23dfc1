#include "shared/crypto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum digest_alg alg;
	const char *text, *hex;
} known[] = {
	{DIGEST_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	{DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
	{DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{DIGEST_SHA512, "abc",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

static void test_known(void **state)
{
	(void)state;
	auto_digest struct digest d = {0};
	for (size_t i = 0; i < countof(known); i++) {
		uint8_t md[DIGEST_MAX];
		char hex[2 * DIGEST_MAX + 1];
		size_t n = digest_size(known[i].alg);
		assert_int_equal(2 * n, strlen(known[i].hex));
		digest_once(known[i].alg, known[i].text, strlen(known[i].text), md);
		hex_encode(md, n, hex);
		assert_string_equal(hex, known[i].hex);
		/* byte by byte, in a context used before for another algorithm */
		digest_init(&d, known[i].alg);
		for (const char *p = known[i].text; *p; p++)
			digest_add(&d, p, 1);
		digest_add(&d, NULL, 0);
		memset(md, 0, sizeof(md));
		digest_final(&d, md);
		hex_encode(md, n, hex);
		assert_string_equal(hex, known[i].hex);
	}
}

static void test_hex(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "0", "012", "0g", "g0", " 0", "0123"};
	uint8_t b[4] = {9, 9, 9, 9};
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(hex_decode(str_of(bad[i]), b, 1));
	assert_int_equal(b[0], 9);
	assert_true(hex_decode(S("00fFAb9c"), b, 4));
	assert_memory_equal(b, "\x00\xff\xab\x9c", 4);
	assert_true(hex_decode(S(""), b, 0));
}

static const struct {
	const char *bytes, *text;
} base64[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xff\xfe\xfb", "//77"},
};

static void test_base64(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(base64); i++) {
		size_t n = strlen(base64[i].bytes);
		uint8_t b[8];
		struct str any;
		assert_string_equal(
			base64_encode(&a, (const uint8_t *)base64[i].bytes, n), base64[i].text);
		assert_true(base64_decode(str_of(base64[i].text), b, n));
		assert_memory_equal(b, base64[i].bytes, n);
		assert_false(base64_decode(str_of(base64[i].text), b, n + 1));
		assert_true(base64_decode_any(&a, str_of(base64[i].text), &any));
		assert_true(str_is(any, base64[i].bytes));
	}
}

static void test_bad_base64(void **state)
{
	(void)state;
	static const char *const bad[] = {"Z", "Zg",
		"Zg=", "Zg===", "====", "Z===", "=Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm-v",
		"Zg==Zg==", " Zm9"};
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(bad); i++) {
		struct str any;
		uint8_t b[8];
		if (base64_decode_any(&a, str_of(bad[i]), &any))
			fail_msg("'%s' was taken", bad[i]);
		for (size_t n = 0; n < 7; n++)
			assert_false(base64_decode(str_of(bad[i]), b, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_bad_base64),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
