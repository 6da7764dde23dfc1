#include "shared/net/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* "user:password" for a URL, or "-". */
static const char *lookup(const struct auth *auth, const char *text, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct auth_cred c = { 0 };
	struct url u;

	assert_true(url_parse(str_of(text), a, &u, &err));
	if (!auth_for(auth, &u, &c))
		return "-";
	return arena_printf(a, "%.*s:%.*s", STR_ARG(c.user), STR_ARG(c.password));
}

static void http_auth(unused_arg void **state)
{
	static const struct {
		const char *value, *url, *want;
	} cases[] = {
		{ "basic:h:u:p", "https://h/x", "u:p" },
		{ "basic:H.Example:u:p", "https://h.example/x", "u:p" },
		{ "basic:h:u:p", "https://h:8080/x", "u:p" },
		{ "basic:h:u:p", "https://sub.h/x", "-" },
		{ "basic:h:u:p:q:r", "https://h/x", "u:p:q:r" },
		{ "basic:h:8080:u:p:q", "https://h:8080/x", "u:p:q" },
		{ "basic:h:8080:u:p", "https://h/x", "-" },
		{ "basic:h:443:u:p", "https://h/x", "u:p" },
		{ "basic:h:8080:p", "https://h/x", "8080:p" },
		{ "basic:h:u:", "https://h/x", "u:" },
		{ "basic:[::1]:u:p", "http://[::1]:80/", "u:p" },
		{ "basic:h:u:p", "https://me:own@h/x", "me:own" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct auth auth = { 0 };

		assert_true(auth_add_http_auth(&auth, str_of(cases[i].value), &a, &err));
		assert_string_equal(lookup(&auth, cases[i].url, &a), cases[i].want);
	}
}

static void http_auth_bad(unused_arg void **state)
{
	static const char *const cases[] = { "x", "basic:", "basic:h", "basic:h:secret",
		"bearer:h:u:secret", "basic::u:secret", "basic:[::1:u:secret",
		"basic:[::1]u:secret", "basic:h:u:secret\r\nX: y" };

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct auth auth = { 0 };

		assert_false(auth_add_http_auth(&auth, str_of(cases[i]), &a, &err));
		assert_int_equal(err.kind, EK_USAGE);
		assert_null(strstr(err.msg, "secret"));
		assert_int_equal(auth.n, 0);
	}
}

static void netrc(unused_arg void **state)
{
	static const char text[] = "# c machine x\nmachine a.example login u password p\n"
		"machine B.example\n\tpassword \"q r\\\"\"\n\tlogin v account z\n"
		"macdef init\n machine evil login e password e\n\n"
		"default login anybody password secret\nmachine c.example login w password s\n"
		"machine a.example login late password late\n";
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct auth auth = { 0 };

	assert_true(auth_add_netrc(&auth, str_of(text), "netrc", &a, &err));
	assert_string_equal(lookup(&auth, "https://a.example/", &a), "u:p");
	assert_string_equal(lookup(&auth, "https://b.example/", &a), "v:q r\"");
	assert_string_equal(lookup(&auth, "https://c.example/", &a), "w:s");
	assert_string_equal(lookup(&auth, "https://evil/", &a), "-");
	assert_string_equal(lookup(&auth, "https://other/", &a), "-");
	assert_true(auth_add_netrc(&auth, S("macdef m\n to the end"), "netrc", &a, &err));
	assert_false(auth_add_netrc(&auth, S("machine"), "netrc", &a, &err));
	assert_false(auth_add_netrc(&auth, S("secret secret"), "netrc", &a, &err));
	assert_string_equal(err.msg, "'netrc' is not a netrc file");
}

static void header(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct auth_cred c = { .user = S("u"), .password = S("p") };

	assert_string_equal(auth_header(&c, &a), "Basic dTpw");
	c.bearer = S("t");
	assert_string_equal(auth_header(&c, &a), "Bearer t");
	assert_null(auth_header(&(struct auth_cred){ 0 }, &a));
}

struct home {
	struct arena arena;
	char *dir;
};

static void put(struct home *h, const char *path, const char *text, mode_t mode)
{
	auto_err struct err err = ERR_INIT;
	char *full = arena_printf(&h->arena, "%s/%s", h->dir, path);
	char *slash = strrchr(full, '/');

	*slash = '\0';
	assert_true(dir_make(full, 0700, &err));
	*slash = '/';
	assert_true(file_write(full, text, strlen(text), mode, &err));
}

static int setup(void **state)
{
	static const char *const clear[] = { "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME",
		"XDG_RUNTIME_DIR", "GITHUB_TOKEN", "GITHUB_ACTOR", "NETRC", "HTTP_AUTH" };
	struct home *h = calloc(1, sizeof(*h));
	auto_err struct err err = ERR_INIT;

	assert_non_null(h);
	for (size_t i = 0; i < countof(clear); i++)
		unsetenv(clear[i]);
	h->dir = dir_temp(&h->arena, "auth", &err);
	assert_non_null(h->dir);
	setenv("HOME", h->dir, 1);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct home *h = *state;
	auto_err struct err err = ERR_INIT;

	assert_true(dir_remove(h->dir, &err));
	arena_release(&h->arena);
	free(h);
	return 0;
}

static void environment(void **state)
{
	struct home *h = *state;
	auto_err struct err err = ERR_INIT;
	struct auth auth = { 0 };

	assert_true(auth_load(&auth, &h->arena, &err));
	assert_int_equal(auth.n, 0);
	put(h, ".netrc", "machine n login u password p\nmachine e login u password p", 0600);
	setenv("HTTP_AUTH", "basic:e:eu:ep", 1);
	assert_true(auth_load(&auth, &h->arena, &err));
	assert_string_equal(lookup(&auth, "http://n/", &h->arena), "u:p");
	assert_string_equal(lookup(&auth, "http://e/", &h->arena), "eu:ep");
	setenv("NETRC", "/nonexistent", 1);
	auth = (struct auth){ 0 };
	assert_true(auth_load(&auth, &h->arena, &err));
	assert_string_equal(lookup(&auth, "http://n/", &h->arena), "-");
	setenv("HTTP_AUTH", "wrong", 1);
	assert_false(auth_load(&auth, &h->arena, &err));
}

/* "user:password:identity" of a registry, "-" for none, "!" for an error. */
static const char *registry(struct home *h, const char *name, const char *repo)
{
	auto_err struct err err = ERR_INIT;
	struct auth_cred c = { 0 };
	bool found;

	if (!auth_registry(str_of(name), str_of(repo), &h->arena, &found, &c, &err)) {
		assert_null(strstr(err.msg, "secret"));
		return "!";
	}
	return found ? arena_printf(&h->arena, "%.*s:%.*s:%.*s", STR_ARG(c.user),
		STR_ARG(c.password), STR_ARG(c.identity)) : "-";
}

static void docker_auths(void **state)
{
	struct home *h = *state;

	assert_string_equal(registry(h, "r.example", "a/b"), "-");
	put(h, ".docker/config.json", "{\"auths\": {"
		"\"r.example\": {\"auth\": \"dTpwOnE=\"},"
		"\"r.example/a/b\": {\"username\": \"fine\", \"password\": \"p\"},"
		"\"https://index.docker.io/v1/\": {\"auth\": \"aHViOnA=\"},"
		"\"https://s.example\": {\"identitytoken\": \"it\"},"
		"\"empty.example\": {},"
		"\"bad.example\": {\"auth\": \"secret!\"}}}", 0600);
	assert_string_equal(registry(h, "r.example", "x"), "u:p:q:");
	assert_string_equal(registry(h, "r.example", "a/b"), "fine:p:");
	assert_string_equal(registry(h, "docker.io", "library/x"), "hub:p:");
	assert_string_equal(registry(h, "s.example", ""), "::it");
	assert_string_equal(registry(h, "empty.example", ""), "-");
	assert_string_equal(registry(h, "bad.example", ""), "!");
	assert_string_equal(registry(h, "r.example.evil", ""), "-");
	put(h, "cfg/containers/auth.json", "{\"auths\": {\"c.example\": {\"auth\": \"Yzpw\"}}}",
		0600);
	assert_string_equal(registry(h, "c.example", ""), "-");
	setenv("XDG_CONFIG_HOME", arena_printf(&h->arena, "%s/cfg", h->dir), 1);
	assert_string_equal(registry(h, "c.example", ""), "c:p:");
	setenv("DOCKER_CONFIG", arena_printf(&h->arena, "%s/none", h->dir), 1);
	assert_string_equal(registry(h, "r.example", "x"), "-");
	setenv("GITHUB_TOKEN", "gt", 1);
	assert_string_equal(registry(h, "ghcr.io", "x"), "unset:gt:");
	assert_string_equal(registry(h, "x.example", "x"), "-");
}

static void docker_programs(void **state)
{
	struct home *h = *state;

	put(h, "bin/docker-credential-one", "#!/bin/sh\nread r\n"
		"echo \"{\\\"Username\\\": \\\"$1-$r\\\", \\\"Secret\\\": \\\"s\\\"}\"\n", 0755);
	put(h, "bin/docker-credential-two", "#!/bin/sh\n"
		"echo '{\"Username\": \"<token>\", \"Secret\": \"idt\"}'\n", 0755);
	put(h, "bin/docker-credential-none", "#!/bin/sh\n"
		"echo 'credentials not found in native keychain'\nexit 1\n", 0755);
	put(h, "bin/docker-credential-fails", "#!/bin/sh\necho secret\nexit 3\n", 0755);
	put(h, ".docker/config.json", "{\"credsStore\": \"one\", \"credHelpers\": {"
		"\"two.example\": \"two\", \"none.example\": \"none\","
		"\"fails.example\": \"fails\", \"path.example\": \"../../bin/sh\"},"
		"\"auths\": {\"none.example\": {\"auth\": \"dTpw\"}}}", 0600);
	setenv("PATH", arena_printf(&h->arena, "%s/bin:%s", h->dir, getenv("PATH")), 1);
	assert_string_equal(registry(h, "any.example", "a"), "get-any.example:s:");
	assert_string_equal(registry(h, "two.example", "a"), "::idt");
	assert_string_equal(registry(h, "none.example", "a"), "u:p:");
	assert_string_equal(registry(h, "fails.example", "a"), "!");
	assert_string_equal(registry(h, "path.example", "a"), "!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_auth),
		cmocka_unit_test(http_auth_bad),
		cmocka_unit_test(netrc),
		cmocka_unit_test(header),
		cmocka_unit_test_setup_teardown(environment, setup, teardown),
		cmocka_unit_test_setup_teardown(docker_auths, setup, teardown),
		cmocka_unit_test_setup_teardown(docker_programs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
