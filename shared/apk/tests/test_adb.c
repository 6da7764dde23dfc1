#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/adbpkg.h"
#include "shared/apk/tests/adb_cases.h"
#include "shared/apk/tests/adb_dump.h"
#include "shared/apk/tests/made_adb.h"
#include "shared/os/fd.h"

/* The v3 container: what is read of it, and that everything else is refused. */

static struct sigkey *key_a, *key_b;

static int make_keys(void **state)
{
	auto_err struct err err = ERR_INIT;

	(void)state;
	key_a = sigkey_generate(2048, &err);
	key_b = sigkey_generate(3072, &err);
	return key_a && key_b ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	sigkey_free(key_a);
	sigkey_free(key_b);
	return 0;
}

static int file_of(struct str bytes)
{
	auto_err struct err err = ERR_INIT;
	int fd = memfd_create("adb", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(fd_write_all(fd, bytes.p, bytes.n, "memory file", &err));
	return fd;
}

static void add_key(struct keyring *k, const struct sigkey *key, const char *name)
{
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	auto_err struct err err = ERR_INIT;

	assert_true(sigkey_public_pem(key, &pem, &err) &&
		    keyring_add(k, str_of(name), buf_str(&pem), &err));
}

static bool verify(struct str bytes, const struct keyring *keys, struct err *err)
{
	auto_fd int fd = file_of(bytes);

	return adb_verify(fd, "x.apk", keys, err);
}

/* The package of the format's description. */
static const char vector[] =
	"4144422e70636b6798000000000000008c0000e001610131066e6f6172636804"
	"736f3a780132000004000000130000801800008005000010020000001c0000e0"
	"14f8d079a7eade0c963b212a858f63750190da81810000001000000008000080"
	"0a00008034000080000000000c00008000000000000000000000000000000000"
	"00000000000000000000001000000000000000002c0000e0020000004c0000e0";

static void reads_the_vector(void **state)
{
	uint8_t bytes[160];
	auto_buf struct buf text = BUF_INIT(BUF_NOLIMIT);
	auto_err struct err err = ERR_INIT;

	(void)state;
	assert_true(hex_decode(str_of(vector), bytes, sizeof(bytes)));
	auto_fd int fd = file_of(str_n((const char *)bytes, sizeof(bytes)));
	assert_true(adb_dump(fd, "vector", &text, &err));
	assert_string_equal(text.p,
		"#%SCHEMA: 676B6370\n"
		"# ADB block, size: 148, compat: 0, ver: 0\n"
		"info:\n"
		"  name: a\n"
		"  version: 1\n"
		"  hashes: f8d079a7eade0c963b212a858f63750190da8181\n"
		"  arch: noarch\n"
		"  installed-size: 0\n"
		"  depends: # 1 items\n"
		"    - so:x>=2\n");
	assert_true(verify(str_n((const char *)bytes, sizeof(bytes)), NULL, &err));
}

/* A package with one file and both signatures. */
static void make(struct made_adb *m, const char *text)
{
	made_adb_init(m, ADB_SCHEMA_PACKAGE);
	uint32_t name = made_text(m, "foo"), version = made_text(m, "1.0-r0");
	uint32_t info = made_list(m, name, version);
	uint32_t file = made_file(m, "file", text, 0);
	uint32_t etc = made_text(m, "etc"), acl = made_acl(m, 0755, "root", "root");
	uint32_t dir = made_list(m, etc, acl, made_list(m, file));
	made_adb_root(m, made_list(m, info, made_list(m, dir)));
	made_sig(m, key_a);
	made_sig(m, key_b);
	made_data(m, 1, 1, text);
}

static void every_compression_verifies(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_made_adb struct made_adb m;
	auto_keyring struct keyring keys;
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	make(&m, text);
	keyring_init(&keys, &a);
	add_key(&keys, key_b, "b.rsa.pub");
	for (enum made_comp c = MADE_PLAIN; c <= MADE_ZSTD; c++) {
		auto_buf struct buf file = BUF_INIT(BUF_NOLIMIT);
		auto_err struct err err = ERR_INIT;
		made_adb_file(&m, c, &file);
		if (!verify(buf_str(&file), &keys, &err))
			fail_msg("compression %d: %s", (int)c, err.msg);
		buf_addc(&file, 0);
		assert_false(verify(buf_str(&file), &keys, &err));
	}
}

/* Every byte matters, and so does each length, but for the block of a signature that is not asked
 * for: of that, its head. */
static void no_damage_passes(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_made_adb struct made_adb m;
	auto_keyring struct keyring keys;
	auto_buf struct buf file = BUF_INIT(BUF_NOLIMIT);

	(void)state;
	make(&m, "content");
	keyring_init(&keys, &a);
	add_key(&keys, key_a, "a.rsa.pub");
	made_adb_file(&m, MADE_PLAIN, &file);
	size_t other = file.n - 24 - 408;	/* in front of the data block */
	for (size_t i = 0; i < file.n; i++) {
		auto_err struct err err = ERR_INIT;
		file.p[i] = (char)(file.p[i] ^ 1 << i % 8);
		bool passed = verify(buf_str(&file), &keys, &err);
		file.p[i] = (char)(file.p[i] ^ 1 << i % 8);
		if (passed && (i < other || i >= other + 408))
			fail_msg("byte %zu", i);
		if (!passed && i >= other + 4 && i < other + 4 + 402)
			fail_msg("byte %zu of another's signature: %s", i - other, err.msg);
		assert_false(verify(str_n(file.p, i), &keys, &err));
	}
}

/* Values of every kind as text. */
static void dumps_every_kind(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "plain: not", "'plain: not'" }, { "-x", "'-x'" }, { "a#b", "'a#b'" },
		{ "a #b", "|\n    a #b" }, { "it's", "|\n    it's" }, { "", "" },
		{ "one\ntwo", "|\n    one\n    two" }, { "a:b", "a:b" },
	};
	char longer[100];

	(void)state;
	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	for (size_t i = 0; i < countof(rows); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_made_adb struct made_adb m;
		auto_buf struct buf out = BUF_INIT(1 << 20);
		auto_err struct err err = ERR_INIT;
		made_adb_init(&m, ADB_SCHEMA_PACKAGE);
		uint32_t text = made_text(&m, rows[i].text), wide = made_int(&m, 1ull << 40);
		uint32_t word = made_int(&m, 1u << 30);
		uint32_t info = made_list(&m, 0, 0, 0, text, 0, 0, 0, 0, 0, 0, 0, wide, word);
		uint32_t xattr = made_blob(&m, S("user.x\0\1\377")), xattrs = made_list(&m, xattr);
		uint32_t acl = made_list(&m, made_int(&m, 04755), 0, 0, xattrs);
		uint32_t file = made_list(&m, made_text(&m, longer), acl);
		uint32_t target = made_blob(&m, str_n(longer, 99));
		uint32_t other = made_list(&m, 0, 0, 0, 0, 0, target);
		uint32_t dir = made_list(&m, 0, 0, made_list(&m, file, other));
		made_adb_root(&m, made_list(&m, info, made_list(&m, dir)));
		const struct adb db = { ADB_SCHEMA_PACKAGE, buf_str(&m.payload) };
		if (!adb_check(&db, "x", &err) || !adb_dump_values(&db, &out, &err))
			fail_msg("%s", err.msg);
		char hex[200] = "";
		hex_encode((const uint8_t *)longer, 99, hex);
		assert_string_equal(strchr(strchr(out.p, '\n') + 1, '\n') + 1, arena_printf(&a,
			"info:\n  description: %s\n  installed-size: 1099511627776\n"
			"  file-size: 1073741824\npaths: # 1 items\n  - files: # 2 items\n"
			"      - name: |\n          %s\n        acl:\n          mode: 04755\n"
			"          xattrs: # 1 items\n            - user.x=01ff\n"
			"      - target: |\n          %s\n", rows[i].shown, longer, hex));
	}
}

/* EC keys sign, too. */

static void sign_ec(void *ctx, const uint8_t md[SHA512_SIZE], struct buf *out)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(ctx, NULL);
	size_t n = 200;

	assert_true(c && EVP_PKEY_sign_init(c) > 0);
	assert_true(EVP_PKEY_CTX_set_signature_md(c, EVP_sha512()) > 0);
	assert_true(EVP_PKEY_sign(c, (unsigned char *)buf_room(out, n), &n, md, SHA512_SIZE) > 0);
	out->n += n;
	EVP_PKEY_CTX_free(c);
}

static void add_ec_key(struct keyring *k, EVP_PKEY *key, const char *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	auto_err struct err err = ERR_INIT;
	char *p;

	assert_true(PEM_write_bio_PUBKEY(bio, key));
	long n = BIO_get_mem_data(bio, &p);
	assert_true(keyring_add(k, str_of(name), str_n(p, (size_t)n), &err));
	BIO_free(bio);
}

static void ec_signature(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_made_adb struct made_adb m;
	auto_keyring struct keyring keys;
	auto_buf struct buf file = BUF_INIT(BUF_NOLIMIT);
	auto_err struct err err = ERR_INIT;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t id[SIGKEY_ID_SIZE];

	(void)state;
	keyring_init(&keys, &a);
	add_ec_key(&keys, key, "ec.pem.pub");
	made_adb_init(&m, ADB_SCHEMA_INDEX);
	sigkey_id(keyring_key(&keys.v[0], &err), id);
	made_sig_by(&m, id, sign_ec, key);
	EVP_PKEY_free(key);
	made_adb_file(&m, MADE_PLAIN, &file);
	if (!verify(buf_str(&file), &keys, &err))
		fail_msg("%s", err.msg);
	file.p[8] ^= 4;	/* in the head of the ADB block */
	assert_false(verify(buf_str(&file), &keys, &err));
	file.p[8] ^= 4;
	file.p[file.n - 20] ^= 4;	/* in the signature */
	assert_false(verify(buf_str(&file), &keys, &err));
}

/* What the golden directory says, where it is at hand; see its README. */
#define DATA SOURCE_DIR "/../shared/data/v3"

static void recorded_ec_signature(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_keyring struct keyring keys;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;

	(void)state;
	keyring_init(&keys, &a);
	if (!file_read(DATA "/ec.apk", &b, &err)) {
		print_message("skipped: no %s\n", DATA);
		skip();
	}
	assert_true(keyring_add_file(&keys, DATA "/ec.pem.pub", &err));
	if (!verify(buf_str(&b), &keys, &err))
		fail_msg("%s", err.msg);
}

static void agrees_with_recorded_verdicts(void **state)
{
	char table[] = DATA "/verify.tsv", *argv[] = { table };

	(void)state;
	if (access(table, R_OK) < 0) {
		print_message("skipped: no %s\n", table);
		skip();
	}
	assert_int_equal(adb_cases_verify(1, argv), 0);
}

static void agrees_with_recorded_dumps(void **state)
{
	static const char *const names[] = {
		"min.apk", "files.apk", "scripts.apk", "deps.apk", "comp-none.apk", "comp-deflate.apk",
		"comp-zstd.apk", "signed.apk", "twosig.apk", "ec.apk", "Packages-signed.adb",
		"Packages-160.adb", "x86_64/Packages.adb",
	};
	auto_arena struct arena a = ARENA_INIT;
	char *argv[countof(names) + 1] = { arena_strdup(&a, DATA "/dump") };

	(void)state;
	if (access(argv[0], R_OK) < 0) {
		print_message("skipped: no %s\n", argv[0]);
		skip();
	}
	for (size_t i = 0; i < countof(names); i++)
		argv[i + 1] = arena_printf(&a, DATA "/%s", names[i]);
	assert_int_equal(adb_cases((int)countof(argv), argv), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_vector),
		cmocka_unit_test(every_compression_verifies),
		cmocka_unit_test(no_damage_passes),
		cmocka_unit_test(dumps_every_kind),
		cmocka_unit_test(ec_signature),
		cmocka_unit_test(recorded_ec_signature),
		cmocka_unit_test(agrees_with_recorded_verdicts),
		cmocka_unit_test(agrees_with_recorded_dumps),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
