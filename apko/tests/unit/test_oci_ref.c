#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "apko/oci/ref.h"
#include "apko/oci/words.h"
#include "shared/base/buf.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *want;	/* REGISTRY REPO TAG DIGEST */
} good[] = {
	{ "golden", "index.docker.io library/golden latest -" },
	{ "golden:1", "index.docker.io library/golden 1 -" },
	{ "docker.io/golden:1", "index.docker.io library/golden 1 -" },
	{ "team/app", "index.docker.io team/app latest -" },
	{ "localhost/app:v1", "localhost app v1 -" },
	{ "localhost:5000/team/app:v1", "localhost:5000 team/app v1 -" },
	{ "localhost:5000", "index.docker.io library/localhost 5000 -" },
	{ "ghcr.io/a/b/c", "ghcr.io a/b/c latest -" },
	{ "a.example/bb@sha256:" HEX, "a.example bb - sha256:" HEX },
	{ "a.example/bb:t@sha256:" HEX, "a.example bb t sha256:" HEX },
	{ "tt:A_b.c-9", "index.docker.io library/tt A_b.c-9 -" },
};

static const struct {
	const char *text, *says;
} bad[] = {
	{ "", "must have 2 to 255 characters" },
	{ "t:1", "must have 2 to 255 characters" },
	{ "UPPER/Case:1", "repository 'UPPER/Case' may only hold" },
	{ "tt:", "tag '' must have 1 to 128" },
	{ "tt:a b", "tag 'a b' may only hold" },
	{ "a.b/", "must have 2 to 255" },
	{ "a.b c/dd", "registry 'a.b c' may only hold" },
	{ "tt@sha256:12", "is no digest" },
	{ "tt@md5:" HEX, "is no digest" },
};

static void references(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct oci_ref r;
	(void)state;
	for (size_t i = 0; i < countof(good); i++) {
		if (!oci_ref_parse(str_of(good[i].text), &a, &r, &err))
			fail_msg("%s", err.msg);
		struct str dash = S("-"), tag = r.tag.n ? r.tag : dash;
		struct str digest = r.digest.n ? r.digest : dash;
		assert_string_equal(arena_printf(&a, "%.*s %.*s %.*s %.*s", STR_ARG(r.registry),
					    STR_ARG(r.repo), STR_ARG(tag), STR_ARG(digest)),
			good[i].want);
	}
	for (size_t i = 0; i < countof(bad); i++) {
		assert_false(oci_ref_parse(str_of(bad[i].text), &a, &r, &err));
		assert_int_equal(err.kind, EK_USAGE);
		if (!strstr(err.msg, bad[i].says))
			fail_msg("'%s' says: %s", bad[i].text, err.msg);
		err_release(&err);
	}
}

static void tags(void **state)
{
	static const char *const want[][2] = {
		{ "x86_64", "index.docker.io/library/golden:latest-amd64" },
		{ "armhf", "index.docker.io/library/golden:latest-arm_v6" },
		{ "armv7", "index.docker.io/library/golden:latest-arm_v7" },
		{ "x86", "index.docker.io/library/golden:latest-386" },
	};
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct oci_ref r;
	(void)state;
	assert_true(oci_ref_parse(S("golden"), &a, &r, &err));
	assert_string_equal(oci_ref_name(&r, &a).p, "index.docker.io/library/golden");
	for (size_t i = 0; i < countof(want); i++)
		assert_string_equal(
			oci_ref_arch_tag(&r, apk_arch_find(str_of(want[i][0])), &a).p,
			want[i][1]);
}

static const struct {
	const char *text, *want;	/* words between bars; NULL: an error */
} word_cases[] = {
	{ "", "" },
	{ " \t\r\n", "" },
	{ "a b", "|a|b|" },
	{ "  a\tb\n", "|a|b|" },
	{ "'two words' \"and more\"", "|two words|and more|" },
	{ "'' a \"\"", "||a||" },
	{ "a'b'\"c\"d", "|abcd|" },
	{ "a\\ b", "|a b|" },
	{ "\"q\\\"q\" \"\\x\"", "|q\"q|x|" },
	{ "'$x \\n'", "|$x \\n|" },
	{ "a # comment ' \"\nb", "|a|b|" },
	{ "a#b", "|a#b|" },
	{ "#", "" },
	{ "'#' \\#", "|#|#|" },
	{ "$HOME *", "|$HOME|*|" },
	{ "a \"b", NULL },
	{ "'", NULL },
	{ "a\\", NULL },
	{ "\"a\\", NULL },
};

static void words(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(word_cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf got = BUF_INIT(BUF_NOLIMIT);
		struct strs list = { 0 };
		bool ok = oci_words(str_of(word_cases[i].text), "cmd", &a, &list, &err);
		assert_int_equal(ok, word_cases[i].want != NULL);
		if (!ok) {
			assert_int_equal(err.kind, EK_PARSE);
			assert_non_null(strstr(err.msg, "cmd"));
			continue;
		}
		for (size_t k = 0; k < list.n; k++)
			buf_printf(&got, "%s%.*s|", k ? "" : "|", STR_ARG(list.v[k]));
		assert_string_equal(got.p ? got.p : "", word_cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(references), cmocka_unit_test(tags),
		cmocka_unit_test(words) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
