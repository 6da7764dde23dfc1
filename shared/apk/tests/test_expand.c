#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/apk/enttab.h"
#include "shared/apk/expand.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/net/http.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* Packages made in memory, each with at most a few things wrong. */

#define SHA_KEY "APK-TOOLS.checksum.SHA1"

struct ent {
	const char *name;
	char type;
	const char *text;	/* content, or target of a link */
	const char *sha1;	/* NULL = right, "" = none */
	const char *key, *val;	/* another pax record */
	uint32_t mode;
};

struct recipe {
	const char *what;
	const char *error;		/* NULL = must expand */
	enum err_kind kind;		/* EK_NONE = any */
	const struct ent *data;		/* NULL = a plain file */
	const char *pkginfo;		/* %s = datahash; NULL = plain */
	const struct ent *control;	/* besides .PKGINFO */
	const struct ent *sig;		/* in front */
	bool sig_end, no_pkginfo, data_no_end, expect_index;
	void (*tar)(struct buf *tar);	/* changes the data tar */
	void (*gz)(struct buf *gz);	/* changes its compressed bytes before they are hashed */
	void (*apk)(struct buf *apk);	/* changes the file */
	const char *name, *version, *arch;	/* expected */
	uint64_t size;
	const char *q;
	struct apk_limits lim;
};

#define INFO(rest)                                                                                 \
	"pkgname = foo\npkgver = 1.0-r0\narch = x86_64\nsize = 5\n" rest "datahash = %s\n"

static const struct ent plain[] = {
	{ "usr", '5', NULL, NULL, NULL, NULL, 0755 },
	{ "usr/hello", '0', "hello", NULL, NULL, NULL, 0644 },
	{ 0 },
};

static void add_entry(struct buf *tar, const struct ent *e)
{
	auto_err struct err err = ERR_INIT;
	struct str text = str_of(e->text);
	bool link = e->type == '1' || e->type == '2';
	struct tar_entry t = { .name = str_of(e->name), .type = e->type, .mode = e->mode,
		.uname = S("root"), .gname = S("root"), .mtime = 1000000000 };
	struct tar_pax pax[2];
	uint8_t md[SHA1_SIZE];
	char hex[2 * SHA1_SIZE + 1];

	t.pax.v = pax;
	digest_once(DIGEST_SHA1, text.p ? text.p : "", text.n, md);
	hex_encode(md, SHA1_SIZE, hex);
	const char *sha1 = e->sha1 ? e->sha1 : e->type == '0' || e->type == '2' ? hex : "";
	if (*sha1)
		pax[t.pax.n++] = (struct tar_pax){ S(SHA_KEY), str_of(sha1) };
	if (e->key)
		pax[t.pax.n++] = (struct tar_pax){ str_of(e->key), str_of(e->val) };
	if (link)
		t.link = text;
	else if (e->type == '0')
		t.size = text.n;
	assert_true(tar_header(&t, tar, &err));
	if (e->type == '0') {
		buf_addstr(tar, text);
		buf_addzero(tar, tar_padding(text.n));
	}
}

static void add_entries(struct buf *tar, const struct ent *e)
{
	for (; e && e->name; e++)
		add_entry(tar, e);
}

static void add_gz(struct buf *out, const struct buf *tar)
{
	auto_err struct err err = ERR_INIT;

	assert_true(gz_deflate(buf_str(tar), 6, out, &err));
}

/* Appends the control section; returns where it starts. */
static size_t add_control(const struct recipe *r, const char *datahash, struct buf *apk)
{
	auto_buf struct buf tar = BUF_INIT(64 << 20);
	char text[4000];
	size_t at = apk->n;
	const char *info = r->pkginfo ? r->pkginfo : INFO("");
	const char *hash = strstr(info, "%s");

	if (hash)
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(hash - info), info, datahash,
			hash + 2);
	else
		(void)snprintf(text, sizeof(text), "%s", info);
	const struct ent e = { ".PKGINFO", '0', text, "", NULL, NULL, 0644 };
	if (!r->no_pkginfo)
		add_entry(&tar, &e);
	for (const struct ent *c = r->control; c && c->name; c++)
		add_entry(&tar, c);
	add_gz(apk, &tar);
	return at;
}

static void build(const struct recipe *r, struct buf *apk, uint8_t ret_sum[SHA1_SIZE])
{
	auto_buf struct buf tar = BUF_INIT(64 << 20), data = BUF_INIT(64 << 20);
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	add_entries(&tar, r->data ? r->data : plain);
	if (!r->data_no_end)
		buf_addzero(&tar, TAR_END_SIZE);
	if (r->tar)
		r->tar(&tar);
	add_gz(&data, &tar);
	if (r->gz)
		r->gz(&data);
	digest_once(DIGEST_SHA256, data.p, data.n, md);
	hex_encode(md, SHA256_SIZE, hex);
	if (r->sig) {
		buf_clear(&tar);
		add_entries(&tar, r->sig);
		if (r->sig_end)
			buf_addzero(&tar, TAR_END_SIZE);
		add_gz(apk, &tar);
	}
	size_t at = add_control(r, hex, apk);
	digest_once(DIGEST_SHA1, apk->p + at, apk->n - at, ret_sum);
	buf_addstr(apk, buf_str(&data));
	if (r->apk)
		r->apk(apk);
}

/* Damage */

static void fix_sum(char *header)
{
	unsigned sum = 0;

	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + 148, 8, "%06o", sum);
}

/* The last header of the tar made of one entry without pax records. */
static void bad_sum(struct buf *tar) { tar->p[148] ^= 1; }
static void bad_magic(struct buf *tar) { memcpy(tar->p + 257, "ustax", 5); fix_sum(tar->p); }
static void bad_type(struct buf *tar) { tar->p[156] = 'Z'; fix_sum(tar->p); }
static void negative_size(struct buf *tar)
{
	memcpy(tar->p + 124, "-0000000005", 11);
	fix_sum(tar->p);
}

static void negative_base256(struct buf *tar) { memset(tar->p + 124, 0xff, 12); fix_sum(tar->p); }
static void huge_size(struct buf *tar) { memcpy(tar->p + 124, "77777777777", 11); fix_sum(tar->p); }
static void cut_tar(struct buf *tar) { tar->n = 600; }
static void half_end(struct buf *tar) { tar->n -= 512; }
static void more_zeros(struct buf *tar) { buf_addzero(tar, 9000); }
static void bytes_after_end(struct buf *tar) { buf_adds(tar, "x"); }
static void tar_after_end(struct buf *tar) { add_entries(tar, plain); }
static void lying_pax(struct buf *tar) { memcpy(tar->p + 512, "99", 2); }
static void no_equals(struct buf *tar)
{
	char *at = memmem(tar->p, tar->n, "pbth=usr/x", 10);

	assert_non_null(at);
	at[1] = 'a';
	at[4] = '!';
}

static void nul_in_pax(struct buf *tar)
{
	char *at = memmem(tar->p, tar->n, "pbth=usr/x", 10);

	assert_non_null(at);
	at[1] = 'a';
	at[8] = '\0';
}

static void empty_tar(struct buf *tar) { buf_clear(tar); }

static void gz_crc(struct buf *gz) { gz->p[gz->n - 6] ^= 1; }
static void gz_isize(struct buf *gz) { gz->p[gz->n - 3] ^= 1; }
static void gz_isize_high(struct buf *gz) { gz->p[gz->n - 1] ^= 0x7f; }
static void gz_trailing(struct buf *gz) { buf_adds(gz, "trailing"); }
static void gz_zeros(struct buf *gz) { buf_addzero(gz, 512); }
static void gz_again(struct buf *gz)
{
	auto_buf struct buf copy = BUF_INIT(1 << 20);

	buf_addstr(&copy, buf_str(gz));
	buf_addstr(gz, buf_str(&copy));
}
static void gz_not(struct buf *gz) { memset(gz->p, 'x', gz->n); }
static void gz_none(struct buf *gz) { buf_clear(gz); }

static void empty(struct buf *apk) { buf_clear(apk); }
static void not_gzip(struct buf *apk) { apk->p[0] = 'P'; }
static void cut_control(struct buf *apk) { apk->n = 60; }
static void cut_data(struct buf *apk) { apk->n -= 20; }
static void flip_data(struct buf *apk) { apk->p[apk->n - 30] ^= 0x10; }

#define F(name, text) { name, '0', text, NULL, NULL, NULL, 0644 }
#define D(name) { name, '5', NULL, NULL, NULL, NULL, 0755 }
#define L(name, target) { name, '2', target, NULL, NULL, NULL, 0777 }
#define H(name, target) { name, '1', target, NULL, NULL, NULL, 0644 }
#define E(...) (const struct ent[]){ __VA_ARGS__, { 0 } }
#define BARE(name, text) { name, '0', text, "", NULL, NULL, 0644 }
#define SIG(name, text) { name, '0', text, "", NULL, NULL, 0644 }

#define HELLO_SHA1 "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
#define HELLO_Q1 "Q1qvTGHdzF6KLavt4PO0gs2a6pQ00="
#define OTHER_SHA1 "bbf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"

static const struct recipe recipes[] = {
	{ .what = "plain" },
	{ .what = "row 1", .error = "unexpected end of file", .kind = EK_PARSE, .apk = empty },
	{ .what = "row 2", .error = "control section", .kind = EK_PARSE, .apk = not_gzip },
	{ .what = "row 3", .error = "control section", .kind = EK_PARSE, .apk = cut_control },
	{ .what = "row 4", .error = "data hash mismatch", .apk = cut_data },
	{ .what = "row 4, no data", .error = "unexpected end of file", .gz = gz_none },
	{ .what = "row 5, crc", .error = "data section", .gz = gz_crc },
	{ .what = "row 5, length", .error = "data section", .gz = gz_isize },
	{ .what = "row 5, length far off", .error = "data section", .gz = gz_isize_high },
	{ .what = "row 6", .error = "no '.PKGINFO'", .no_pkginfo = true,
	  .control = E(BARE(".trigger", "x")) },
	{ .what = "row 7", .error = "duplicate '.PKGINFO'",
	  .control = E(BARE(".PKGINFO", "pkgname = evil\n")) },
	{ .what = "row 8", .error = "data hash mismatch", .kind = EK_TRUST,
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = "
		     "0000000000000000000000000000000000000000000000000000000000000000\n" },
	{ .what = "row 8, flipped bit", .error = "data hash mismatch",
	  .kind = EK_TRUST, .apk = flip_data },
	{ .what = "row 9", .error = "no datahash",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\n" },
	{ .what = "row 10, short", .error = "datahash",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = abcdef\n" },
	{ .what = "row 10, not hex", .error = "datahash",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = "
		     "x000000000000000000000000000000000000000000000000000000000000000\n" },
	{ .what = "row 11",
	  .error = "control hash mismatch: expected Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=, got Q1",
	  .kind = EK_TRUST, .q = "Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
	{ .what = "row 11, SHA-256", .error = "control hash mismatch: expected Q2",
	  .kind = EK_TRUST,
	  .q = "Q2AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
	{ .what = "row 13", .error = "control hash mismatch: expected , got Q1", .kind = EK_TRUST,
	  .expect_index = true },
	{ .what = "signed", .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature")) },
	{ .what = "row 19, end", .error = "end-of-archive",
	  .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature")),
	  .sig_end = true },
	{ .what = "row 19, entry", .error = "'evil' in signature section",
	  .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature"), BARE("evil", "x")) },
	{ .what = "two signature sections", .error = "'.SIGN.x' in control section",
	  .sig = E(SIG(".SIGN.RSA256.x.rsa.pub", "signature")), .no_pkginfo = true,
	  .control = E(SIG(".SIGN.x", "x")) },
	{ .what = "control, path", .error = "v2 package format error",
	  .control = E(BARE("../x", "x")) },
	{ .what = "control, no dot", .error = "v2 package format error",
	  .control = E(BARE("x", "x")) },
	{ .what = "control, link", .error = "v2 package format error", .control = E(L(".x", "y")) },
	{ .what = "control, old", .error = "'.INSTALL' is obsolete",
	  .control = E(BARE(".INSTALL", "x")) },
	{ .what = "row 21, bytes", .error = "trailing data", .gz = gz_trailing },
	{ .what = "row 21, zeros", .error = "trailing data", .gz = gz_zeros },
	{ .what = "row 21, stream", .error = "trailing data", .gz = gz_again },
	{ .what = "data is not gzip", .error = "data section", .gz = gz_not },
	{ .what = "row 22", .data_no_end = true },
	{ .what = "row 22, half", .tar = half_end },
	{ .what = "padded to records", .tar = more_zeros },
	{ .what = "nothing at all", .tar = empty_tar },
	{ .what = "row 23, byte", .error = "data section", .tar = bytes_after_end },
	{ .what = "row 23, tar", .error = "data section", .tar = tar_after_end },
	/* The same attacks in melange-build 8: X01 X02 X03 X04 X05 X06 X08 X09 X10. */
	{ .what = "X08, dots inside a name", .data = E(F("foo..bar", "x")) },
	{ .what = "row 24", .error = "unsafe name '../evil'", .data = E(F("../evil", "x")) },
	{ .what = "row 25", .error = "unsafe name '../evil'", .data = E(D("../evil")) },
	{ .what = "row 25, itself", .error = "unsafe name '..'", .data = E(D("..")) },
	{ .what = "row 26", .error = "unsafe name 'a/../../evil'",
	  .data = E(F("a/../../evil", "x")) },
	{ .what = "row 27", .error = "unsafe name '/etc/x'", .data = E(F("/etc/x", "x")) },
	{ .what = "row 28", .data = E(D("./"), D("./usr"), F("./usr/x", "x")) },
	{ .what = "row 28, twice", .error = "unsafe name", .data = E(F("././usr", "x")) },
	{ .what = "inner dot", .error = "unsafe name", .data = E(F("usr/./x", "x")) },
	{ .what = "inner empty", .error = "unsafe name", .data = E(F("usr//x", "x")) },
	{ .what = "row 29", .error = "'evil/x' lies beneath the symlink 'evil'",
	  .data = E(L("evil", "/"), F("evil/x", "x")) },
	{ .what = "row 29, later", .error = "'evil/x' lies beneath the symlink 'evil'",
	  .data = E(F("evil/x", "x"), L("evil", "/")) },
	{ .what = "row 29, deeper", .error = "'a/l/b/c/x' lies beneath the symlink 'a/l'",
	  .data = E(D("a"), L("a/l", "/"), F("a/l/b/c/x", "x")) },
	{ .what = "row 29, beneath a file", .error = "'f/x' lies beneath the file 'f'",
	  .data = E(F("f", "x"), F("f/x", "x")) },
	{ .what = "row 30, absent", .error = "no hard link target 'gone'",
	  .data = E(H("h", "gone")) },
	{ .what = "row 30, later", .error = "no hard link target 'f'",
	  .data = E(H("h", "f"), F("f", "x")) },
	{ .what = "row 30, absolute", .error = "no hard link target '/f'",
	  .data = E(F("f", "x"), H("h", "/f")) },
	{ .what = "row 30, directory", .error = "no hard link target 'd'",
	  .data = E(D("d"), H("h", "d")) },
	{ .what = "row 30, symlink", .error = "no hard link target 'l'",
	  .data = E(L("l", "x"), H("h", "l")) },
	{ .what = "hard link, wrong sum", .error = "checksum mismatch: 'h'",
	  .data = E(F("f", "hello"), { "h", '1', "f", OTHER_SHA1, NULL, NULL, 0644 }) },
	{ .what = "row 31", .error = "duplicate path 'x'", .data = E(F("x", "x"), F("x", "x")) },
	{ .what = "row 31, spelt otherwise", .error = "duplicate path 'x'",
	  .data = E(F("x", "x"), F("./x", "x")) },
	{ .what = "row 32", .error = "duplicate path 'x'", .data = E(F("x", "x"), D("x/")) },
	{ .what = "row 33", .data = E(F("no/such/parent", "x")) },
	{ .what = "row 35", .error = "unsafe name 'a?b'", .data = E(F("a\nb", "x")) },
	{ .what = "row 36, path", .error = "data section", .tar = nul_in_pax,
	  .data = E({ "x", '0', "hello", NULL, "pbth", "usr/x", 0644 }) },
	{ .what = "row 36, link", .error = "data section", .tar = nul_in_pax,
	  .data = E({ "l", '2', "t", NULL, "linkpbth", "usr/x", 0777 }) },
	{ .what = "row 37",
	  .error = "checksum mismatch: 'usr/x' header was " OTHER_SHA1 ", computed " HELLO_SHA1,
	  .kind = EK_TRUST, .data = E({ "usr/x", '0', "hello", OTHER_SHA1, NULL, NULL, 0644 }) },
	{ .what = "row 37, symlink", .error = "checksum mismatch: 'l'",
	  .data = E({ "l", '2', "hello", OTHER_SHA1, NULL, NULL, 0777 }) },
	{ .what = "row 37, malformed", .error = "malformed checksum of 'x'",
	  .data = E({ "x", '0', "hello", "zz", NULL, NULL, 0644 }) },
	{ .what = "checksum as Q1", .data = E({ "x", '0', "hello", HELLO_Q1, NULL, NULL, 0644 }) },
	{ .what = "row 38",
	  .data = E(BARE("x", "hello"), { "l", '2', "t", "", NULL, NULL, 0777 }) },
	{ .what = "row 39", .error = "data section", .tar = lying_pax, .data = E(F("x", "hello")) },
	{ .what = "row 39, no =", .error = "data section", .tar = no_equals,
	  .data = E({ "x", '0', "hello", NULL, "pbth", "usr/x", 0644 }) },
	{ .what = "row 40", .error = "data section", .tar = negative_size,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 40, base 256", .error = "data section", .tar = negative_base256,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 41", .error = "data section", .tar = huge_size,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 41, cut", .error = "data section", .tar = cut_tar,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 42, data", .error = "size limit exceeded: limit is 1000 bytes",
	  .lim.max_data = 1000 },
	{ .what = "row 42, control", .error = "size limit exceeded", .lim.max_control = 512 },
	{ .what = "row 42, entries", .error = "size limit exceeded: limit is 1 entries",
	  .lim.max_entries = 1 },
	{ .what = "row 43", .error = "data section", .tar = bad_sum,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 44", .error = "data section", .tar = bad_magic,
	  .data = E(BARE("x", "hello")) },
	{ .what = "row 45", .error = "data section", .tar = bad_type,
	  .data = E(BARE("x", "hello")) },
	{ .what = "sparse", .error = "sparse",
	  .data = E({ "x", '0', "hello", NULL, "GNU.sparse.major", "1", 0644 }) },
	{ .what = "row 46", .error = "size mismatch: expected 7 bytes",
	  .kind = EK_TRUST, .size = 7 },
	{ .what = "row 53, name", .error = "name mismatch: expected 'bar', got 'foo'",
	  .kind = EK_TRUST,
	  .name = "bar" },
	{ .what = "row 53, version", .error = "version mismatch: expected '1.1-r0', got '1.0-r0'",
	  .version = "1.1-r0" },
	{ .what = "row 53, arch",
	  .error = "architecture mismatch: expected 'aarch64', got 'x86_64'",
	  .arch = "aarch64" },
	{ .what = "row 53, right", .name = "foo", .version = "1.0-r0", .arch = "x86_64" },
	{ .what = "no architecture of its own", .arch = "aarch64",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\narch = noarch\ndatahash = %s\n" },
	{ .what = "row 56", .error = "'../foo'",
	  .pkginfo = "pkgname = ../foo\npkgver = 1.0-r0\narch = x86_64\ndatahash = %s\n" },
	{ .what = "version as path", .error = "'1/../../x'",
	  .pkginfo = "pkgname = foo\npkgver = 1/../../x\narch = x86_64\ndatahash = %s\n" },
	{ .what = "row 61", .error = ".PKGINFO",
	  .pkginfo = "pkgname = foo\npkgver = 1.0-r0\nsize = 1s\ndatahash = %s\n" },
	{ .what = "row 61, text", .pkginfo = INFO("pkgdesc = a PKCS#11 tool; really\n") },
	{ .what = "empty link", .error = "symlink target",
	  .data = E({ "l", '2', "", "", NULL, NULL, 0777 }) },
};

/* Around them */

struct fix {
	struct arena a;
	char *dir;
	struct store *s;
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;

	f->dir = dir_temp(&f->a, "test-expand-", &err);
	if (!f->dir)
		return -1;
	f->s = store_open(arena_printf(&f->a, "%s/store", f->dir), &err);
	*state = f;
	return f->s ? 0 : -1;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;

	store_close(f->s);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

static size_t names_left(struct fix *f)
{
	auto_err struct err err = ERR_INIT;
	struct strs tmp = { 0 };

	assert_true(dir_names(arena_printf(&f->a, "%s/tmp", store_dir(f->s)), &f->a, &tmp, &err));
	return tmp.n;
}

static uint64_t objects(struct fix *f)
{
	auto_err struct err err = ERR_INIT;
	const struct store_clean look = { .dry_run = true };
	struct store_usage u;

	assert_true(store_clean(f->s, &look, &u, &err));
	assert_int_equal(names_left(f), 0);
	return u.objects;
}

static void clear_store(struct fix *f)
{
	auto_err struct err err = ERR_INIT;
	const struct store_clean all = { .all = true };
	struct store_usage u;

	assert_true(store_clean(f->s, &all, &u, &err));
}

static int write_apk(struct fix *f, const struct buf *apk)
{
	auto_err struct err err = ERR_INIT;
	char *path = arena_printf(&f->a, "%s/foo.apk", f->dir);

	assert_true(file_write(path, apk->p ? apk->p : "", apk->n, 0644, &err));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static bool run(struct fix *f, const struct recipe *r, bool stream, struct apk_file *ret,
	uint8_t sum[SHA1_SIZE], struct err *err)
{
	auto_buf struct buf apk = BUF_INIT(64 << 20);
	static struct apk_index index;
	struct apk_pkg want = { .name = str_of(r->name), .version = str_of(r->version),
		.arch = str_of(r->arch), .file_size = r->size };
	struct apk_limits lim = r->lim;

	lim.stream = stream;
	if (r->expect_index)
		want.index = &index;
	if (r->q)
		assert_true(apk_q_parse(str_of(r->q), want.checksum, &want.checksum_n));
	bool expect = r->name || r->version || r->arch || r->size || r->expect_index || r->q;
	build(r, &apk, sum);
	auto_fd int fd = write_apk(f, &apk);
	return apk_expand(fd, "foo.apk", expect ? &want : NULL, &lim, f->s, &f->a, ret, err);
}

static void try_recipe(struct fix *f, const struct recipe *r, bool stream)
{
	auto_err struct err err = ERR_INIT;
	struct apk_file file = { .data.fd = -1 }, again;
	uint8_t sum[SHA1_SIZE];
	bool ok = run(f, r, stream, &file, sum, &err);

	if (ok != !r->error || (!ok && !strstr(err.msg, r->error)) ||
	    (!ok && !strstr(err.msg, "'foo.apk'")) ||
	    (!ok && r->kind != EK_NONE && r->kind != err.kind))
		fail_msg("%s%s: %s", r->what, stream ? ", streamed" : "",
			ok ? "expanded" : err.msg);
	assert_int_equal(objects(f), ok ? 3 : 0);
	if (!ok)
		return;
	assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
	assert_int_equal(again.n_entries, file.n_entries);
	apk_file_close(&again);
	apk_file_close(&file);
	clear_store(f);
}

static void every_recipe(void **state)
{
	for (size_t i = 0; i < countof(recipes); i++) {
		try_recipe(*state, &recipes[i], false);
		try_recipe(*state, &recipes[i], true);
	}
}

static const struct ent rich[] = {
	D(".skipped"),
	F(".skipped/x", "not seen"),
	{ "usr", '5', NULL, NULL, NULL, NULL, 02755 },
	D("usr/bin/"),
	{ "usr/bin/tool", '0', "hello", NULL, "SCHILY.xattr.user.x", "a=b\nc", 04755 },
	H("usr/bin/twin", "usr/bin/tool"),
	L("usr/bin/link", "../lib/x"),
	F("usr/empty", ""),
	D(".kept"),
	F(".kept/y", "yes"),
	{ "dev", '6', NULL, NULL, NULL, NULL, 0600 },
	{ 0 },
};
static const struct recipe rich_recipe = {
	.what = "rich", .data = rich, .sig = E(SIG(".SIGN.RSA.x.rsa.pub", "abc")),
	.control = E({ ".post-install", '0', "#!/bin/sh\n", "", NULL, NULL, 0755 },
		BARE(".melange.yaml", "package:\n")),
};

static const struct apk_entry *entry(const struct apk_file *f, const char *name)
{
	for (size_t i = 0; i < f->n_entries; i++)
		if (str_is(f->entries[i].name, name))
			return &f->entries[i];
	return NULL;
}

static void check_rich(const struct apk_file *f)
{
	char hex[41], text[6] = "";

	assert_true(str_is(f->info.name, "foo"));
	assert_int_equal(f->n_entries, 9);
	assert_null(entry(f, ".skipped"));
	assert_non_null(entry(f, ".kept/y"));
	assert_int_equal(entry(f, "usr")->mode, 02755);
	assert_int_equal(entry(f, "usr/bin")->type, '5');
	const struct apk_entry *tool = entry(f, "usr/bin/tool");
	assert_int_equal(tool->mode, 04755);
	assert_int_equal(tool->mtime, 1000000000);
	assert_true(str_is(tool->uname, "root") && str_is(tool->gname, "root"));
	assert_int_equal(tool->n_xattrs, 1);
	assert_true(str_is(tool->xattrs[0].name, "user.x"));
	assert_true(str_is(tool->xattrs[0].val, "a=b\nc"));
	hex_encode(tool->sha1, 20, hex);
	assert_string_equal(hex, HELLO_SHA1);
	assert_int_equal(tool->size, 5);
	assert_int_equal(pread(f->data.fd, text, 5, (off_t)tool->off), 5);
	assert_string_equal(text, "hello");
	const struct apk_entry *twin = entry(f, "usr/bin/twin");
	assert_int_equal(twin->type, '1');
	assert_string_equal(twin->link.p, "usr/bin/tool");
	assert_memory_equal(twin->sha1, tool->sha1, 20);
	assert_string_equal(entry(f, "usr/bin/link")->link.p, "../lib/x");
	assert_int_equal(entry(f, "dev")->type, '6');
	assert_int_equal(f->n_scripts, 1);
	assert_true(str_is(f->scripts[0].name, ".post-install"));
	assert_true(str_is(f->scripts[0].text, "#!/bin/sh\n"));
	assert_int_equal(f->sig_range.start, 0);
	assert_int_equal(f->control_range.start, f->sig_range.end + 1);
	assert_int_equal(f->data_range.start, f->control_range.end + 1);
	assert_int_equal(f->data_range.end + 1, f->info.file_size);
	assert_int_equal(strlen(f->data.id.p), 64);
	assert_string_equal(f->data.name, "foo-1.0-r0");
}

static void what_comes_out(void **state)
{
	struct fix *f = *state;
	for (int stream = 0; stream < 2; stream++) {
		auto_err struct err err = ERR_INIT;
		struct apk_file file, again;
		uint8_t sum[SHA1_SIZE];

		assert_true(run(f, &rich_recipe, stream, &file, sum, &err));
		check_rich(&file);
		assert_memory_equal(file.info.checksum, sum, SHA1_SIZE);
		assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
		check_rich(&again);
		assert_int_equal(again.data_size, file.data_size);
		assert_memory_equal(again.sig_sha1, file.sig_sha1, 20);
		assert_memory_equal(again.control_sha1, file.control_sha1, 20);
		assert_memory_equal(again.data_sha256, file.data_sha256, 32);
		assert_int_equal(again.control.n, file.control.n);
		apk_file_close(&file);
		apk_file_close(&again);
		clear_store(f);
	}
}

static void same_objects_either_way(void **state)
{
	struct fix *f = *state;
	struct buf tars[2] = { BUF_INIT(1 << 20), BUF_INIT(1 << 20) };
	auto_err struct err err = ERR_INIT;

	for (int stream = 0; stream < 2; stream++) {
		struct apk_file file;
		uint8_t sum[SHA1_SIZE];
		assert_true(run(f, &rich_recipe, stream, &file, sum, &err));
		assert_int_equal(lseek(file.data.fd, 0, SEEK_SET), 0);
		assert_true(fd_read_all(file.data.fd, "data", &tars[stream], &err));
		apk_file_close(&file);
		clear_store(f);
	}
	assert_int_equal(tars[0].n, tars[1].n);
	assert_memory_equal(tars[0].p, tars[1].p, tars[0].n);
	buf_release(&tars[0]);
	buf_release(&tars[1]);
}

/* Damage in the store: each object is changed in some way, after which the package is not found,
 * or found whole. */

static char *object_path(struct fix *f, enum store_kind kind, const struct apk_file *file,
	const uint8_t *sum)
{
	char key[41];

	hex_encode(sum, SHA1_SIZE, key);
	return store_path(f->s, kind, kind == STORE_CONTROL ? key : file->data.id.p, &f->a);
}

static void damage(const char *path, int how)
{
	struct stat st;

	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	auto_fd int fd = open(path, O_RDWR);
	char c;
	switch (how) {
	case 0:
		assert_int_equal(truncate(path, 0), 0);
		break;
	case 1:
		assert_int_equal(truncate(path, st.st_size - 1), 0);
		break;
	case 2:
		assert_int_equal(pread(fd, &c, 1, st.st_size - 1), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, st.st_size - 1), 1);
		break;
	case 3:
		assert_int_equal(pread(fd, &c, 1, st.st_size / 2), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, st.st_size / 2), 1);
		break;
	case 4:
		assert_int_equal(unlink(path), 0);
		break;
	default:
		assert_int_equal(pread(fd, &c, 1, 0), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, 0), 1);
		break;
	}
}

static void damage_in_the_store(void **state)
{
	static const enum store_kind kinds[] = { STORE_CONTROL, STORE_DATA, STORE_ENTRIES };
	struct fix *f = *state;

	for (size_t k = 0; k < countof(kinds); k++) {
		for (int how = 0; how < 6; how++) {
			auto_err struct err err = ERR_INIT;
			struct apk_file file, again;
			uint8_t sum[SHA1_SIZE];

			assert_true(run(f, &rich_recipe, false, &file, sum, &err));
			damage(object_path(f, kinds[k], &file, sum), how);
			assert_false(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
			assert_int_equal(err.kind, EK_NONE);
			apk_file_close(&file);
			/* And mended by expanding again. */
			assert_true(run(f, &rich_recipe, false, &file, sum, &err));
			check_rich(&file);
			apk_file_close(&file);
			assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
			check_rich(&again);
			apk_file_close(&again);
			clear_store(f);
		}
	}
}

/* A copy of the store is another set of files with the same bytes: believed after a look. */
static void copied_data_is_checked_once(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf tar = BUF_INIT(1 << 20);
	struct apk_file file, again;
	uint8_t sum[SHA1_SIZE];

	assert_true(run(f, &rich_recipe, false, &file, sum, &err));
	char *path = object_path(f, STORE_DATA, &file, sum);
	assert_true(file_read(path, &tar, &err));
	assert_int_equal(unlink(path), 0);
	assert_true(file_write(path, tar.p, tar.n, 0444, &err));
	for (int i = 0; i < 2; i++) {
		assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
		check_rich(&again);
		apk_file_close(&again);
	}
	apk_file_close(&file);
}

static void shared_data_is_not_expanded_twice(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct recipe other = rich_recipe;
	struct apk_file a, b;
	uint8_t sum[SHA1_SIZE];

	other.pkginfo = INFO("pkgdesc = the same data under another name\n");
	assert_true(run(f, &rich_recipe, false, &a, sum, &err));
	assert_true(run(f, &other, false, &b, sum, &err));
	check_rich(&b);
	assert_int_equal(objects(f), 4);
	apk_file_close(&b);
	/* Its file is verified all the same, and its limits hold. */
	other.apk = flip_data;
	assert_false(run(f, &other, false, &b, sum, &err));
	assert_non_null(strstr(err.msg, "data hash mismatch"));
	err_release(&err);
	other.apk = NULL;
	other.lim.max_data = 100;
	assert_false(run(f, &other, false, &b, sum, &err));
	assert_non_null(strstr(err.msg, "size limit exceeded"));
	apk_file_close(&a);
}

static void identity_by_sha256(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf apk = BUF_INIT(1 << 20);
	struct apk_pkg want = { .checksum_n = SHA256_SIZE };
	struct apk_file file;
	struct apk_control c;
	uint8_t sum[SHA1_SIZE];

	build(&rich_recipe, &apk, sum);
	auto_fd int fd = write_apk(f, &apk);
	assert_true(apk_read_control(fd, "foo.apk", &f->a, &c, &err));
	assert_memory_equal(c.info.checksum, sum, SHA1_SIZE);
	assert_int_equal(c.control_size, c.control_gz.n);
	assert_true(c.sig_size > 0 && str_starts(c.sig_tar, S(".SIGN.RSA.x.rsa.pub")));
	digest_once(DIGEST_SHA256, c.control_gz.p, c.control_gz.n, want.checksum);
	assert_true(apk_expand(fd, "foo.apk", &want, NULL, f->s, &f->a, &file, &err));
	apk_file_close(&file);
	assert_true(apk_open_stored(f->s, want.checksum, SHA256_SIZE, &f->a, &file, &err));
	check_rich(&file);
	apk_file_close(&file);
	assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &file, &err));
	apk_file_close(&file);
	want.checksum[0] ^= 1;
	assert_false(apk_open_stored(f->s, want.checksum, SHA256_SIZE, &f->a, &file, &err));
}

/* Every cut and many single changes of a table: it loads as it was, or not at all. */
static void hostile_tables(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_enttab struct enttab t;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	const struct enttab_stamp stamp = { .size = 5000 };
	struct enttab_loaded got;
	struct tar_pax pax[] = { { S("SCHILY.xattr.a"), S("b") } };

	enttab_init(&t);
	for (int i = 0; i < 3; i++) {
		const char *names[] = { "usr", "usr/x", "y" };
		struct apk_entry e = { .name = str_of(names[i]), .type = '0', .size = 10,
			.off = 4990 };
		enttab_add(&t, &e, &(struct tar_paxes){ pax, i == 1, 1 });
	}
	enttab_write(&t, &stamp, 7, &b);
	assert_true(enttab_load(buf_str(&b), &a, &got));
	assert_int_equal(got.n, 3);
	assert_int_equal(got.crc, 7);
	assert_true(str_is(got.entries[1].xattrs[0].name, "a"));
	for (size_t n = 0; n < b.n; n++)
		assert_false(enttab_load(str_n(b.p, n), &a, &got));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 0x41;
		assert_false(enttab_load(buf_str(&b), &a, &got));
		b.p[i] ^= 0x41;
	}
	/* With the checksum made right again, the bounds must hold by themselves. */
	for (size_t i = 16; i < b.n; i++) {
		auto_buf struct buf bad = BUF_INIT(1 << 20);
		struct enttab_stamp s;
		buf_addstr(&bad, buf_str(&b));
		bad.p[i] ^= (char)0xc1;
		memcpy(&s, bad.p + 16, sizeof(s));
		enttab_restamp(bad.p, bad.n, &s);
		if (!enttab_load(buf_str(&bad), &a, &got))
			continue;
		for (size_t k = 0; k < got.n; k++)
			assert_true(got.entries[k].off + got.entries[k].size <= s.size &&
				strlen(got.entries[k].name.p) == got.entries[k].name.n);
	}
}

static void unpacked_tree(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(100);
	struct apk_file file;
	struct stat st, twin;
	uint8_t sum[SHA1_SIZE];

	assert_true(run(f, &rich_recipe, false, &file, sum, &err));
	assert_true(apk_unpack_tree(f->s, &file, &err));
	assert_true(apk_unpack_tree(f->s, &file, &err));
	const char *root = store_path(f->s, STORE_TREE, file.data.id.p, &f->a);
	auto_fd int fd = open(root, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(fd, "usr", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtime, 1000000000);
	assert_int_equal(fstatat(fd, "usr/bin/tool", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
	assert_int_equal(st.st_mtime, 1000000000);
	assert_int_equal(fstatat(fd, "usr/bin/twin", &twin, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(twin.st_ino, st.st_ino);
	assert_int_equal(fstatat(fd, "usr/bin/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(fstatat(fd, "dev", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(fd, ".skipped", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_true(file_read(arena_printf(&f->a, "%s/.kept/y", root), &b, &err));
	assert_string_equal(b.p, "yes");
	/* After another boot a file that is cut is found out. */
	char *marker = arena_printf(&f->a, "tree-%s", file.data.id.p);
	assert_true(store_put(f->s, STORE_PLAN, marker, "other\n", 6, &err));
	assert_int_equal(truncate(arena_printf(&f->a, "%s/.kept/y", root), 0), 0);
	assert_true(apk_unpack_tree(f->s, &file, &err));
	buf_clear(&b);
	assert_true(file_read(arena_printf(&f->a, "%s/.kept/y", root), &b, &err));
	assert_string_equal(b.p, "yes");
	apk_file_close(&file);
}

/* Directories that shut themselves, and parents that have no entry. */
static void unpacked_awkward_tree(void **state)
{
	static const struct ent awkward[] = {
		{ "shut", '5', NULL, NULL, NULL, NULL, 0 },
		{ "shut/in", '5', NULL, NULL, NULL, NULL, 0500 },
		F("shut/in/file", "x"),
		F("no/such/parent/file", "y"),
		F("z", "z"),
		H("shut/twin", "no/such/parent/file"),
		{ 0 },
	};
	const struct recipe r = { .what = "awkward", .data = awkward };
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_file file;
	struct stat st;
	uint8_t sum[SHA1_SIZE];

	assert_true(run(f, &r, false, &file, sum, &err));
	assert_true(apk_unpack_tree(f->s, &file, &err));
	const char *root = store_path(f->s, STORE_TREE, file.data.id.p, &f->a);
	assert_int_equal(stat(arena_printf(&f->a, "%s/shut", root), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0);
	assert_int_equal(stat(arena_printf(&f->a, "%s/no/such/parent", root), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(arena_printf(&f->a, "%s/no/such/parent/file", root), &st), 0);
	assert_int_equal(st.st_nlink, 2);
	apk_file_close(&file);
}

/* A local repository of two packages. */

static void put_in_repo(struct fix *f, const char *dir, const char *name, const char *text,
	struct apk_pkg *ret)
{
	auto_buf struct buf apk = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct recipe r = { .data = E(F("file", text)) };

	r.pkginfo = arena_printf(&f->a, "pkgname = %s\npkgver = 1-r0\narch = x86_64\n"
		"datahash = %%s\n", name);
	*ret = (struct apk_pkg){ .name = str_of(name), .version = S("1-r0"), .arch = S("x86_64"),
		.checksum_n = SHA1_SIZE };
	build(&r, &apk, ret->checksum);
	ret->file_size = apk.n;
	assert_true(file_write(arena_printf(&f->a, "%s/%s-1-r0.apk", dir, name), apk.p, apk.n,
		0644, &err));
}

static void fetching(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .base = str_of(f->dir), .is_local = true, .arch = S("x86_64") };
	struct apk_pkg pkgs[20];
	const struct apk_pkg *list[20];
	struct apk_file files[20];
	struct pool *pool = pool_new(3);
	const struct apk_fetch how = { .store = f->s, .pool = pool };

	for (int i = 0; i < 20; i++) {
		char *name = arena_printf(&f->a, "pkg%d", i);
		put_in_repo(f, f->dir, name, name, &pkgs[i]);
		pkgs[i].index = &index;
		list[i] = &pkgs[i];
	}
	for (int round = 0; round < 2; round++) {
		assert_true(apk_fetch_all(&how, list, 20, &f->a, files, &err));
		for (int i = 0; i < 20; i++) {
			assert_ptr_equal(files[i].pkg, list[i]);
			assert_true(str_eq(files[i].info.name, pkgs[i].name));
			assert_int_equal(files[i].n_entries, 1);
			apk_file_close(&files[i]);
		}
		/* From now on out of the store. */
		for (int i = 0; i < 20; i++)
			(void)unlink(arena_printf(&f->a, "%s/pkg%d-1-r0.apk", f->dir, i));
	}
	clear_store(f);
	put_in_repo(f, f->dir, "pkg0", "pkg0", &pkgs[0]);
	pkgs[0].index = &index;
	assert_false(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	assert_non_null(strstr(err.msg, "pkg"));
	assert_non_null(strstr(err.msg, f->dir));
	pool_free(pool);
}

/* Without a client, a remote package is only had from the store. */
static void remote_without_network(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .base = str_of(f->dir), .is_local = true };
	struct apk_pkg p;
	const struct apk_pkg *list = &p;
	struct apk_file file;
	struct pool *pool = pool_new(2);
	const struct apk_fetch how = { .store = f->s, .pool = pool };

	put_in_repo(f, f->dir, "pkg", "x", &p);
	p.index = &index;
	assert_true(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	apk_file_close(&file);
	index = (struct apk_index){ .base = S("https://user:secret@repo.invalid/x86_64") };
	assert_true(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	apk_file_close(&file);
	clear_store(f);
	assert_false(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	assert_int_equal(err.kind, EK_NETWORK);
	assert_non_null(strstr(err.msg, "repo.invalid/x86_64/pkg-1-r0.apk"));
	assert_null(strstr(err.msg, "secret"));
	assert_int_equal(objects(f), 0);
	pool_free(pool);
}

/* A server of the files in a directory: one request per connection. */

static void answer(int c, const char *dir)
{
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf body = BUF_INIT(1 << 20), head = BUF_INIT(1000);
	char req[4096] = "", path[200];
	ssize_t n = 0, got;

	while (n < (ssize_t)sizeof(req) - 1 && !strstr(req, "\r\n\r\n") &&
	       (got = read(c, req + n, sizeof(req) - 1 - (size_t)n)) > 0)
		n += got;
	if (sscanf(req, "GET %199s ", path) != 1)
		return;
	bool ok = file_read(arena_printf(&a, "%s%s", dir, path), &body, &err);
	buf_printf(&head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		ok ? "200 OK" : "404 Not Found", body.n);
	err_release(&err);
	(void)(fd_write_all(c, head.p, head.n, "socket", &err) &&
		fd_write_all(c, body.p ? body.p : "", body.n, "socket", &err));
}

static pid_t serve(const char *dir, int *ret_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&addr, &len), 0);
	assert_int_equal(listen(s, 50), 0);
	*ret_port = ntohs(addr.sin_port);
	pid_t pid = fork();
	if (pid == 0)
		(void)signal(SIGPIPE, SIG_IGN);	/* clients hang up */
	for (int c; pid == 0 && (c = accept(s, NULL, NULL)) >= 0; close(c))
		answer(c, dir);
	if (pid == 0)
		_exit(0);
	close(s);
	return pid;
}

static void fetching_from_a_server(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .arch = S("x86_64") };
	struct apk_pkg pkgs[20];
	const struct apk_pkg *list[20];
	struct apk_file files[20];
	int port = 0;
	char *dir = arena_printf(&f->a, "%s/www", f->dir);

	assert_int_equal(mkdir(dir, 0755), 0);
	for (int i = 0; i < 20; i++) {
		char *name = arena_printf(&f->a, "pkg%d", i);
		put_in_repo(f, dir, name, name, &pkgs[i]);
		pkgs[i].index = &index;
		list[i] = &pkgs[i];
	}
	pid_t pid = serve(dir, &port);
	index.base = arena_strf(&f->a, "http://127.0.0.1:%d", port);
	struct pool *pool = pool_new(3);
	auto_http struct http *http = http_new(&(struct http_opts){ .pause_ns = 1000000 }, &err);
	const struct apk_fetch how = { .store = f->s, .pool = pool, .http = http };
	assert_non_null(http);
	assert_true(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	for (int i = 0; i < 20; i++) {
		assert_true(str_eq(files[i].info.name, pkgs[i].name));
		apk_file_close(&files[i]);
	}
	assert_int_equal(objects(f), 60);
	clear_store(f);
	/* Not there, then not what was promised. */
	char *gone = arena_printf(&f->a, "%s/pkg7-1-r0.apk", dir);
	assert_int_equal(unlink(gone), 0);
	assert_false(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	assert_non_null(strstr(err.msg, "/pkg7-1-r0.apk"));
	assert_int_equal(names_left(f), 0);
	err_release(&err);
	assert_int_equal(link(arena_printf(&f->a, "%s/pkg8-1-r0.apk", dir), gone), 0);
	pkgs[7].file_size = 0;
	assert_false(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	if (!strstr(err.msg, "/pkg7-1-r0.apk': control hash mismatch"))
		fail_msg("%s", err.msg);
	assert_int_equal(err.kind, EK_TRUST);
	assert_int_equal(names_left(f), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	pool_free(pool);
}

static void what_is_stored_must_agree_too(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .base = str_of(f->dir), .is_local = true, .arch = S("x86_64") };
	struct apk_pkg p;
	const struct apk_pkg *list = &p;
	struct apk_file file;
	struct pool *pool = pool_new(1);
	const struct apk_fetch how = { .store = f->s, .pool = pool };

	put_in_repo(f, f->dir, "pkg", "x", &p);
	p.index = &index;
	assert_true(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	apk_file_close(&file);
	p.file_size++;
	assert_false(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	assert_non_null(strstr(err.msg, "size mismatch"));
	pool_free(pool);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_recipe), T(what_comes_out), T(same_objects_either_way),
		T(damage_in_the_store), T(copied_data_is_checked_once),
		T(shared_data_is_not_expanded_twice), T(identity_by_sha256), T(hostile_tables),
		T(unpacked_tree), T(unpacked_awkward_tree), T(fetching), T(remote_without_network),
		T(fetching_from_a_server),
		T(what_is_stored_must_agree_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
