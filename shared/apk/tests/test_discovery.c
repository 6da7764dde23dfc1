#include "shared/apk/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define N_OFFSET 33	/* of the modulus in the DER form of a 2048 bit key */
#define N_SIZE 256

static const struct {
	const char *repo, *json, *uri; /* uri NULL: refused */
} configs[] = {
	{ "https://h.test/repo", "{\"jwks_uri\":\"https://h.test/keys\"}", "https://h.test/keys" },
	{ "https://u:p@h.test/repo", "{\"jwks_uri\":\"https://h.test/k\"}", "https://h.test/k" },
	{ "https://h.test/repo", "{\"jwks_uri\":\"http://h.test/keys\"}", NULL },
	{ "https://h.test/repo", "{\"jwks_uri\":\"https://other.test/keys\"}", NULL },
	{ "https://h.test/repo", "{\"jwks_uri\":\"https://h.test.evil/keys\"}", NULL },
	{ "https://h.test/repo", "{\"jwks_uri\":\"https://h.test\\u0000/keys\"}", NULL },
	{ "https://h.test/repo", "{\"jwks_uri\":\"https://h.test:8443/keys\"}", NULL },
	{ "https://h.test/repo", "{\"jwks_uri\":\"https:///keys\"}", NULL },
	{ "https://h.test/repo", "{}", NULL },
	{ "https://h.test/repo", "[", NULL },
};

static void test_config(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	assert_true(str_is(discovery_config_url(S("https://h.test/r//"), &a),
		"https://h.test/r/apk-configuration"));
	for (size_t i = 0; i < countof(configs); i++) {
		auto_err struct err err = ERR_INIT;
		struct str uri;
		bool ok = discovery_jwks_uri(str_of(configs[i].json), str_of(configs[i].repo), &a,
			&uri, &err);
		print_message("%s\n", configs[i].json);
		assert_int_equal(ok, configs[i].uri != NULL);
		if (ok)
			assert_true(str_is(uri, configs[i].uri));
	}
}

static struct str url_base64(struct arena *a, struct str bytes)
{
	char *text = base64_encode(a, (const uint8_t *)bytes.p, bytes.n);
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	struct str s = str_of(text);
	while (str_chop(&s, S("=")))
		;
	return s;
}

/* The modulus of a key, out of its PEM. */
static struct str modulus(struct arena *a, struct str pem)
{
	auto_buf struct buf b64 = BUF_INIT(1 << 16);
	struct str line, der;
	while (str_next(&pem, '\n', &line))
		if (!str_starts(line, S("-")))
			buf_addstr(&b64, line);
	assert_true(base64_decode_any(a, buf_str(&b64), &der));
	return str_sub(der, N_OFFSET, N_SIZE);
}

/* Row 59 of apk-format 8 is the key with the name "../up". */
static void test_jwks(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(1 << 16);
	auto_sigkey struct sigkey *key = sigkey_generate(2048, &err);
	auto_keyring struct keyring k;
	size_t n = 0;
	keyring_init(&k, &a);
	assert_non_null(key);
	assert_true(sigkey_public_pem(key, &pem, &err));
	struct str mod = url_base64(&a, modulus(&a, buf_str(&pem)));
	struct str json = arena_strf(&a,
		"{\"keys\":[{\"kty\":\"EC\",\"kid\":\"ec\",\"crv\":\"P-256\",\"x\":\"AA\"},"
		"{\"kty\":\"RSA\",\"kid\":\"../up\",\"n\":\"%.*s\",\"e\":\"AQAB\"},"
		"{\"kty\":\"RSA\",\"kid\":\"no-n\",\"e\":\"AQAB\"},"
		"{\"kty\":\"RSA\",\"kid\":\"bad\",\"n\":\"*\",\"e\":\"AQAB\"},"
		"{\"kty\":\"RSA\",\"kid\":\"good@x\",\"n\":\"%.*s\",\"e\":\"AQAB\"},7]}",
		STR_ARG(mod), STR_ARG(mod));
	assert_true(discovery_add_jwks(&k, json, "set", &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(k.n, 1);
	const struct keyring_key *got = keyring_find(&k, S("good@x.rsa.pub"));
	assert_non_null(got);
	assert_true(str_eq(got->pem, buf_str(&pem)));
	assert_false(discovery_add_jwks(&k, S("{"), "set", &n, &err));
	assert_true(discovery_add_jwks(&k, S("{\"keys\":5}"), "set", &n, &err));
	assert_int_equal(n, 0);
}

static const struct {
	const char *repo, *branch; /* NULL: not one */
} repos[] = {
	{ "https://dl.test/alpine/v3.16/main", "v3.16" },
	{ "http://dl.test/x/alpine/edge/community", "edge" },
	{ "https://dl.test/alpine/v3.16", NULL },
	{ "https://dl.test/alpine/v3.16/", NULL },
	{ "https://alpine/v3.16/main", NULL },
	{ "/alpine/v3.16/main", NULL },
	{ "https://dl.test/wolfi/x/y", NULL },
};

static void test_alpine_branch(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(repos); i++) {
		struct str branch;
		bool ok = discovery_alpine_branch(str_of(repos[i].repo), &branch);
		print_message("%s\n", repos[i].repo);
		assert_int_equal(ok, repos[i].branch != NULL);
		if (ok)
			assert_true(str_is(branch, repos[i].branch));
	}
}

static void test_alpine_keys(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct discovery_url *urls;
	size_t n = 0;
	struct str doc = S("{\"release_branches\":[{\"rel_branch\":\"edge\"},"
			   "{\"rel_branch\":\"v3\",\"keys\":{\"x86_64\":["
			   "{\"url\":\"https://k.test/keys/a%20b.rsa.pub\"},"
			   "{\"url\":\"https://k.test/keys/old\",\"deprecated_since\":\"2020\"},"
			   "{\"url\":\"ftp://k.test/keys/x\"},{\"url\":\"https://k.test/..\"}]}}]}");
	assert_true(discovery_alpine_keys(doc, S("v3"), S("x86_64"), &a, &urls, &n, &err));
	assert_int_equal(n, 1);
	assert_true(str_is(urls[0].url, "https://k.test/keys/a@b.rsa.pub"));
	assert_true(str_is(urls[0].name, "a@b.rsa.pub"));
	assert_false(discovery_alpine_keys(doc, S("v3"), S("riscv64"), &a, &urls, &n, &err));
	assert_int_equal(err.kind, EK_TRUST);
	assert_false(discovery_alpine_keys(doc, S("edge"), S("x86_64"), &a, &urls, &n, &err));
	assert_false(discovery_alpine_keys(doc, S("v9"), S("x86_64"), &a, &urls, &n, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_jwks),
		cmocka_unit_test(test_alpine_branch),
		cmocka_unit_test(test_alpine_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
