#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/apk/index.h"
#include "shared/apk/solve_int.h"
#include "shared/apk/tests/solve_cases.h"
#include "shared/base/buf.h"

/* Text cases, the account of refusals, and small random repositories against trying all sets. */

#define CASES SOURCE_DIR "/testdata/solver"

struct world {
	struct arena a;
	struct apk_index idx[4];
	struct apk_index *v[4];
	struct apk_indexes all;
};

/* "name version key:value,key:value;..." where blanks within a value are written '_'. */
static void add_packages(struct world *w, struct apk_index *idx, const char *text)
{
	struct str rest = str_of(text), item;
	idx->pkgs = arena_array(&w->a, struct apk_pkg, 64);
	while (str_next(&rest, ';', &item)) {
		struct apk_pkg *p = &idx->pkgs[idx->n];
		struct str word;
		assert_true(str_word(&item, &p->name) && str_word(&item, &p->version));
		p->index = idx;
		p->order = (uint32_t)idx->n++;
		while (str_word(&item, &word)) {
			char *v = arena_strndup(&w->a, word.p + 2, word.n - 2);
			for (char *c = v; *c; c++)
				if (*c == '_')
					*c = ' ';
			if (word.p[0] == 'D')
				p->depends = str_of(v);
			else if (word.p[0] == 'p')
				p->provides = str_of(v);
			else if (word.p[0] == 'i')
				p->install_if = str_of(v);
			else if (word.p[0] == 'o')
				p->origin = str_of(v);
		}
	}
}

static void world_init(struct world *w, const char *packages)
{
	memset(w, 0, sizeof(*w));
	arena_init(&w->a);
	w->v[0] = &w->idx[0];
	w->all = (struct apk_indexes){ .v = w->v, .n = 1 };
	w->idx[0].repo = S("main");
	add_packages(w, &w->idx[0], packages);
}

static void add_index(struct world *w, const char *repo, const char *tag, const char *packages)
{
	struct apk_index *idx = &w->idx[w->all.n];
	idx->repo = str_of(repo);
	idx->tag = str_of(tag);
	add_packages(w, idx, packages);
	w->v[w->all.n++] = idx;
}

static struct strs words(struct arena *a, const char *text)
{
	struct strs list = { 0 };
	struct str rest = str_of(text), word;
	while (str_word(&rest, &word))
		strs_push(a, &list, word);
	return list;
}

static const char *answer(struct arena *a, const struct solve_result *r)
{
	struct buf b = BUF_INIT(4096);
	for (size_t i = 0; i < r->n; i++)
		buf_printf(&b, "%s%.*s=%.*s", i ? " " : "", STR_ARG(r->pkgs[i]->name),
			STR_ARG(r->pkgs[i]->version));
	char *s = arena_strndup(a, b.n ? b.p : "", b.n);
	buf_release(&b);
	return s;
}

static void expect(struct world *w, struct solve_req *req, const char *atoms, const char *want)
{
	auto_err struct err err = ERR_INIT;
	struct strs list = words(&w->a, atoms);
	struct solve_result r;
	req->indexes = &w->all;
	req->world = &list;
	if (!solve(req, &w->a, &r, &err))
		fail_msg("%s", err.msg);
	if (!solve_check(req, &r, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(answer(&w->a, &r), want);
}

static void test_text_cases(void **state)
{
	(void)state;
	static const char *const names[] = { "backtrack", "chain", "chain-older", "circle",
		"exclude-one", "excluded", "invalid", "keep-installed", "lasting", "missing", "no-way",
		"one-option-first", "one-provider", "one-slot", "priority", "refuse", "tag-masked", "tag-unknown",
		"tag-unused", "tag-used", "too-new", "triggers", "triggers-not", "upgrade",
		"versioned-provider" };
	for (size_t i = 0; i < countof(names); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str why;
		const char *path = arena_printf(&a, CASES "/%s.test", names[i]);
		if (solve_case_run(path, &a, &why) != CASE_PASSED)
			fail_msg("%s: %.*s", path, STR_ARG(why));
	}
}

/* A runner that says yes to everything would make the cases above worthless. */
static void test_case_runner_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
		enum case_verdict verdict;
	} cases[] = {
		{ "@ARGS add tls\n@EXPECT\n(1/1) Installing tls (1)\n", "another set",
			CASE_FAILED },
		{ "@ARGS add server\n@EXPECT\n(1/2) Installing server (2)\n"
		  "(2/2) Installing tls (2)\n",
			"another order", CASE_FAILED },
		{ "@ARGS add tls\n@EXPECT\nERROR: unable to select packages:\n  tls-2:\n",
			"an error is expected", CASE_FAILED },
		{ "@ARGS add ghost\n@EXPECT\nERROR: unable to select packages:\n  spook (no such "
		  "package):\n",
			"another reason", CASE_FAILED },
		{ "@ARGS add strict client\n@EXPECT\nERROR: unable to select packages:\n  tls-2:\n"
		  "    breaks: client-1[tls=7]\n",
			"another reason", CASE_FAILED },
		{ "@ARGS add ghost\n@EXPECT\n(1/1) Installing ghost (1)\n", "refused",
			CASE_FAILED },
		{ "@ARGS --wild add tls\n@EXPECT\n", "--wild", CASE_SKIPPED },
		{ "@ARGS fix tls\n@EXPECT\n", "fix", CASE_SKIPPED },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		char path[] = CASES "/tmp-XXXXXX";
		int fd = mkstemp(path);
		struct str why;
		assert_true(fd >= 0);
		dprintf(fd, "@REPO versions.repo\n%s", cases[i].text);
		close(fd);
		enum case_verdict v = solve_case_run(path, &a, &why);
		unlink(path);
		assert_int_equal(v, cases[i].verdict);
		assert_true(str_find(why, str_of(cases[i].why)) >= 0);
	}
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *packages, *atoms;
		enum err_kind kind;
		const char *says[5];
	} cases[] = {
		{ "apple 1;pear 1", "aple", EK_CONFLICT,
			{ "solving \"aple\" constraint: nothing provides \"aple\"",
				"not in indexes", "needed by the request",
				"hint: did you mean 'apple'?" } },
		{ "a 1 D:zz", "a", EK_CONFLICT,
			{ "resolving \"a-1.apk\" deps:", "nothing provides \"zz\"",
				"needed by a-1", "(main)",
				"hint: check the name, or add the repository" } },
		{ "a 1;a 3", "a>3", EK_CONFLICT,
			{ "a-1.apk disqualified because \"1\" does not satisfy \"a>3\"",
				"a-3.apk disqualified because \"3\" does not satisfy",
				"the nearest there is is 'a-3.apk'" } },
		{ "a 1 p:v=1;b 1 p:v=2", "a b", EK_CONFLICT,
			{ "already provides v", "a-1", "b-1", "without 'a', or without 'b' in the request" } },
		{ "a 1 D:!b;b 1", "a b", EK_CONFLICT, { "excluded by !b of a-1" } },
		{ "a 1;b 1 D:a>1;c 1 D:a<2;a 2", "b c", EK_CONFLICT,
			{ "\"1\" does not satisfy \"a>1\"", "\"2\" does not satisfy \"a<2\"",
				"needed by b-1", "needed by c-1" } },
		{ "a 1 D:b@edge", "a", EK_CONFLICT, { "uninstallable", "'b@edge'" } },
		/* rows 54 and 55 of apk-format 8 */
		{ "a v1_foo", "a>0", EK_CONFLICT, { "a-v1_foo" } },
		{ "a 1 D:b==_c", "a", EK_CONFLICT, { "uninstallable", "'b=='" } },
		{ "a 1 p:v=1_v=2", "a", EK_CONFLICT, { "conflicts with itself" } },
		{ "a 1", "a@edge", EK_PARSE, { "'a@edge'", "tag", "hint:" } },
		{ "a 1", "a=", EK_PARSE, { "'a='" } },
		{ "a 1", "a=1..2", EK_PARSE, { "'a=1..2'", "invalid version" } },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct world w;
		auto_err struct err err = ERR_INIT;
		struct solve_result r;
		world_init(&w, cases[i].packages);
		struct strs list = words(&w.a, cases[i].atoms);
		struct solve_req req = { .indexes = &w.all, .world = &list };
		assert_false(solve(&req, &w.a, &r, &err));
		assert_int_equal(err.kind, cases[i].kind);
		for (size_t k = 0; k < 5 && cases[i].says[k]; k++)
			if (!strstr(err.msg, cases[i].says[k]))
				fail_msg("no '%s' in: %s", cases[i].says[k], err.msg);
		arena_release(&w.a);
	}
}

static void test_other_architectures(void **state)
{
	(void)state;
	struct world w, other;
	world_init(&w, "a 1;a 2;b 1");
	world_init(&other, "a 1;c 1");
	const struct apk_indexes *others[] = { &other.all };
	struct str arch = S("armv7");
	struct solve_req req = { .others = others, .other_archs = &arch, .n_others = 1 };
	expect(&w, &req, "a", "a=1");
	struct strs list = words(&w.a, "b");
	struct solve_result r;
	auto_err struct err err = ERR_INIT;
	req.world = &list;
	assert_false(solve(&req, &w.a, &r, &err));
	assert_non_null(strstr(err.msg, "\"b-1.apk\" not available for arch \"armv7\""));
	arena_release(&w.a);
	arena_release(&other.a);
}

static void test_installed(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, "a 1;a 2;b 1 D:a;c 1 D:a>1");
	struct apk_pkg gone = { .name = S("old"), .version = S("1"), .depends = S("a") };
	const struct apk_pkg *installed[] = { &w.idx[0].pkgs[0], &gone };
	struct solve_req req = { .installed = installed, .n_installed = 2 };
	expect(&w, &req, "b", "a=1 b=1");
	expect(&w, &req, "b c", "a=2 b=1 c=1");
	expect(&w, &req, "old", "a=1 old=1");
	arena_release(&w.a);
}

static void test_pins(void **state)
{
	(void)state;
	struct world w;
	auto_err struct err err = ERR_INIT;
	struct solve_result r;
	world_init(&w, "a 1 D:l;l 1;b 1 D:l");
	add_index(&w, "edge", "edge", "a 2 D:l>1;l 2");
	struct strs list = words(&w.a, "a@edge b");
	struct solve_req req = { .indexes = &w.all, .world = &list };
	assert_true(solve(&req, &w.a, &r, &err));
	assert_string_equal(answer(&w.a, &r), "l=2 a=2 b=1");
	assert_string_equal(r.pins[0]->text.p, "a@edge");
	assert_string_equal(r.pins[1]->text.p, "a@edge");
	assert_null(r.pins[2]);
	/* one that was not asked for by its tag may not stand in the result */
	list = words(&w.a, "a b");
	assert_false(solve_check(&req, &r, &err));
	assert_non_null(strstr(err.msg, "@edge"));
	arena_release(&w.a);
}

static void test_check_finds_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *packages, *atoms, *says;
	} cases[] = {
		{ "b 1", "a", "'a'" },
		{ "a 1 D:b", "a", "'b', which a-1 needs" },
		{ "a 1 D:b>1;b 1", "a", "'b>1'" },
		{ "a 1 D:!b;b 1", "a b", "excluded by '!b'" },
		{ "a 1;b 1", "a !b", "excluded by '!b'" },
		{ "a 1;a 2", "a", "exclude each other" },
		{ "a 1 p:v=1;b 1 p:v", "a", "exclude each other" },
		{ "a 1 p:b;b 1", "a", "exclude each other" },
		{ "a 1 p:v=1_v=2", "a", "must not be chosen" },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct world w;
		auto_err struct err err = ERR_INIT;
		world_init(&w, cases[i].packages);
		struct strs list = words(&w.a, cases[i].atoms);
		struct solve_req req = { .indexes = &w.all, .world = &list };
		const struct apk_pkg *pkgs[8];
		struct solve_result r = { .pkgs = pkgs, .n = w.idx[0].n };
		for (size_t k = 0; k < r.n; k++)
			pkgs[k] = &w.idx[0].pkgs[k];
		assert_false(solve_check(&req, &r, &err));
		if (!strstr(err.msg, cases[i].says))
			fail_msg("no '%s' in: %s", cases[i].says, err.msg);
		arena_release(&w.a);
	}
}

/* Long chains and many versions end in time and without deep recursion. */
static void test_long_chain(void **state)
{
	(void)state;
	struct world w;
	auto_err struct err err = ERR_INIT;
	struct solve_result r;
	enum { N = 5000 };
	world_init(&w, "first 1 D:p0");
	struct apk_index *idx = &w.idx[0];
	struct apk_pkg *pkgs = arena_array(&w.a, struct apk_pkg, N + 1);
	pkgs[N] = idx->pkgs[0];
	for (int i = 0; i < N; i++)
		pkgs[i] = (struct apk_pkg){ .name = str_of(arena_printf(&w.a, "p%d", i)),
			.version = S("1"), .index = idx,
			.depends = i + 1 < N ? str_of(arena_printf(&w.a, "p%d", i + 1))
					     : STR_NONE };
	idx->pkgs = pkgs;
	idx->n = N + 1;
	struct strs list = words(&w.a, "first");
	struct solve_req req = { .indexes = &w.all, .world = &list };
	if (!solve(&req, &w.a, &r, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(r.n, N + 1);
	assert_string_equal(arena_strndup(&w.a, r.pkgs[0]->name.p, r.pkgs[0]->name.n), "p4999");
	arena_release(&w.a);
}

/* Random repositories: names a to f at versions 1 to 3, names v and w to be provided. */
static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 16) % n;
}

static void random_atom(struct buf *b, uint32_t names, bool conflicts)
{
	static const char *const ops[] = { "", "", "", "=", "<", ">", "<=", ">=" };
	const char *op = ops[rnd(countof(ops))];
	if (conflicts && rnd(6) == 0)
		buf_addc(b, '!');
	uint32_t name = rnd(names + 2);
	buf_addc(b, name < names ? (char)('a' + name) : name == names ? 'v' : 'w');
	if (*op)
		buf_printf(b, "%s%u", op, 1 + rnd(3));
}

static void random_repository(struct buf *b, uint32_t names, bool provides)
{
	for (uint32_t i = 0; i < names; i++) {
		uint32_t versions = 1 + rnd(3);
		for (uint32_t v = 1; v <= versions; v++) {
			buf_printf(b, "%s%c %u", b->n ? ";" : "", (char)('a' + i), v);
			uint32_t deps = rnd(3);
			for (uint32_t d = 0; d < deps; d++) {
				buf_adds(b, d ? "_" : " D:");
				random_atom(b, names, true);
			}
			uint32_t p = provides ? rnd(8) : 7;
			if (p < 2)
				buf_printf(b, " p:%c=%u", "vw"[p], 1 + rnd(3));
			else if (p < 4)
				buf_printf(b, " p:%c", "vw"[p - 2]);
		}
	}
	buf_addc(b, '\0');
}

struct brute {
	const struct apk_pkg *pkgs;
	size_t n;
	struct apk_deps deps[32], provides[32], world;
	bool strict;	/* a provide without version meets no demand for one, as in apk-tools */
};

static bool int_op(struct str have, unsigned op, struct str want)
{
	if (!op)
		return true;
	char a = have.p[0], b = want.p[0];
	return ((op & APK_OP_EQ) && a == b) || ((op & APK_OP_LT) && a < b) ||
	       ((op & APK_OP_GT) && a > b);
}

static bool brute_meets(const struct brute *b, const struct apk_dep *d, size_t i)
{
	if (str_eq(b->pkgs[i].name, d->name))
		return int_op(b->pkgs[i].version, d->op, d->version);
	for (size_t k = 0; k < b->provides[i].n; k++) {
		const struct apk_dep *p = &b->provides[i].v[k];
		if (!str_eq(p->name, d->name))
			continue;
		if (!p->version.n && b->strict)
			return !d->op;
		return int_op(p->version.n ? p->version : b->pkgs[i].version, d->op, d->version);
	}
	return false;
}

static bool brute_atoms(const struct brute *b, const struct apk_deps *list, uint32_t set, size_t me)
{
	for (size_t k = 0; k < list->n; k++) {
		bool met = false;
		for (size_t i = 0; i < b->n; i++)
			if ((set >> i & 1) && !(list->v[k].conflict && i == me))
				met |= brute_meets(b, &list->v[k], i);
		if (met == list->v[k].conflict)
			return false;
	}
	return true;
}

static bool brute_pair(const struct brute *b, size_t i, size_t k)
{
	if (str_eq(b->pkgs[i].name, b->pkgs[k].name))
		return false;
	for (size_t p = 0; p < b->provides[i].n; p++)
		for (size_t q = 0; q < b->provides[k].n; q++)
			if (str_eq(b->provides[i].v[p].name, b->provides[k].v[q].name) &&
				(b->provides[i].v[p].version.n || b->provides[k].v[q].version.n))
				return false;
	return true;
}

static bool brute_fits(struct brute *b, uint32_t set, bool strict)
{
	b->strict = strict;
	if (!brute_atoms(b, &b->world, set, SIZE_MAX))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		if (!(set >> i & 1))
			continue;
		if (!brute_atoms(b, &b->deps[i], set, i))
			return false;
		for (size_t k = i + 1; k < b->n; k++)
			if ((set >> k & 1) && !brute_pair(b, i, k))
				return false;
	}
	return true;
}

static bool brute_valid(struct brute *b, uint32_t set)
{
	return brute_fits(b, set, false) || brute_fits(b, set, true);
}

static void brute_init(struct brute *b, struct world *w, const struct strs *world)
{
	auto_err struct err err = ERR_INIT;
	b->pkgs = w->idx[0].pkgs;
	b->n = w->idx[0].n;
	b->world = (struct apk_deps){ 0 };
	for (size_t i = 0; i < b->n; i++) {
		assert_true(apk_deps_parse(b->pkgs[i].depends, &w->a, &b->deps[i], &err));
		assert_true(apk_provides_parse(b->pkgs[i].provides, &w->a, &b->provides[i], &err));
	}
	for (size_t i = 0; i < world->n; i++) {
		struct apk_dep d;
		assert_true(apk_dep_parse(world->v[i], &w->a, &d, &err));
		vec_push(&w->a, &b->world, d);
	}
}

/* The best version of a requested name in any valid set, 0 when there is no such set. */
static char brute_best(struct brute *b, struct str name, bool *ret_any)
{
	char best = 0;
	*ret_any = false;
	for (uint32_t set = 0; set < (uint32_t)1 << b->n; set++) {
		if (!brute_valid(b, set))
			continue;
		*ret_any = true;
		for (size_t i = 0; i < b->n; i++)
			if ((set >> i & 1) && str_eq(b->pkgs[i].name, name) &&
				b->pkgs[i].version.p[0] > best)
				best = b->pkgs[i].version.p[0];
	}
	return best;
}

static void check_random(uint32_t number, bool provides, unsigned *solved, unsigned *refused)
{
	auto_buf struct buf text = BUF_INIT(8192), atoms = BUF_INIT(256);
	auto_err struct err err = ERR_INIT;
	struct world w;
	struct solve_result r, again;
	static struct brute b;
	seed = number * 2654435761u + 1;
	random_repository(&text, 4 + rnd(2), provides);
	uint32_t n = 1 + rnd(3);
	for (uint32_t i = 0; i < n; i++) {
		buf_addc(&atoms, ' ');
		random_atom(&atoms, provides ? 5 : 2, i > 0);
	}
	buf_addc(&atoms, '\0');
	world_init(&w, text.p);
	struct strs list = words(&w.a, atoms.p), turned = { 0 };
	for (size_t i = list.n; i-- > 0;)
		strs_push(&w.a, &turned, list.v[i]);
	struct solve_req req = { .indexes = &w.all, .world = &list };
	brute_init(&b, &w, &list);
	bool any, ok = solve(&req, &w.a, &r, &err);
	char best = brute_best(&b, b.world.v[0].name, &any);
	if (ok != any)
		fail_msg("%u: '%s' in '%s' is %s: %s", number, atoms.p, text.p,
			any ? "refused" : "solved", ok ? answer(&w.a, &r) : err.msg);
	++*(ok ? solved : refused);
	uint32_t set = 0;
	for (size_t i = 0; ok && i < r.n; i++)
		set |= (uint32_t)1 << (r.pkgs[i] - b.pkgs);
	if (ok && !brute_valid(&b, set))
		fail_msg("%u: '%s' in '%s': unsound: %s", number, atoms.p, text.p,
			answer(&w.a, &r));
	/* a single request gets the best version that any set allows */
	for (size_t i = 0; ok && !provides && list.n == 1 && i < r.n; i++)
		if (str_eq(r.pkgs[i]->name, b.world.v[0].name) && r.pkgs[i]->version.p[0] != best)
			fail_msg("%u: '%s' in '%s': not the best: %s", number, atoms.p, text.p,
				answer(&w.a, &r));
	req.world = &turned;
	assert_int_equal(solve(&req, &w.a, &again, &err), ok);
	if (ok)
		assert_string_equal(answer(&w.a, &again), answer(&w.a, &r));
	arena_release(&w.a);
}

static void test_random_against_all_sets(void **state)
{
	(void)state;
	unsigned solved = 0, refused = 0;
	const char *more = getenv("SOLVE_RANDOM");
	uint32_t n = more ? (uint32_t)atoi(more) : 300;
	for (uint32_t i = 0; i < n; i++)
		check_random(i, i % 2, &solved, &refused);
	/* both outcomes must have been met often enough to mean something */
	assert_true(solved > n / 5 && refused > n / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_cases),
		cmocka_unit_test(test_case_runner_refuses),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_other_architectures),
		cmocka_unit_test(test_installed),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_check_finds_what_is_wrong),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_random_against_all_sets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
