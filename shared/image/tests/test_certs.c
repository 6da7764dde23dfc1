#include "shared/image/certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "shared/crypto/sigkey.h"
#include "shared/image/jks.h"

#define DIR "usr/local/share/ca-certificates"
#define BUNDLE "etc/ssl/certs/ca-certificates.crt"
#define JAVA "etc/ssl/certs/java/cacerts"

static struct arena forever;
static struct str cert_a, cert_b, ec_key, rsa_key;
static struct tree t;

static struct str bio_text(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = arena_str(&forever, str_n(p, (size_t)n));
	BIO_free(bio);
	return s;
}

static struct str make_cert(EVP_PKEY *key, long serial)
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
		(const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 1000);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(bio, x);
	X509_free(x);
	return bio_text(bio);
}

static int make_keys(void **state)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(10000);
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	(void)state;
	arena_init(&forever);
	cert_a = make_cert(ec, 1);
	cert_b = make_cert(ec, 2);
	PEM_write_bio_PUBKEY(bio, ec);
	ec_key = bio_text(bio);
	EVP_PKEY_free(ec);
	struct sigkey *rsa = sigkey_generate(2048, &err);
	bool ok = rsa && sigkey_public_pem(rsa, &pem, &err);
	sigkey_free(rsa);
	rsa_key = arena_str(&forever, buf_str(&pem));
	return ok ? 0 : -1;
}

static int drop_keys(void **state)
{
	(void)state;
	arena_release(&forever);
	return 0;
}

static int make_tree(void **state)
{
	(void)state;
	tree_init(&t);
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	tree_release(&t);
	return 0;
}

static struct str join(struct str a, struct str b)
{
	return arena_strf(&forever, "%.*s%.*s", STR_ARG(a), STR_ARG(b));
}

static struct tree_node *file(const char *path, struct str text)
{
	auto_err struct err err = ERR_INIT;
	struct tree_node *n = tree_put(&t, str_of(path), text, 0644, &err);
	assert_non_null(n);
	return n;
}

static struct str text_of(const char *path)
{
	auto_err struct err err = ERR_INIT;
	struct str s;
	const struct tree_node *n = tree_find(&t, str_of(path), false);
	assert_non_null(n);
	assert_true(tree_read(n, &t.arena, 1 << 20, &s, &err));
	return s;
}

static struct imgconf_certs one_cert(struct imgconf_cert *c, const char *name, struct str content)
{
	*c = (struct imgconf_cert){.name = {.s = str_of(name)}, .content = {.s = content}};
	return (struct imgconf_certs){.additional = {c, 1}};
}

static bool install(const struct imgconf_certs *certs, struct err *err)
{
	return certs_install(&t, certs, NULL, 0, 1000, err);
}

static void additional(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct imgconf_cert c;
	struct imgconf_certs certs =
		one_cert(&c, "Mine", join(S("# text\n"), join(cert_a, S("more"))));
	(void)state;
	file(BUNDLE, S("first\n"))->mtime = 5;
	assert_true(install(&certs, &err));
	const struct tree_node *dir = tree_find(&t, S(DIR), false);
	assert_int_equal(dir->n_kids, 1);
	struct str name = dir->kids[0]->name;
	assert_int_equal(name.n, strlen("Mine-.crt") + 64);
	assert_true(str_starts(name, S("Mine-")) && str_ends(name, S(".crt")));
	assert_int_equal(dir->kids[0]->mtime, 1000);
	assert_true(str_eq(text_of(arena_printf(&t.arena, DIR "/%.*s", STR_ARG(name))), cert_a));
	assert_true(str_eq(text_of(BUNDLE), join(S("first\n"), join(cert_a, S("\n")))));
	assert_int_equal(tree_find(&t, S(BUNDLE), false)->mtime, 1000);
	assert_null(tree_find(&t, S("kaniko"), false));
	assert_true(install(NULL, &err));
}

static void bad_certs(void **state)
{
	const struct {
		const char *name;
		struct str text;
		const char *says;
	} cases[] = {
		{"x", S(""), "no PEM block"},
		{"x", S("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "X.509"},
		{"x", join(cert_a, cert_b), "several"},
		{"x", ec_key, "got PUBLIC KEY"},
		{"../x", cert_a, "file name"},
	};
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct imgconf_cert c;
		struct imgconf_certs certs = one_cert(&c, cases[i].name, cases[i].text);
		assert_false(install(&certs, &err));
		if (!strstr(err.msg, cases[i].says) || !strstr(err.msg, cases[i].name))
			fail_msg("case %zu: %s", i, err.msg);
	}
	assert_int_equal(t.n_nodes, 0);
}

static void checks_tell_places(void **state)
{
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	struct diags d;
	struct imgconf_cert c;
	struct imgconf_certs certs = one_cert(&c, "x", S("none"));
	struct imgconf_key k = {.name = {.s = S("k")}, .content = {.s = ec_key}};
	const struct ynode node = {.pos = {"f.yaml", 3, 7}};
	(void)state;
	diags_init(&d, &a, NULL);
	c.content.at = k.at = &node;
	assert_false(certs_check(&certs, &d));
	assert_false(runtime_keys_check(&(struct bind_list){&k, 1}, &d));
	assert_int_equal(d.list.n, 2);
	assert_false(diags_ok(&d, &err));
	assert_non_null(strstr(err.msg, "f.yaml:3:7: certificate 'x': no PEM block found"));
	assert_non_null(strstr(err.msg, "f.yaml:3:7: runtime key 'k': not an RSA key"));
	c.content.s = cert_a;
	k.content.s = rsa_key;
	assert_true(certs_check(&certs, &d));
	assert_true(certs_check(NULL, &d));
	assert_true(runtime_keys_check(&(struct bind_list){&k, 1}, &d));
}

static void providers(void **state)
{
	static const char *const names[] = {DIR "/b.pem", DIR "/a.crt", DIR "/bad.crt",
		DIR "/not.txt", DIR "/taken.crt", "other/c.crt"};
	struct apk_entry entries[countof(names)] = {0};
	struct apk_file files[2] = {{.entries = entries, .n_entries = countof(names)}};
	struct ystr wanted = {.s = S("my-certs")};
	const struct imgconf_certs certs = {.providers = {&wanted, 1, 1}};
	auto_err struct err err = ERR_INIT;
	(void)state;
	for (size_t i = 0; i < countof(names); i++) {
		entries[i] = (struct apk_entry){.name = str_of(names[i]), .type = '0'};
		file(names[i], i == 0   ? cert_b
			       : i == 2 ? S("text")
					: cert_a)
			->owner = i == 4 ? &files[1] : &files[0];
	}
	file(BUNDLE, S(""));
	files[0].info.provides = S("x my-certs=1");
	assert_true(certs_install(&t, &certs, files, 2, 1000, &err));
	assert_int_equal(text_of(BUNDLE).n, 0);
	files[0].info.provides = S("x my-certs y");
	assert_true(certs_install(&t, &certs, files, 2, 1000, &err));
	assert_true(str_eq(text_of(BUNDLE), join(cert_a, join(S("\n"), join(cert_b, S("\n"))))));
}

static void checksums(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	assert_true(certs_checksums(&t, 7, &err));
	assert_int_equal(t.n_nodes, 0);
	file(BUNDLE, S(""));
	assert_true(certs_checksums(&t, 7, &err));
	const char *path = "etc/ssl/certs/.ca-certificates.crt.sha256";
	const struct tree_node *n = tree_find(&t, str_of(path), false);
	assert_true(str_is(text_of(path), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
					  "7852b855  ca-certificates.crt\n"));
	assert_int_equal(n->mode, 0444);
	assert_int_equal(n->mtime, 7);
}

static void keyring(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct imgconf_key k = {.name = {.s = S("k.pub")}, .content = {.s = rsa_key}};
	const struct bind_list list = {&k, 1};
	(void)state;
	assert_true(runtime_keyring(&t, &list, 8, &err));
	assert_true(str_eq(text_of("etc/apk/keys/k.pub"), rsa_key));
	assert_int_equal(tree_find(&t, S("etc/apk/keys/k.pub"), false)->mtime, 8);
	assert_false(runtime_keyring(&t, &list, 8, &err));
	assert_non_null(strstr(err.msg, "'k.pub'"));
	assert_non_null(tree_symlink(&t, S("etc/apk/keys/l"), S("nowhere"), &err));
	k.name.s = S("l");
	assert_false(runtime_keyring(&t, &list, 8, &err));
	k.name.s = S("m");
	k.content.s = ec_key;
	assert_false(runtime_keyring(&t, &list, 8, &err));
	k.content.s = join(rsa_key, rsa_key);
	assert_false(runtime_keyring(&t, &list, 8, &err));
	k.content.s = rsa_key;
	k.name.s = S("../m");
	assert_false(runtime_keyring(&t, &list, 8, &err));
}

/* Of a store: "alias@time" of each entry. */
static const char *aliases(struct str bytes)
{
	auto_err struct err err = ERR_INIT;
	struct jks j;
	const char *out = "";
	if (!jks_read(bytes, &forever, &j, &err))
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < j.list.n; i++)
		out = arena_printf(&forever, "%s%.*s@%llu ", out, STR_ARG(j.list.v[i].alias),
			(unsigned long long)j.list.v[i].time_ms);
	return out;
}

static struct str stored(const struct jks *j)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	jks_write(j, &forever, &b);
	return arena_str(&forever, buf_str(&b));
}

static void java(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct jks j = {0};
	struct imgconf_cert c;
	struct imgconf_certs certs = one_cert(&c, "Mine", cert_a);
	(void)state;
	jks_put(&j, S("Zed"), S("der"), 1, &forever);
	jks_put(&j, S("abc"), S("der"), 2, &forever);
	jks_put(&j, S("zed"), S("new"), 3, &forever);
	assert_string_equal(aliases(stored(&j)), "abc@2 zed@3 ");
	file(JAVA, stored(&j));
	assert_true(install(&certs, &err));
	const char *now = aliases(text_of(JAVA));
	assert_non_null(strstr(now, "abc@2 mine-"));
	assert_non_null(strstr(now, "@1000000 zed@3 "));
	file(JAVA, S("text that is no key store at all, but long enough"));
	assert_false(install(&certs, &err));
	assert_non_null(strstr(err.msg, JAVA));
}

/* A key store by hand: a private key with a chain of one, as the format has it. */
static void java_private_key(void **state)
{
	static const char entry[] = "\0\0\0\1\0\1K\0\0\0\0\0\0\0\11"
				    "\0\0\0\2kk\0\0\0\1\0\5X.509\0\0\0\1c";
	auto_err struct err err = ERR_INIT;
	struct jks j = {0}, again;
	(void)state;
	struct jks_entry e = {S("k"), 1, 9, str_n(entry + 15, sizeof(entry) - 16)};
	vec_push(&forever, &j.list, e);
	struct str bytes = stored(&j);
	assert_memory_equal(bytes.p, "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1\0\1k", 19);
	assert_true(jks_read(bytes, &forever, &again, &err));
	assert_true(str_eq(again.list.v[0].rest, e.rest));
	for (size_t n = 0; n < bytes.n; n++)
		assert_false(jks_read(str_sub(bytes, 0, n), &forever, &again, &err));
	for (size_t i = 0; i < bytes.n; i++) {
		char *copy = arena_dup(&forever, bytes.p, bytes.n);
		copy[i] ^= 1;
		assert_false(jks_read(str_n(copy, bytes.n), &forever, &again, &err));
	}
}

/* Rows of the feature checklist (apko 9): I083 I084. */
int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_tree, drop_tree)
	const struct CMUnitTest tests[] = {
		TEST(additional),
		TEST(bad_certs),
		TEST(checks_tell_places),
		TEST(providers),
		TEST(checksums),
		TEST(keyring),
		TEST(java),
		TEST(java_private_key),
	};
	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
