#include "shared/crypto/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define BLOCK "-----BEGIN T-----\naGVsbG8=\n-----END T-----\n"

/* Contents of the blocks of a text, each followed by a comma. */
static void blocks(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "no block\n", "" },
		{ BLOCK, "hello," },
		{ "before\n" BLOCK "between\n" BLOCK "after", "hello,hello," },
		{ "-----BEGIN T-----\r\naGVs\r\nbG8=\r\n-----END T-----", "hello," },
		{ "  -----BEGIN T-----\n aGVs bG8=\n  -----END T-----\n", "hello," },
		{ "-----BEGIN T-----\nProc-Type: 4\n\naGVsbG8=\n-----END T-----\n", "hello," },
		{ "-----BEGIN T-----\naGVsbG8=\n", "" },
		{ "-----BEGIN T-----\naGVsbG8=\n-----END U-----\n" BLOCK, "hello," },
		{ "-----BEGIN T-----\n" BLOCK, "hello," },
		{ "-----BEGIN T-----\na*b=\n-----END T-----\n" BLOCK, "hello," },
		{ "-----BEGIN T----\naGVsbG8=\n-----END T----\n", "" },
	};
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_buf struct buf got = BUF_INIT(1000);
		struct str rest = str_of(cases[i].text);
		struct pem_block b;
		while (pem_next(&rest, &a, &b)) {
			assert_true(str_is(b.type, "T"));
			buf_addstr(&got, b.der);
			buf_addc(&got, ',');
		}
		if (!str_is(buf_str(&got), cases[i].want))
			fail_msg("case %zu: got '%s'", i, got.p);
		assert_false(pem_next(&rest, &a, &b));
	}
}

static void writes_64_columns(void **state)
{
	auto_buf struct buf b = BUF_INIT(1000);
	char bytes[49] = { 0 };
	(void)state;
	pem_write(S("X"), str_n(bytes, sizeof(bytes)), &b);
	assert_string_equal(b.p,
		"-----BEGIN X-----\n"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
		"AA==\n-----END X-----\n");
}

static void no_certificate(void **state)
{
	(void)state;
	assert_false(pem_is_certificate(STR_NONE));
	assert_false(pem_is_certificate(S("0\x03\x02\x01\x05")));
	assert_false(pem_is_certificate(S("text")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks),
		cmocka_unit_test(writes_64_columns),
		cmocka_unit_test(no_certificate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
