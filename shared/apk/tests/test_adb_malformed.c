#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/adbpkg.h"
#include "shared/apk/expand.h"
#include "shared/apk/repo.h"
#include "shared/apk/tests/made_adb.h"
#include "shared/apk/tests/repofix.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* Malformed v3 files, rows 62 to 68 of apk-format 8, and what of the other rows has to do with
 * entries: each gives one error that names file and reason, and the store stays empty. */

/* Packages: foo 1.0-r0 with the file etc/file, put together by the steps of a row. */

struct row {
	int row;
	const char *what, *error;	/* NULL: it is accepted */
	uint32_t (*paths)(struct made_adb *m);	/* NULL: plain_paths */
	void (*values)(struct made_adb *m);	/* changes the ADB before it is signed */
	void (*blocks)(struct made_adb *m);	/* NULL: signature and data */
	enum made_comp comp;
	void (*file)(struct buf *b);		/* changes the whole file */
	uint32_t schema;			/* 0: package */
};

static uint32_t dir_with(struct made_adb *m, const char *name, uint32_t files)
{
	uint32_t acl = made_acl(m, 0755, "root", "root"), n = made_text(m, name);

	return made_list(m, n, acl, files);
}

static uint32_t plain_paths(struct made_adb *m)
{
	uint32_t file = made_file(m, "file", "hello", 0);

	return made_list(m, dir_with(m, "etc", made_list(m, file)));
}

static void signature(struct made_adb *m) { made_sig(m, repofix_key); }
static void data(struct made_adb *m) { made_data(m, 1, 1, "hello"); }
static void all_blocks(struct made_adb *m) { signature(m); data(m); }

static void make(const struct row *r, struct made_adb *m)
{
	made_adb_init(m, r->schema ? r->schema : ADB_SCHEMA_PACKAGE);
	uint32_t name = made_text(m, "foo"), version = made_text(m, "1.0-r0");
	uint32_t arch = made_text(m, "x86_64");
	uint32_t info = made_list(m, name, version, 0, 0, arch);
	made_adb_root(m, made_list(m, info, (r->paths ? r->paths : plain_paths)(m)));
	if (r->values)
		r->values(m);
	(r->blocks ? r->blocks : all_blocks)(m);
}

/* Blocks */

static void by_other(struct made_adb *m) { made_sig(m, repofix_other); data(m); }
static void unsigned_data(struct made_adb *m) { data(m); }
static void bad_signature(struct made_adb *m)
{
	made_sig(m, repofix_key);
	m->blocks.p[100] ^= 1;
	data(m);
}
static void bad_and_good(struct made_adb *m) { bad_signature(m); m->blocks.n -= 24; all_blocks(m); }
static void flipped(struct made_adb *m) { signature(m); made_data(m, 1, 1, "hellO"); }
static void wrong_path(struct made_adb *m) { signature(m); made_data(m, 2, 1, "hello"); }
static void wrong_file(struct made_adb *m) { signature(m); made_data(m, 1, 2, "hello"); }
static void short_data(struct made_adb *m) { signature(m); made_data(m, 1, 1, "hell"); }
static void no_head(struct made_adb *m)
{
	signature(m);
	made_block(m, ADB_BLOCK_DATA, S("\1\0\0"));
}
static void twice(struct made_adb *m) { all_blocks(m); data(m); }
static void second_adb(struct made_adb *m)
{
	signature(m);
	made_block(m, ADB_BLOCK_ADB, buf_str(&m->payload));
	data(m);
}
static void late_signature(struct made_adb *m) { data(m); signature(m); }
static void unknown_block(struct made_adb *m)
{
	/* extended: type 7, no flags, a size of 16 */
	buf_add(&m->blocks, "\7\0\0\300\0\0\0\0\20\0\0\0\0\0\0\0", 16);
}
static void extended(struct made_adb *m)
{
	signature(m);
	buf_add(&m->blocks, "\2\0\0\300\0\0\0\0\35\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0hello\0\0\0", 32);
}
static void large_signature(struct made_adb *m)
{
	static char big[ADB_SIG_MAX + 1];

	made_block(m, ADB_BLOCK_SIG, str_n(big, sizeof(big)));
	all_blocks(m);
}
static void bad_padding(struct made_adb *m) { all_blocks(m); m->blocks.p[m->blocks.n - 1] = 1; }
static void tiny_block(struct made_adb *m) { buf_add(&m->blocks, "\3\0\0\200\0\0\0\0", 8); }

/* Files */

static void flip(struct buf *b, size_t at) { b->p[at] = (char)(b->p[at] ^ 1); }
static void flip_adb(struct buf *b) { flip(b, 12 + 8 + 1); }
static void empty(struct buf *b) { buf_clear(b); }
static void cut_magic(struct buf *b) { b->n = 3; }
static void cut_head(struct buf *b) { b->n = 10; }
static void cut_adb(struct buf *b) { b->n = 40; }
static void cut_data(struct buf *b) { b->n -= 4; }
static void cut_much(struct buf *b) { b->n /= 2; }
static void more(struct buf *b) { buf_adds(b, "more"); }
static void more_zeros(struct buf *b) { buf_addzero(b, 64); }
static void bad_magic(struct buf *b) { b->p[3] = '!'; }
static void bad_algorithm(struct buf *b) { b->p[4] = 9; }
static void inner_compression(struct buf *b)
{
	/* what is compressed has to be a plain file */
	buf_clear(b);
	buf_add(b, "ADBc\0\0ADBdpckg", 14);
}

/* Values */

static void version_1(struct made_adb *m) { m->payload.p[0] = 1; }
static void set_root(struct made_adb *m, uint32_t v) { made_adb_root(m, v); }
static void outside(struct made_adb *m) { set_root(m, 14u << 28 | ((uint32_t)m->payload.n + 4)); }
static void beyond(struct made_adb *m) { set_root(m, 14u << 28 | ((uint32_t)m->payload.n - 4)); }
static void no_slots(struct made_adb *m)
{
	buf_addzero(&m->payload, 4);
	set_root(m, 14u << 28 | ((uint32_t)m->payload.n - 4));
}
static void unaligned(struct made_adb *m) { set_root(m, 14u << 28 | 9); }
static void in_the_head(struct made_adb *m) { set_root(m, 14u << 28 | 4); }
static void root_is_blob(struct made_adb *m) { set_root(m, made_text(m, "x")); }
static void forward(struct made_adb *m)
{
	/* info lies behind the root */
	uint32_t at = (uint32_t)m->payload.n;
	buf_addzero(&m->payload, -at % 4);
	at = (uint32_t)m->payload.n;
	uint32_t words[] = { htole32(2), htole32(14u << 28 | (at + 8)), htole32(1) };
	buf_add(&m->payload, words, sizeof(words));
	set_root(m, 14u << 28 | at);
}
static void cycle(struct made_adb *m)
{
	uint32_t at = (uint32_t)m->payload.n;
	uint32_t words[] = { htole32(2), htole32(14u << 28 | at) };
	buf_add(&m->payload, words, sizeof(words));
	set_root(m, 14u << 28 | at);
}
static void info_is_number(struct made_adb *m) { set_root(m, made_list(m, made_int(m, 3))); }
static void long_blob(struct made_adb *m)
{
	uint32_t blob = made_text(m, "x");
	m->payload.p[blob & 0xfffffff] = (char)255;
	set_root(m, made_list(m, made_list(m, blob)));
}
static void nothing(struct made_adb *m) { set_root(m, 0); }
static void slash_name(struct made_adb *m)
{
	uint32_t name = made_text(m, "a/b"), version = made_text(m, "1");
	set_root(m, made_list(m, made_list(m, name, version)));
}
static void dot_version(struct made_adb *m)
{
	uint32_t name = made_text(m, "foo"), version = made_text(m, "1/../x");
	set_root(m, made_list(m, made_list(m, name, version)));
}
static void other_name(struct made_adb *m)
{
	uint32_t name = made_text(m, "bar"), version = made_text(m, "1.0-r0");
	set_root(m, made_list(m, made_list(m, name, version)));
}
static void line_in_description(struct made_adb *m)
{
	uint32_t name = made_text(m, "foo"), version = made_text(m, "1.0-r0");
	uint32_t text = made_text(m, "a\nP:evil");
	set_root(m, made_list(m, made_list(m, name, version, 0, text)));
}
/* Shared arrays, each of which holds the one before many times. */
static void multiplied(struct made_adb *m)
{
	uint32_t many[150];
	uint32_t file = made_file(m, "f", "", 0), files, dir;
	for (size_t i = 0; i < countof(many); i++)
		many[i] = file;
	files = made_obj(m, many, countof(many));
	dir = dir_with(m, "d", files);
	for (size_t i = 0; i < countof(many); i++)
		many[i] = dir;
	set_root(m, made_list(m, 0, made_obj(m, many, countof(many))));
}

/* Entries */

static const char *some_hash(void)
{
	static const char hash[SHA256_SIZE] = "of nothing in particular";

	return hash;
}
static uint32_t one_file(struct made_adb *m, const char *dir, uint32_t file)
{
	return made_list(m, dir_with(m, dir, made_list(m, file)));
}
static uint32_t dots(struct made_adb *m) { return one_file(m, "etc", made_file(m, "..", "", 0)); }
static uint32_t slash(struct made_adb *m) { return one_file(m, "etc", made_file(m, "a/b", "", 0)); }
static uint32_t absolute(struct made_adb *m)
{
	return one_file(m, "/etc", made_file(m, "f", "", 0));
}
static uint32_t dotdot(struct made_adb *m)
{
	return one_file(m, "a/../b", made_file(m, "f", "", 0));
}
static uint32_t newline(struct made_adb *m)
{
	return one_file(m, "e\nF:", made_file(m, "f", "", 0));
}
static uint32_t two_alike(struct made_adb *m)
{
	uint32_t a = made_file(m, "f", "", 0), b = made_file(m, "f", "", 0);
	return made_list(m, dir_with(m, "etc", made_list(m, a, b)));
}
static uint32_t beside_link(struct made_adb *m, const char *dir)
{
	uint32_t link = made_link(m, "evil", S_IFLNK, S("/"));
	uint32_t top = dir_with(m, "", made_list(m, link));
	uint32_t file = made_file(m, "f", "", 0);
	return made_list(m, top, dir_with(m, dir, made_list(m, file)));
}
static uint32_t beneath_link(struct made_adb *m) { return beside_link(m, "evil"); }
static uint32_t deep_beneath_link(struct made_adb *m) { return beside_link(m, "evil/sub"); }
static uint32_t link_to_nothing(struct made_adb *m)
{
	return one_file(m, "etc", made_link(m, "f", S_IFREG, S("etc/absent")));
}
static uint32_t link_away(struct made_adb *m)
{
	return one_file(m, "etc", made_link(m, "f", S_IFREG, S("../../x")));
}
static uint32_t empty_target(struct made_adb *m)
{
	return one_file(m, "etc", made_link(m, "f", S_IFLNK, S("")));
}
static uint32_t unknown_kind(struct made_adb *m)
{
	return one_file(m, "etc", made_link(m, "f", S_IFSOCK, S("x")));
}
static uint32_t short_device(struct made_adb *m)
{
	return one_file(m, "dev", made_link(m, "f", S_IFCHR, S("\1\3")));
}
static uint32_t odd_mode(struct made_adb *m)
{
	return one_file(m, "etc", made_file(m, "f", "", made_acl(m, 0100644, "root", "root")));
}
static uint32_t odd_owner(struct made_adb *m)
{
	return one_file(m, "etc", made_file(m, "f", "", made_acl(m, 0644, "a:b", "root")));
}
static uint32_t no_hash(struct made_adb *m)
{
	uint32_t name = made_text(m, "file");
	return one_file(m, "etc", made_list(m, name, 0, made_int(m, 5)));
}
static uint32_t wrong_empty(struct made_adb *m)
{
	uint32_t name = made_text(m, "file"), hash = made_blob(m, str_n(some_hash(), SHA256_SIZE));
	return one_file(m, "etc", made_list(m, name, 0, 0, 0, hash));
}
static uint32_t huge(struct made_adb *m)
{
	uint32_t name = made_text(m, "file"), size = made_int(m, 1ull << 62);
	uint32_t hash = made_blob(m, str_n(some_hash(), SHA256_SIZE));
	return one_file(m, "etc", made_list(m, name, 0, size, 0, hash));
}

static const struct row rows[] = {
	{ .row = 0, .what = "good" },
	{ .row = 0, .what = "good, deflate", .comp = MADE_DEFLATE },
	{ .row = 0, .what = "good, zstd", .comp = MADE_ZSTD },
	{ .row = 0, .what = "good, extended block", .blocks = extended },
	{ .row = 15, .what = "by an unknown key: the index vouches", .blocks = by_other },
	{ .row = 15, .what = "not signed: the index vouches", .blocks = unsigned_data },
	{ .row = 16, .what = "bad signature", .blocks = bad_signature,
	  .error = "bad signature: no known key signed the package" },
	{ .row = 16, .what = "bad and good signature", .blocks = bad_and_good },
	{ .row = 20, .what = "large signature", .blocks = large_signature,
	  .error = "size limit exceeded: limit is 16384 bytes" },
	{ .row = 62, .what = "flipped in the ADB", .file = flip_adb,
	  .error = "bad signature: no known key signed the package" },
	{ .row = 62, .what = "flipped in the ADB, unsigned", .file = flip_adb,
	  .blocks = unsigned_data, .error = "package hash mismatch: expected Q2" },
	{ .row = 62, .what = "unknown schema", .schema = 0x12345678,
	  .error = "not a package: ADB schema 0x12345678" },
	{ .row = 62, .what = "index as package", .schema = ADB_SCHEMA_INDEX,
	  .error = "not a package: ADB schema 0x78646e69" },
	{ .row = 63, .what = "flipped data", .blocks = flipped,
	  .error = "file integrity error: 'etc/file' is not what its hash says" },
	{ .row = 63, .what = "hash of an empty file", .paths = wrong_empty, .blocks = signature,
	  .error = "file integrity error: 'etc/file' is empty, which its hash denies" },
	{ .row = 64, .what = "wrong directory", .blocks = wrong_path,
	  .error = "ADB block error: data of 2/1 where 'etc/file' (1/1) is due" },
	{ .row = 64, .what = "wrong file", .blocks = wrong_file, .error = "data of 1/2 where" },
	{ .row = 64, .what = "wrong size", .blocks = short_data,
	  .error = "ADB block error: 4 bytes of data for 'etc/file'" },
	{ .row = 64, .what = "no room for numbers", .blocks = no_head,
	  .error = "ADB block error: not a data block" },
	{ .row = 64, .what = "no data", .blocks = signature,
	  .error = "ADB block error: no data of 'etc/file'" },
	{ .row = 64, .what = "data twice", .blocks = twice,
	  .error = "ADB block error: data that no file is due" },
	{ .row = 64, .what = "second ADB", .blocks = second_adb, .error = "ADB block error: block of" },
	{ .row = 64, .what = "signature behind data", .blocks = late_signature,
	  .error = "ADB block error: block of type 1" },
	{ .row = 64, .what = "unknown block", .blocks = unknown_block,
	  .error = "ADB block error: block of type 7" },
	{ .row = 64, .what = "block without room for its header", .blocks = tiny_block,
	  .error = "ADB block error: block of type 2, 3 bytes" },
	{ .row = 64, .what = "padding", .blocks = bad_padding, .error = "padding is not zero" },
	{ .row = 64, .what = "trailing bytes", .file = more, .error = "ADB block error" },
	{ .row = 64, .what = "trailing zeros", .file = more_zeros, .error = "ADB block error" },
	{ .row = 64, .what = "trailing bytes, deflate", .file = more, .comp = MADE_DEFLATE,
	  .error = "trailing bytes behind the compressed data" },
	{ .row = 64, .what = "trailing bytes, zstd", .file = more, .comp = MADE_ZSTD,
	  .error = "trailing bytes behind the compressed data" },
	{ .row = 65, .what = "compat version", .values = version_1,
	  .error = "incompatible ADB version 1" },
	{ .row = 66, .what = "magic", .file = bad_magic, .error = "ADB compression not supported" },
	{ .row = 66, .what = "algorithm", .file = bad_algorithm, .comp = MADE_NONE,
	  .error = "ADB compression not supported: algorithm 9" },
	{ .row = 66, .what = "compressed twice", .file = inner_compression,
	  .error = "not an ADB file: bad magic" },
	{ .row = 67, .what = "empty", .file = empty, .error = "unexpected end of" },
	{ .row = 67, .what = "cut in the magic", .file = cut_magic, .error = "unexpected end of" },
	{ .row = 67, .what = "cut in the header", .file = cut_head, .error = "unexpected end of" },
	{ .row = 67, .what = "cut in the ADB", .file = cut_adb, .error = "unexpected end of" },
	{ .row = 67, .what = "cut in the data", .file = cut_data, .error = "unexpected end of" },
	{ .row = 67, .what = "cut, deflate", .file = cut_much, .comp = MADE_DEFLATE,
	  .error = "unexpected end of" },
	{ .row = 67, .what = "cut, zstd", .file = cut_data, .comp = MADE_ZSTD,
	  .error = "unexpected end of" },
	{ .row = 68, .what = "offset outside", .values = outside, .error = "points outside of the ADB" },
	{ .row = 68, .what = "slots outside", .values = beyond, .error = "ADB schema error" },
	{ .row = 68, .what = "no slots", .values = no_slots, .error = "has no slots" },
	{ .row = 68, .what = "not aligned", .values = unaligned, .error = "is not aligned" },
	{ .row = 68, .what = "in the head", .values = in_the_head, .error = "points outside of the ADB" },
	{ .row = 68, .what = "a blob for an object", .values = root_is_blob,
	  .error = "is neither an object nor an array" },
	{ .row = 68, .what = "a number for an object", .values = info_is_number,
	  .error = "is neither an object nor an array" },
	{ .row = 68, .what = "refers to what is behind", .values = forward,
	  .error = "does not lie in front of what refers to it" },
	{ .row = 68, .what = "cycle", .values = cycle,
	  .error = "does not lie in front of what refers to it" },
	{ .row = 68, .what = "a blob that is too long", .values = long_blob,
	  .error = "points outside of the ADB" },
	{ .row = 68, .what = "multiplied", .values = multiplied, .error = "is one of too many" },
	{ .row = 53, .what = "other name", .values = other_name, .error = "name mismatch" },
	{ .row = 56, .what = "no name", .values = nothing, .error = "an unusable name" },
	{ .row = 56, .what = "slash in the name", .values = slash_name, .error = "an unusable name" },
	{ .row = 56, .what = "slash in the version", .values = dot_version,
	  .error = "an unusable version" },
	{ .row = 61, .what = "line break in a text", .values = line_in_description,
	  .error = "a control character in a text" },
	{ .row = 24, .what = "..", .paths = dots, .error = "'..' is an unsafe name" },
	{ .row = 26, .what = "slash", .paths = slash, .error = "'a/b' is an unsafe name" },
	{ .row = 26, .what = "dots in a directory", .paths = dotdot, .error = "is an unsafe name" },
	{ .row = 27, .what = "absolute", .paths = absolute, .error = "'/etc' is an unsafe name" },
	{ .row = 29, .what = "beneath a link", .paths = deep_beneath_link, .blocks = signature,
	  .error = "'evil/sub' lies beneath what is no directory" },
	{ .row = 29, .what = "a directory that is a link", .paths = beneath_link, .blocks = signature,
	  .error = "'evil' is a duplicate path" },
	{ .row = 30, .what = "hard link to nothing", .paths = link_to_nothing,
	  .error = "has no hard link target in the package" },
	{ .row = 30, .what = "hard link away", .paths = link_away,
	  .error = "has an unusable hard link target" },
	{ .row = 31, .what = "path twice", .paths = two_alike, .error = "'etc/f' is a duplicate path" },
	{ .row = 35, .what = "line break in a name", .paths = newline, .error = "is an unsafe name" },
	{ .row = 36, .what = "symlink to nothing", .paths = empty_target,
	  .error = "has an unusable symlink target" },
	{ .row = 37, .what = "no hash", .paths = no_hash, .error = "has no SHA-256" },
	{ .row = 41, .what = "size beyond all limits", .paths = huge, .error = "size limit exceeded" },
	{ .row = 45, .what = "unknown kind", .paths = unknown_kind, .error = "is of an unknown kind" },
	{ .row = 45, .what = "half a device number", .paths = short_device,
	  .error = "has a malformed device number" },
	{ .row = 45, .what = "mode", .paths = odd_mode, .error = "has an unusable mode" },
	{ .row = 45, .what = "owner", .paths = odd_owner, .error = "has an unusable owner" },
};

/* What the index has of it. */
static void record(const struct made_adb *m, const struct apk_index *idx, struct apk_pkg *ret)
{
	*ret = (struct apk_pkg){ .name = S("foo"), .version = S("1.0-r0"), .arch = S("x86_64"),
		.index = idx, .checksum_n = SHA256_SIZE };
	made_adb_id(m, ret->checksum);
}

static bool fetch(struct repofix *f, const struct apk_pkg *want, struct apk_file *file,
	struct err *err)
{
	const struct apk_fetch how = { .store = f->s, .pool = f->pool, .limits.keys = &f->keys };

	return apk_fetch_all(&how, &want, 1, &f->a, file, err);
}

static struct apk_index *repository(struct repofix *f)
{
	struct apk_index *idx = arena_new(&f->a, struct apk_index);

	idx->base = arena_strf(&f->a, "%s/x86_64", f->dir);
	idx->is_local = true;
	return idx;
}

static void put(struct repofix *f, const struct row *r, const struct made_adb *m)
{
	auto_buf struct buf file = BUF_INIT(64 << 20);
	auto_err struct err err = ERR_INIT;

	made_adb_file(m, r->comp, &file);
	if (r->file)
		r->file(&file);
	assert_true(file_write(f->package, file.p ? file.p : "", file.n, 0644, &err));
}

static void try_row(struct repofix *f, const struct row *r)
{
	auto_made_adb struct made_adb m;
	auto_err struct err err = ERR_INIT;
	struct apk_pkg want;
	struct apk_file file;

	make(r, &m);
	put(f, r, &m);
	record(&m, repository(f), &want);
	bool ok = fetch(f, &want, &file, &err);
	if (ok != !r->error || (!ok && !strstr(err.msg, r->error)) ||
	    (!ok && !strstr(err.msg, f->package)))
		fail_msg("row %d, %s: %s", r->row, r->what, ok ? "accepted" : err.msg);
	if (ok)
		apk_file_close(&file);
	else if (repofix_objects(f) != 0)
		fail_msg("row %d, %s: the store has changed", r->row, r->what);
	repofix_clear(f);
}

static void packages(void **state)
{
	for (size_t i = 0; i < countof(rows); i++)
		try_row(*state, &rows[i]);
}

/* Row 42: what inflates beyond a limit is stopped there. */
static void limits(void **state)
{
	static const struct row good;
	struct repofix *f = *state;
	auto_made_adb struct made_adb m;
	auto_err struct err err = ERR_INIT;
	struct apk_pkg want;
	struct apk_file file;
	const struct apk_pkg *list = &want;
	struct apk_fetch how = { .store = f->s, .pool = f->pool, .limits.max_data = 4 };

	make(&good, &m);
	put(f, &good, &m);
	record(&m, repository(f), &want);
	assert_false(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	assert_non_null(strstr(err.msg, "size limit exceeded: limit is 4 bytes"));
	how.limits = (struct apk_limits){ .max_entries = 1 };
	assert_false(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	assert_non_null(strstr(err.msg, "size limit exceeded: limit is 1 entries"));
	assert_int_equal(repofix_objects(f), 0);
}

/* Row 60: objects of the store are changed, or take another's place. */

enum { FLIP_FIRST, FLIP_MIDDLE, FLIP_LAST, CUT, EMPTY, SWAP, HOWS };

static void spoil(const char *path, const char *other, int how)
{
	auto_buf struct buf b = BUF_INIT(1 << 20), o = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;

	assert_true(file_read(path, &b, &err));
	switch (how) {
	case FLIP_FIRST: flip(&b, 0); break;
	case FLIP_MIDDLE: flip(&b, b.n / 2); break;
	case FLIP_LAST: flip(&b, b.n - 1); break;
	case CUT: b.n--; break;
	case EMPTY: b.n = 0; break;
	default:
		assert_true(file_read(other, &o, &err));
		buf_clear(&b);
		buf_addstr(&b, buf_str(&o));
	}
	assert_int_equal(unlink(path), 0);
	assert_true(file_write(path, b.n ? b.p : "", b.n, 0444, &err));
}

static char *object(struct repofix *f, const char *folder)
{
	struct strs dirs = { 0 }, names = { 0 };
	auto_err struct err err = ERR_INIT;
	char *dir = arena_printf(&f->a, "%s/%s", store_dir(f->s), folder);

	assert_true(dir_names(dir, &f->a, &dirs, &err));
	dir = arena_printf(&f->a, "%s/%.*s", dir, STR_ARG(dirs.v[0]));
	assert_true(dir_names(dir, &f->a, &names, &err));
	return arena_printf(&f->a, "%s/%.*s", dir, STR_ARG(names.v[0]));
}

static void expect_hello(struct repofix *f, const struct apk_pkg *want)
{
	auto_err struct err err = ERR_INIT;
	struct apk_file file;
	char text[6] = "";

	if (!fetch(f, want, &file, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(file.n_entries, 2);
	assert_true(str_is(file.entries[1].name, "etc/file"));
	assert_int_equal(pread(file.data.fd, text, 5, (off_t)file.entries[1].off), 5);
	assert_string_equal(text, "hello");
	assert_non_null(file.sums);
	apk_file_close(&file);
}

static void changed_objects(void **state)
{
	static const char *const kinds[] = { "control", "data", "entries" };
	static const struct row good;
	struct repofix *f = *state;
	auto_made_adb struct made_adb m;
	struct apk_pkg want;

	make(&good, &m);
	put(f, &good, &m);
	record(&m, repository(f), &want);
	for (uint8_t n = SHA1_SIZE; n <= SHA256_SIZE; n += SHA256_SIZE - SHA1_SIZE)
		for (size_t k = 0; k < countof(kinds); k++)
			for (int how = 0; how < HOWS; how++) {
				want.checksum_n = n;
				expect_hello(f, &want);
				spoil(object(f, kinds[k]), object(f, kinds[(k + 1) % countof(kinds)]),
					how);
				expect_hello(f, &want);
				repofix_clear(f);
			}
}

/* Indexes */

struct index_row {
	int row;
	const char *what, *error;	/* NULL: it loads */
	const char *name, *version, *spec;
	size_t hash_n;			/* 0: 32; more than that: none */
	void (*values)(struct made_adb *m);
	void (*blocks)(struct made_adb *m);	/* NULL: signature */
	void (*file)(struct buf *b);
	bool ignore;			/* signatures are not asked for */
	enum made_comp comp;
	uint32_t schema;		/* 0: index */
};

static void no_blocks(unused_arg struct made_adb *m) { }
static void other_signature(struct made_adb *m) { made_sig(m, repofix_other); }
static void broken_signature(struct made_adb *m) { made_sig(m, repofix_key); m->blocks.p[60] ^= 1; }

static const struct index_row index_rows[] = {
	{ .row = 0, .what = "good" },
	{ .row = 0, .what = "good, zstd", .comp = MADE_ZSTD },
	{ .row = 0, .what = "good, 160 bits", .hash_n = SHA1_SIZE },
	{ .row = 13, .what = "no hash", .hash_n = 33, .error = "no checksum of 'foo'" },
	{ .row = 17, .what = "unsigned", .blocks = no_blocks, .error = "untrusted: it is not signed" },
	{ .row = 17, .what = "unsigned, ignored", .blocks = no_blocks, .ignore = true },
	{ .row = 18, .what = "other key", .blocks = other_signature,
	  .error = "untrusted signature: by no known key" },
	{ .row = 18, .what = "bad signature", .blocks = broken_signature,
	  .error = "signature verification failed" },
	{ .row = 54, .what = "invalid version", .version = "v1_foo" },
	{ .row = 56, .what = "name as path", .name = "../a", .error = "an unusable name" },
	{ .row = 56, .what = "version as path", .version = "1/../x", .error = "an unusable version" },
	{ .row = 56, .what = "spec with a path", .spec = "${name:3}/${name}-${version}.apk" },
	{ .row = 56, .what = "spec up", .spec = "../${name}.apk", .error = "unusable pkgname-spec" },
	{ .row = 56, .what = "spec at the root", .spec = "/${name}", .error = "unusable pkgname-spec" },
	{ .row = 56, .what = "spec of unknown words", .spec = "${x}", .error = "unusable pkgname-spec" },
	{ .row = 56, .what = "open spec", .spec = "${name", .error = "unusable pkgname-spec" },
	{ .row = 62, .what = "flipped", .file = flip_adb, .error = "" },
	{ .row = 62, .what = "package as index", .schema = ADB_SCHEMA_PACKAGE, .error = "ADB schema" },
	{ .row = 64, .what = "with data", .blocks = all_blocks, .error = "data in an index" },
	{ .row = 64, .what = "trailing zeros", .file = more_zeros, .error = "ADB block error" },
	{ .row = 64, .what = "trailing bytes, unsigned", .file = more, .blocks = no_blocks,
	  .ignore = true, .error = "size limit exceeded" },
	{ .row = 65, .what = "compat version", .values = version_1,
	  .error = "incompatible ADB version" },
	{ .row = 68, .what = "cycle", .values = cycle, .error = "ADB schema error" },
	{ .row = 68, .what = "no slots", .values = no_slots, .error = "has no slots" },
	{ .row = 66, .what = "magic", .file = bad_magic, .error = "ADB compression not supported" },
	{ .row = 67, .what = "cut", .file = cut_much, .error = "unexpected end of" },
	{ .row = 67, .what = "cut, deflate", .file = cut_much, .comp = MADE_DEFLATE,
	  .error = "unexpected end of" },
};

static void make_index(const struct index_row *r, struct made_adb *m)
{
	static const char hash[SHA256_SIZE + 1] = "thirty-two bytes of something, so";

	made_adb_init(m, r->schema ? r->schema : ADB_SCHEMA_INDEX);
	uint32_t name = made_text(m, r->name ? r->name : "foo");
	uint32_t version = made_text(m, r->version ? r->version : "1.0-r0");
	uint32_t sum = r->hash_n > SHA256_SIZE ? 0
		: made_blob(m, str_n(hash, r->hash_n ? r->hash_n : SHA256_SIZE));
	uint32_t info = made_list(m, name, version, sum), spec = made_text(m, r->spec);
	uint32_t infos = made_list(m, info), words = made_text(m, "words");
	made_adb_root(m, made_list(m, words, infos, spec));
	if (r->values)
		r->values(m);
	(r->blocks ? r->blocks : signature)(m);
}

static void try_index(struct repofix *f, const struct index_row *r)
{
	const struct repo_opts o = { .keys = &f->keys, .store = f->s,
		.ignore_signatures = r->ignore };
	auto_made_adb struct made_adb m;
	auto_buf struct buf file = BUF_INIT(64 << 20);
	auto_err struct err err = ERR_INIT;
	struct apk_indexes idx = { 0 };
	struct strs list = { 0 };

	make_index(r, &m);
	made_adb_file(&m, r->comp, &file);
	if (r->file)
		r->file(&file);
	assert_true(file_write(f->v3, file.p, file.n, 0644, &err));
	strs_push(&f->a, &list, str_of(f->dir));
	bool ok = repo_load(&list, S("x86_64"), &o, &f->a, &idx, &err);
	if (ok != !r->error || (!ok && !strstr(err.msg, r->error)) ||
	    (!ok && !strstr(err.msg, f->v3)))
		fail_msg("row %d, %s: %s", r->row, r->what, ok ? "loaded" : err.msg);
	if (!ok && repofix_objects(f) != 0)
		fail_msg("row %d, %s: the store has changed", r->row, r->what);
	if (ok)
		assert_int_equal(idx.v[0]->n, 1);
	repofix_clear(f);
}

static void indexes(void **state)
{
	for (size_t i = 0; i < countof(index_rows); i++)
		try_index(*state, &index_rows[i]);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, repofix_setup, repofix_teardown)
	const struct CMUnitTest tests[] = {
		T(packages), T(limits), T(changed_objects), T(indexes),
	};

	return cmocka_run_group_tests(tests, repofix_make_keys, repofix_free_keys);
}
