#include "shared/apk/pack.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/apk/index.h"
#include "shared/apk/solve.h"
#include "shared/crypto/digest.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* Packed indexes: what is read from one, made or mapped, is what the index says; a damaged file of
 * one never changes an answer. */

#define Q "C:Q1EyN5AdpAOBJWKMR89pp/C66o+OE=\n"

static const char text[] =
	Q "P:app\nV:1.0-r0\nA:x86_64\nS:100\nI:200\nT:first of all\nU:u\nL:MIT\no:app\nm:me\n"
	  "t:1700000000\nc:abc\nD:so:libz.so.1 lib>=2 !old\np:cmd:app=1.0-r0\nk:4\n\n" Q
	"P:lib\nV:2-r0\nA:x86_64\nT:\no:lib\np:so:libz.so.1=1.2.3\n\n" Q
	"P:lib\nV:1-r0\nA:x86_64\nT:\no:lib\np:so:libz.so.1=1.2.2\n\n" Q
	"P:old\nV:1\nT:\nr:x\n\n" Q "P:app-doc\nV:1.0-r0\nT:\ni:docs app\n\n" Q
	"P:bad\nV:1\nT:\nD:a@tag >>x\n\n";

struct fixture {
	struct arena a;
	char *dir;
	struct store *store;
	struct buf bytes;	/* the index file */
};

static int setup(void **state)
{
	static struct fixture f;
	auto_err struct err err = ERR_INIT;
	struct apk_index idx = { .description = S("words") };
	f = (struct fixture){ .bytes = BUF_INIT(1u << 20) };
	f.dir = dir_temp(&f.a, "apk-pack-", &err);
	f.store = f.dir ? store_open(arena_printf(&f.a, "%s/store", f.dir), &err) : NULL;
	if (!f.store || !index_parse(str_of(text), "t", &f.a, &idx, &err) ||
		!index_write(&idx, NULL, NULL, &f.bytes, &err))
		return -1;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err struct err err = ERR_INIT;
	store_close(f->store);
	bool ok = dir_remove(f->dir, &err);
	buf_release(&f->bytes);
	arena_release(&f->a);
	return ok ? 0 : -1;
}

static bool open_bytes(struct fixture *f, const struct buf *bytes, const struct index_read_opts *o,
	struct arena *a, struct apk_index *ret, struct err *err)
{
	const char *path = arena_printf(a, "%s/APKINDEX.tar.gz", f->dir);
	if (!file_write(path, bytes->p, bytes->n, 0600, err))
		return false;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	return index_open(fd, o, f->store, a, ret, err);
}

static void open_it(struct fixture *f, struct arena *a, struct apk_index *ret)
{
	auto_err struct err err = ERR_INIT;
	const struct index_read_opts o = { .name = "t" };
	*ret = (struct apk_index){ .repo = S("main") };
	if (!open_bytes(f, &f->bytes, &o, a, ret, &err))
		fail_msg("%s", err.msg);
}

static void same_record(const struct apk_pkg *a, const struct apk_pkg *b)
{
	auto_buf struct buf x = BUF_INIT(4096), y = BUF_INIT(4096);
	index_record(a, &x);
	index_record(b, &y);
	assert_string_equal(x.p, y.p);
	assert_true(str_eq(a->replaces, b->replaces));
	assert_int_equal(a->order, b->order);
}

static void test_reads_as_parsed(void **state)
{
	struct fixture *f = *state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	const struct index_read_opts o = { .name = "t" };
	struct apk_index parsed = { 0 }, made, mapped;
	if (!index_read(buf_str(&f->bytes), &o, &a, &parsed, &err))
		fail_msg("%s", err.msg);
	open_it(f, &a, &made);
	open_it(f, &a, &mapped);
	assert_null(made.pack->path);
	assert_non_null(mapped.pack->path);
	assert_true(str_is(mapped.description, "words"));
	assert_memory_equal(mapped.digest, parsed.digest, sizeof(parsed.digest));
	assert_int_equal(made.n, parsed.n);
	assert_int_equal(mapped.n, parsed.n);
	for (size_t i = 0; i < parsed.n; i++) {
		same_record(&parsed.pkgs[i], apk_index_pkg(&made, i));
		same_record(&parsed.pkgs[i], apk_index_pkg(&mapped, i));
		assert_ptr_equal(apk_index_pkg(&mapped, i)->index, &mapped);
	}
}

/* The answer for "app docs" or "app", or the kind of error. */
static const char *answer(const struct apk_index *idx, struct arena *a, enum err_kind *ret_kind)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(4096);
	struct apk_index *v[] = { (struct apk_index *)idx };
	struct apk_indexes all = { .v = v, .n = 1 };
	struct strs world = { 0 };
	struct solve_result r;
	strs_push(a, &world, S("app"));
	const struct solve_req req = { .indexes = &all, .world = &world };
	if (!solve(&req, a, &r, &err)) {
		*ret_kind = err.kind;
		return NULL;
	}
	for (size_t i = 0; i < r.n; i++)
		buf_printf(&out, "%.*s=%.*s ", STR_ARG(r.pkgs[i]->name),
			STR_ARG(r.pkgs[i]->version));
	return arena_strdup(a, out.p);
}

static const char expected[] = "lib=2-r0 app=1.0-r0 ";

static void replace(const char *path, const void *p, size_t n)
{
	auto_err struct err err = ERR_INIT;
	(void)unlink(path);
	if (!file_write(path, p, n, 0600, &err))
		fail_msg("%s", err.msg);
}

static const char *object(struct fixture *f, struct buf *ret)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_index idx;
	open_it(f, &a, &idx);
	open_it(f, &a, &idx);
	char *path = arena_strdup(&f->a, idx.pack->path);
	if (!file_read(path, ret, &err))
		fail_msg("%s", err.msg);
	return path;
}

/* Any bit may flip: the answer is the same, or there is none and the file is gone. */
static void test_damage(void **state)
{
	struct fixture *f = *state;
	auto_buf struct buf whole = BUF_INIT(1u << 20);
	const char *path = object(f, &whole);
	size_t refused = 0, unused = 0;
	for (size_t i = 0; i < whole.n; i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct apk_index idx;
		enum err_kind kind = EK_NONE;
		whole.p[i] ^= (char)(1 << i % 8);
		replace(path, whole.p, whole.n);
		whole.p[i] ^= (char)(1 << i % 8);
		open_it(f, &a, &idx);
		unused += !idx.pack->path;
		const char *got = answer(&idx, &a, &kind);
		if (got) {
			assert_string_equal(got, expected);
			continue;
		}
		assert_int_equal(kind, EK_STALE);
		assert_int_equal(access(path, F_OK), -1);
		refused++;
	}
	assert_true(refused > 100);
	assert_true(unused > 100);
}

static void test_truncation(void **state)
{
	struct fixture *f = *state;
	auto_buf struct buf whole = BUF_INIT(1u << 20);
	const char *path = object(f, &whole);
	for (size_t n = 0; n < whole.n; n += 7) {
		auto_arena struct arena a = ARENA_INIT;
		struct apk_index idx;
		enum err_kind kind = EK_NONE;
		replace(path, whole.p, n);
		open_it(f, &a, &idx);
		assert_null(idx.pack->path);
		assert_string_equal(answer(&idx, &a, &kind), expected);
	}
}

/* A pack made of other bytes, under this index's digest. */
static void test_bound_to_its_index(void **state)
{
	struct fixture *f = *state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_index idx, other = { 0 };
	auto_buf struct buf whole = BUF_INIT(1u << 20), bytes = BUF_INIT(1u << 20);
	const char *path = object(f, &whole);
	const struct index_read_opts o = { .name = "o" };
	if (!index_write(&other, NULL, NULL, &bytes, &err) ||
		!open_bytes(f, &bytes, &o, &a, &other, &err) ||
		!open_bytes(f, &bytes, &o, &a, &other, &err))
		fail_msg("%s", err.msg);
	assert_non_null(other.pack->path);
	assert_int_equal(rename(other.pack->path, path), 0);
	open_it(f, &a, &idx);
	assert_null(idx.pack->path);
	assert_int_equal(idx.n, 6);
}

/* The signature is asked for also when the pack is there; a smaller limit holds as well. */
static void test_cached_is_not_trusted(void **state)
{
	struct fixture *f = *state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_keyring struct keyring keys;
	struct apk_index idx;
	keyring_init(&keys, &a);
	open_it(f, &a, &idx);
	struct index_read_opts o = { .name = "t", .keys = &keys };
	assert_false(open_bytes(f, &f->bytes, &o, &a, &idx, &err));
	assert_int_equal(err.kind, EK_TRUST);
	err_release(&err);
	o = (struct index_read_opts){ .name = "t", .max_inflated = 700 };
	assert_false(open_bytes(f, &f->bytes, &o, &a, &idx, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_as_parsed),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_bound_to_its_index),
		cmocka_unit_test(test_cached_is_not_trusted),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
