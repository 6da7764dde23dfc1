#include "shared/apk/solve.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/apk/index.h"
#include "shared/apk/pack.h"
#include "shared/base/buf.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/text/jread.h"

/* Properties that hold for every repository and request, on random ones with all that packages can
 * say: too large to try all sets, so what is compared is one way of asking with another. */

#define Q "C:Q1EyN5AdpAOBJWKMR89pp/C66o+OE=\n"
#define NAMES 40u

static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 16) % n;
}

static void add_atom(struct buf *b, bool versions)
{
	static const char *const ops[] = { "", "", "", "", "", "=", "<", ">=", "~" };
	const char *op = versions ? ops[rnd(countof(ops))] : "";
	if (rnd(4))
		buf_printf(b, "p%u", rnd(NAMES));
	else
		buf_printf(b, "%sv%u", rnd(2) ? "cmd:" : "", rnd(8));
	if (*op)
		buf_printf(b, "%s%u.0-r0", op, 1 + rnd(3));
}

static void add_list(struct buf *b, char letter, uint32_t n, bool conflicts)
{
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ' ');
		else
			buf_printf(b, "%c:", letter);
		if (conflicts && rnd(12) == 0)
			buf_addc(b, '!');
		add_atom(b, true);
	}
	if (n)
		buf_addc(b, '\n');
}

static void add_provides(struct buf *b)
{
	uint32_t n = rnd(8) ? rnd(2) : 2;
	for (uint32_t i = 0; i < n; i++) {
		buf_printf(b, "%s%sv%u", i ? " " : "p:", rnd(2) ? "cmd:" : "", rnd(8));
		if (rnd(3) == 0)
			buf_printf(b, "=%u.0-r0", 1 + rnd(3));
	}
	if (n)
		buf_addc(b, '\n');
}

/* The text of one package; false when name and version were made before. */
static bool add_package(struct buf *b, bool made[NAMES][4])
{
	uint32_t name = rnd(NAMES), version = 1 + rnd(3);
	if (made[name][version])
		return false;
	made[name][version] = true;
	buf_printf(b, Q "P:p%u\nV:%u.0-r0\nT:\no:o%u\n", name, version, rnd(6) ? name : rnd(9));
	add_list(b, 'D', rnd(4), true);
	add_provides(b);
	if (rnd(10) == 0)
		buf_printf(b, "i:p%u p%u\n", rnd(NAMES), rnd(NAMES));
	if (rnd(4) == 0)
		buf_printf(b, "k:%u\n", rnd(3) * 10);
	buf_addc(b, '\n');
	return true;
}

struct repository {
	struct arena a;
	struct buf text;
	size_t half;	/* bytes of the text: about half the packages */
	struct apk_index whole, parts[2];
	struct strs world;
};

static void parse(struct repository *r, struct str text, struct apk_index *ret)
{
	auto_err struct err err = ERR_INIT;
	*ret = (struct apk_index){ .repo = S("main") };
	if (!index_parse(text, "t", &r->a, ret, &err))
		fail_msg("%s", err.msg);
}

static void make(struct repository *r, uint32_t number)
{
	bool made[NAMES][4] = { { false } };
	seed = number * 2654435761u + 17;
	*r = (struct repository){ .text = BUF_INIT(1u << 20) };
	for (uint32_t n = 0; n < 70; n += add_package(&r->text, made))
		if (n == 35)
			r->half = r->text.n;
	parse(r, buf_str(&r->text), &r->whole);
	parse(r, str_sub(buf_str(&r->text), 0, r->half), &r->parts[0]);
	parse(r, str_from(buf_str(&r->text), r->half), &r->parts[1]);
	for (uint32_t n = 1 + rnd(6); n > 0; n--) {
		auto_buf struct buf atom = BUF_INIT(64);
		if (n > 2 && rnd(10) == 0)
			buf_addc(&atom, '!');
		add_atom(&atom, rnd(3) == 0);
		strs_push(&r->a, &r->world, arena_str(&r->a, buf_str(&atom)));
	}
}

static void release(struct repository *r)
{
	buf_release(&r->text);
	arena_release(&r->a);
}

/* "name=version ..." or the message. */
static const char *answer(struct repository *r, struct apk_index *const *idx, size_t n,
	const struct strs *world, bool *ret_ok)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1u << 16);
	struct apk_indexes all = { .v = (struct apk_index **)idx, .n = n };
	const struct solve_req req = { .indexes = &all, .world = world };
	struct solve_result s;
	*ret_ok = solve(&req, &r->a, &s, &err);
	if (!*ret_ok) {
		assert_int_equal(err.kind, EK_CONFLICT);
		return arena_strdup(&r->a, err.msg);
	}
	if (!solve_check(&req, &s, &err))
		fail_msg("unsound: %s", err.msg);
	for (size_t i = 0; i < s.n; i++)
		buf_printf(&out, "%.*s=%.*s ", STR_ARG(s.pkgs[i]->name),
			STR_ARG(s.pkgs[i]->version));
	return arena_strndup(&r->a, out.n ? out.p : "", out.n);
}

static const char *ask(struct repository *r, bool *ret_ok)
{
	struct apk_index *idx[] = { &r->whole };
	return answer(r, idx, 1, &r->world, ret_ok);
}

#define ROUNDS 400u

static void test_order_of_the_request(void **state)
{
	(void)state;
	unsigned solved = 0;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct repository r;
		struct strs turned = { 0 };
		bool ok, again;
		make(&r, i);
		const char *want = ask(&r, &ok);
		for (size_t k = r.world.n; k-- > 0;)
			strs_push(&r.a, &turned, r.world.v[k]);
		strs_push(&r.a, &turned, r.world.v[rnd((uint32_t)r.world.n)]);
		struct apk_index *idx[] = { &r.whole };
		assert_string_equal(answer(&r, idx, 1, &turned, &again), want);
		assert_int_equal(ok, again);
		solved += ok;
		release(&r);
	}
	assert_true(solved > ROUNDS / 5 && solved < ROUNDS * 4 / 5);
}

/* One repository cut in two, one after the other, is the same repository. */
static void test_cut_in_two(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct repository r;
		bool ok, again;
		make(&r, i);
		struct apk_index *idx[] = { &r.parts[0], &r.parts[1] };
		const char *want = ask(&r, &ok);
		const char *got = answer(&r, idx, 2, &r.world, &again);
		assert_int_equal(ok, again);
		if (ok)
			assert_string_equal(got, want);
		release(&r);
	}
}

/* From a mapped file as from the parsed text. */
static void test_mapped(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	char *dir = dir_temp(&a, "apk-large-", &err);
	auto_store struct store *s = store_open(arena_printf(&a, "%s/store", dir), &err);
	const char *path = arena_printf(&a, "%s/APKINDEX.tar.gz", dir);
	assert_non_null(s);
	for (uint32_t i = 0; i < ROUNDS / 10; i++) {
		struct repository r;
		struct apk_index mapped[2] = { { .repo = S("main") }, { .repo = S("main") } };
		auto_buf struct buf bytes = BUF_INIT(1u << 20);
		bool ok, again;
		make(&r, i);
		if (!index_write(&r.whole, NULL, NULL, &bytes, &err) ||
			!file_write(path, bytes.p, bytes.n, 0600, &err))
			fail_msg("%s", err.msg);
		auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		const struct index_read_opts o = { .name = "t" };
		for (int k = 0; k < 2; k++)
			assert_true(index_open(fd, &o, s, &r.a, &mapped[k], &err));
		assert_non_null(mapped[1].pack->path);
		struct apk_index *idx[] = { &mapped[1] };
		const char *want = ask(&r, &ok);
		assert_string_equal(answer(&r, idx, 1, &r.world, &again), want);
		release(&r);
	}
	assert_true(dir_remove(dir, &err));
}

/* What is of no concern to the packages of an answer does not change it. */
static void test_unrelated_package(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct repository r;
		struct apk_index more;
		bool ok, again;
		make(&r, i);
		const char *want = ask(&r, &ok);
		parse(&r, S(Q "P:other\nV:9\nT:\nD:nothing-has-this\np:unheard-of=3\nk:1000\n\n"),
			&more);
		struct apk_index *idx[] = { &more, &r.whole };
		const char *got = answer(&r, idx, 2, &r.world, &again);
		assert_int_equal(ok, again);
		if (ok)
			assert_string_equal(got, want);
		release(&r);
	}
}

/* Carries out a change of an account. */
static struct strs changed(struct repository *r, const struct jval *change)
{
	struct strs out = { 0 };
	struct str gone = jget_str(change, "remove");
	struct str old = jget_str(change, "replace");
	for (size_t i = 0; i < r->world.n; i++) {
		struct str atom = r->world.v[i];
		if (old.n && str_eq(atom, old))
			atom = jget_str(change, "with");
		if (!gone.n || !str_eq(atom, gone))
			strs_push(&r->a, &out, atom);
	}
	return out;
}

/* Every change that a refusal proposes makes a request with an answer. */
static void test_proposed_changes(void **state)
{
	(void)state;
	unsigned proposed = 0;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct repository r;
		auto_err struct err err = ERR_INIT, bad = ERR_INIT;
		struct solve_result s;
		make(&r, i);
		struct apk_index *idx[] = { &r.whole };
		struct apk_indexes all = { .v = idx, .n = 1 };
		const struct solve_req req = { .indexes = &all, .world = &r.world };
		if (solve(&req, &r.a, &s, &err)) {
			release(&r);
			continue;
		}
		assert_non_null(err.detail);
		struct jval *doc;
		if (!jread(str_of(err.detail), "detail", &r.a, &doc, &bad))
			fail_msg("%s: %s", bad.msg, err.detail);
		const struct jval *list = jget(doc, "changes");
		for (size_t k = 0; k < list->n; k++) {
			bool ok;
			struct strs world = changed(&r, list->items[k]);
			const char *got = answer(&r, idx, 1, &world, &ok);
			if (!ok)
				fail_msg("%u: %s: %s", i, err.detail, got);
			proposed++;
		}
		release(&r);
	}
	assert_true(proposed > ROUNDS / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_the_request),
		cmocka_unit_test(test_cut_in_two),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_unrelated_package),
		cmocka_unit_test(test_proposed_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
