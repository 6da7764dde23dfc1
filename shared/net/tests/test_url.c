#include "shared/net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void parse_good(unused_arg void **state)
{
	static const struct {
		const char *in, *text, *user, *password;
		unsigned port;
	} cases[] = {
		{ "https://Example.ORG", "https://example.org/", NULL, NULL, 443 },
		{ "HTTP://h:8080/a/b?q=1#frag", "http://h:8080/a/b?q=1", NULL, NULL, 8080 },
		{ "http://u:p%40:x@h/", "http://h/", "u", "p@:x", 80 },
		{ "http://u@h/", "http://h/", "u", "", 80 },
		{ "http://u:a@b@h/", "http://h/", "u", "a@b", 80 },
		{ "http://[::1]:81/x", "http://[::1]:81/x", NULL, NULL, 81 },
		{ "https://h/?", "https://h/?", NULL, NULL, 443 },
		{ "https://h?x", "https://h/?x", NULL, NULL, 443 },
		{ "git+ssh://h/x", "git+ssh://h/x", NULL, NULL, 0 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct url u;

		if (!url_parse(str_of(cases[i].in), &a, &u, &err))
			fail_msg("%s", err.msg);
		assert_string_equal(url_text(&u, &a), cases[i].text);
		assert_int_equal(u.has_user, cases[i].user != NULL);
		assert_true(str_is(u.user, cases[i].user ? cases[i].user : ""));
		assert_true(str_is(u.password, cases[i].password ? cases[i].password : ""));
		assert_int_equal(url_port(&u), cases[i].port);
	}
}

static void parse_bad(unused_arg void **state)
{
	static const char *const cases[] = {
		"", "h/x", "://h", "http://", "http:///x", "http://h:0/", "http://h:65536/",
		"http://h:x/", "http://h:80:80/", "http://a b/", "http://h/a b", "http://h\\x/",
		"http://h/\xc3\xa4", "http://h/\n", "http://[::1/", "http://[::1]x/",
		"http://[fe80::1%25eth0]/", "http://-x/", "http://h'/", "1http://h/",
		"http://u%zz:secret@h/", "http://u%0a:secret@h/", "http://secret:se/cret@h/",
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct url u;

		if (url_parse(str_of(cases[i]), &a, &u, &err))
			fail_msg("parsed: %s", cases[i]);
		assert_int_equal(err.kind, EK_PARSE);
		assert_null(strstr(err.msg, "secret"));
	}
}

static void too_long(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	char *text = arena_strdup(&a, "http://h/");
	struct url u;

	text = arena_printf(&a, "%s%0*d", text, URL_MAX - 9, 0);
	assert_true(url_parse(str_of(text), &a, &u, &err));
	assert_false(url_parse(str_of(arena_printf(&a, "%s0", text)), &a, &u, &err));
}

static void redact(unused_arg void **state)
{
	static const char *const cases[][2] = {
		{ "https://u:p@h/x?y", "https://xxxxx@h/x?y" },
		{ "https://u@h", "https://xxxxx@h" },
		{ "https://u:p@q@h/@", "https://xxxxx@h/@" },
		{ "https://h/a@b", "https://h/a@b" },
		{ "https://h:80/a@b", "https://h:80/a@b" },
		{ "https://u:p/q@h/", "https://xxxxx@h/" },
		{ "/a/path", "/a/path" },
		{ "", "" },
	};
	auto_arena struct arena a = ARENA_INIT;

	for (size_t i = 0; i < countof(cases); i++)
		assert_string_equal(url_redact(str_of(cases[i][0]), &a), cases[i][1]);
}

static void join(unused_arg void **state)
{
	static const char *const cases[][3] = {
		{ "http://h/a/b/c?q", "d", "http://h/a/b/d" },
		{ "http://h/a/b/c?q", "/d", "http://h/d" },
		{ "http://h/a/b/c?q", "?z", "http://h/a/b/c?z" },
		{ "http://h/a/b/c?q", "", "http://h/a/b/c?q" },
		{ "http://h/a/b/c", "../d", "http://h/a/d" },
		{ "http://h/a/b/c", "../../../../d", "http://h/d" },
		{ "http://h/a/b/", "./", "http://h/a/b/" },
		{ "http://h/a/b/", "..", "http://h/a/" },
		{ "http://h", "x#frag", "http://h/x" },
		{ "http://h/a", "//other/x", "http://other/x" },
		{ "http://h/a", "https://other:1/x", "https://other:1/x" },
		{ "http://h/a", "/x?u=http://y/../z", "http://h/x?u=http://y/../z" },
		{ "http://h/a", "x//y", "http://h/x//y" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct url base, u;

		assert_true(url_parse(str_of(cases[i][0]), &a, &base, &err));
		if (!url_join(&base, str_of(cases[i][1]), &a, &u, &err))
			fail_msg("%s", err.msg);
		assert_string_equal(url_text(&u, &a), cases[i][2]);
	}
}

static void append_and_last(unused_arg void **state)
{
	static const char *const append[][3] = {
		{ "https://h/r/", "/x86_64/I", "https://h/r/x86_64/I" },
		{ "https://u:p@h/r?t=1", "x", "https://u:p@h/r/x?t=1" },
		{ "/local/r?x", "y", "/local/r?x/y" },
	};
	static const char *const last[][2] = {
		{ "https://h/a/b.tar.gz?x=/y#z", "b.tar.gz" }, { "https://h/a/", "" },
		{ "https://h", "" }, { "/a/b", "b" }, { "b", "b" }, { "", "" },
	};
	auto_arena struct arena a = ARENA_INIT;

	for (size_t i = 0; i < countof(append); i++)
		assert_string_equal(url_append(str_of(append[i][0]), str_of(append[i][1]), &a),
			append[i][2]);
	for (size_t i = 0; i < countof(last); i++)
		assert_true(str_is(url_last(str_of(last[i][0])), last[i][1]));
}

static void private_hosts(unused_arg void **state)
{
	static const struct {
		const char *host;
		bool want;
	} cases[] = {
		{ "127.0.0.1", true }, { "10.1.2.3", true }, { "172.16.0.1", true },
		{ "172.32.0.1", false }, { "192.168.9.9", true }, { "169.254.169.254", true },
		{ "100.64.0.1", true }, { "0.0.0.0", true }, { "8.8.8.8", false },
		{ "127.1", true }, { "0x7f000001", true }, { "[::1]", true }, { "[::]", true },
		{ "[fd00::1]", true }, { "[fe80::1]", true }, { "[2001:db8::1]", false },
		{ "[::ffff:10.0.0.1]", true }, { "example.org", false }, { "localhost", false },
	};
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct url u;

	for (size_t i = 0; i < countof(cases); i++) {
		assert_true(url_parse(arena_strf(&a, "http://%s/", cases[i].host), &a, &u, &err));
		if (url_is_private(&u) != cases[i].want)
			fail_msg("%s", cases[i].host);
	}
}

static void comparing(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct url one, two;

	assert_true(url_parse(S("https://h/x"), &a, &one, &err));
	assert_true(url_parse(S("https://u:p@H:443/y"), &a, &two, &err));
	assert_true(url_same_origin(&one, &two));
	assert_string_equal(url_origin(&two, &a), "https://h:443");
	assert_true(url_parse(S("http://h:443/y"), &a, &two, &err));
	assert_false(url_same_origin(&one, &two));
	assert_true(url_is_remote(S("HTTPS://x")));
	assert_false(url_is_remote(S("https://")));
	assert_false(url_is_remote(S("ftp://x")));
	assert_false(url_is_remote(S("/https://x")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_good),
		cmocka_unit_test(parse_bad),
		cmocka_unit_test(too_long),
		cmocka_unit_test(redact),
		cmocka_unit_test(join),
		cmocka_unit_test(append_and_last),
		cmocka_unit_test(private_hosts),
		cmocka_unit_test(comparing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
