#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/apk/index.h"
#include "shared/apk/solve_int.h"
#include "shared/apk/tests/adb_cases.h"
#include "shared/apk/tests/solve_cases.h"
#include "shared/base/tstamp.h"
#include "shared/os/fd.h"

/* Runs files of cases, and single requests, by hand:
 *
 *	apk-cases versions FILE...
 *	apk-cases solver FILE.test...
 *	apk-cases resolve [--arch ARCH] --index FILE-or-REPOSITORY [--key FILE] [--cache DIR] ATOM...
 *	apk-cases adb|adb-dump|adb-verify (see adb_cases.h)
 *	apk-cases bench [--arch ARCH] --index FILE-or-REPOSITORY [--key FILE] FILE
 *
 * `versions` takes lines of "A OP B", "A !OP B", "V" (valid) and "!V". `bench` resolves every line
 * of FILE and prints medians. Exit status 1 when a case fails or a request is refused. */

struct tally {
	unsigned passed, failed, skipped;
};

static int finish(const struct tally *t)
{
	printf("%u passed, %u failed", t->passed, t->failed);
	if (t->skipped)
		printf(", %u skipped", t->skipped);
	printf("\n");
	return t->failed != 0;
}

static bool op_parse(struct str s, unsigned *ret)
{
	unsigned op = 0;
	for (size_t i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '<':
			op |= APK_OP_LT;
			break;
		case '>':
			op |= APK_OP_GT;
			break;
		case '=':
			op |= APK_OP_EQ;
			break;
		case '~':
			op |= APK_OP_FUZZY;
			break;
		default:
			return false;
		}
	*ret = op;
	return s.n;
}

/* 1 holds, 0 does not, -1 cannot be read. */
static int version_case(struct str line)
{
	struct str a, op, b, more;
	unsigned bits;
	if (!str_word(&line, &a))
		return -1;
	if (!str_word(&line, &op))
		return str_skip(&a, S("!")) ? !apk_version_valid(a) : apk_version_valid(a);
	bool no = str_skip(&op, S("!"));
	if (!str_word(&line, &b) || str_word(&line, &more) || !op_parse(op, &bits))
		return -1;
	return apk_version_match(a, bits, b) != no;
}

static bool read_path(const char *path, struct buf *b)
{
	auto_err struct err err = ERR_INIT;
	if (file_read(path, b, &err))
		return true;
	fprintf(stderr, "apk-cases: %s\n", err.msg);
	return false;
}

static void version_file(const char *path, struct tally *t)
{
	auto_buf struct buf b = BUF_INIT(64u << 20);
	if (!read_path(path, &b)) {
		t->failed++;
		return;
	}
	struct str text = buf_str(&b), line;
	for (unsigned n = 1; str_next(&text, '\n', &line); n++) {
		struct str bare, comment;
		(void)str_cut(line, '#', &bare, &comment);
		if (!str_trim(bare).n)
			continue;
		int r = version_case(bare);
		if (r == 1) {
			t->passed++;
			continue;
		}
		t->failed++;
		printf("%s:%u: %s: %.*s\n", path, n, r ? "cannot be read" : "does not hold",
			STR_ARG(str_trim(bare)));
	}
}

static int cmd_versions(int argc, char **argv)
{
	struct tally t = { 0 };
	for (int i = 0; i < argc; i++)
		version_file(argv[i], &t);
	return finish(&t);
}

static int cmd_solver(int argc, char **argv)
{
	struct tally t = { 0 };
	for (int i = 0; i < argc; i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str why;
		switch (solve_case_run(argv[i], &a, &why)) {
		case CASE_PASSED:
			t.passed++;
			break;
		case CASE_SKIPPED:
			t.skipped++;
			printf("skipped %s: %.*s\n", argv[i], STR_ARG(why));
			break;
		default:
			t.failed++;
			printf("failed %s: %.*s\n", argv[i], STR_ARG(why));
		}
	}
	return finish(&t);
}

struct source {
	const char *index, *key, *arch, *cache;
};

static int read_options(int argc, char **argv, struct source *s)
{
	int i = 0;
	s->arch = "x86_64";
	for (; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--index") == 0)
			s->index = argv[i + 1];
		else if (strcmp(argv[i], "--key") == 0)
			s->key = argv[i + 1];
		else if (strcmp(argv[i], "--arch") == 0)
			s->arch = argv[i + 1];
		else if (strcmp(argv[i], "--cache") == 0)
			s->cache = argv[i + 1];
		else
			break;
	}
	return i;
}

static bool open_with(struct source *s, struct arena *a, struct apk_index *ret, struct err *err)
{
	auto_keyring struct keyring keys;
	const char *path = arena_printf(a, "%s/%s/APKINDEX.tar.gz", s->index, s->arch);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	keyring_init(&keys, a);
	if (fd < 0) {
		path = s->index;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	auto_store struct store *store = s->cache ? store_open(s->cache, err) : NULL;
	if (s->cache && !store)
		return false;
	struct index_read_opts o = { .keys = s->key ? &keys : NULL, .name = path };
	*ret = (struct apk_index){ .repo = str_of(s->index), .base = str_of(s->index),
		.arch = str_of(s->arch) };
	return (!s->key || keyring_add_file(&keys, s->key, err)) &&
	       index_open(fd, &o, store, a, ret, err);
}

static bool open_index(struct source *s, struct arena *a, struct apk_index *ret)
{
	auto_err struct err err = ERR_INIT;
	if (open_with(s, a, ret, &err))
		return true;
	fprintf(stderr, "apk-cases: %s\n", err.msg);
	return false;
}

static int cmd_resolve(int argc, char **argv)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct source s = { 0 };
	struct apk_index idx, *v[] = { &idx };
	struct apk_indexes all = { .v = v, .n = 1 };
	struct strs world = { 0 };
	struct solve_result r;
	int i = read_options(argc, argv, &s);
	if (!s.index || !open_index(&s, &a, &idx))
		return 1;
	for (; i < argc; i++)
		strs_push(&a, &world, str_of(argv[i]));
	struct solve_req req = { .indexes = &all, .world = &world };
	if (!solve(&req, &a, &r, &err) || !solve_check(&req, &r, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	for (size_t k = 0; k < r.n; k++)
		printf("%.*s=%.*s\n", STR_ARG(r.pkgs[k]->name), STR_ARG(r.pkgs[k]->version));
	return 0;
}

static int cmp_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

struct times {
	VEC(int64_t) build, greedy, whole;
};

static void print_times(const char *what, int64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), cmp_i64);
	if (n)
		printf("%s: median %.3f ms, 99%% %.3f ms, worst %.3f ms\n", what,
			(double)v[n / 2] / 1e6, (double)v[n * 99 / 100] / 1e6,
			(double)v[n - 1] / 1e6);
}

static void bench_one(const struct apk_indexes *all, struct str line, struct arena *keep,
	struct times *t)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct strs world = { 0 };
	struct solve_req req = { .indexes = all, .world = &world };
	struct str w;
	struct stab tab;
	struct satoms atoms;
	struct sset set;
	while (str_word(&line, &w))
		strs_push(&a, &world, w);
	int64_t t0 = tstamp_mono_ns();
	bool ok = stab_build(&tab, &req, &a, &err);
	int64_t t1 = tstamp_mono_ns();
	ok = ok && stab_world(&tab, &req, &a, &atoms, &err) && sgreedy(&tab, &atoms, &a, &set) &&
		  scheck(&tab, &atoms, &set, &err);
	int64_t t2 = tstamp_mono_ns();
	vec_push(keep, &t->build, t1 - t0);
	if (ok) {
		vec_push(keep, &t->greedy, t2 - t1);
		return;
	}
	err_release(&err);
	struct solve_result r;
	t0 = tstamp_mono_ns();
	(void)!solve(&req, &a, &r, &err);
	vec_push(keep, &t->whole, tstamp_mono_ns() - t0);
}

static int cmd_bench(int argc, char **argv)
{
	auto_arena struct arena a = ARENA_INIT;
	struct source s = { 0 };
	struct apk_index idx, *v[] = { &idx };
	struct apk_indexes all = { .v = v, .n = 1 };
	struct times t = { 0 };
	auto_buf struct buf b = BUF_INIT(64u << 20);
	int i = read_options(argc, argv, &s);
	if (!s.index || i >= argc || !open_index(&s, &a, &idx) || !read_path(argv[i], &b))
		return 1;
	struct str text = buf_str(&b), line;
	while (str_next(&text, '\n', &line))
		if (line.n && line.p[0] != '#')
			bench_one(&all, line, &a, &t);
	print_times("table", t.build.v, t.build.n);
	print_times("stage 1 and check", t.greedy.v, t.greedy.n);
	print_times("with stage 2", t.whole.v, t.whole.n);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} cmds[] = {
		{ "versions", cmd_versions },
		{ "solver", cmd_solver },
		{ "resolve", cmd_resolve },
		{ "bench", cmd_bench },
		{ "adb", adb_cases },
		{ "adb-dump", adb_cases_dump },
		{ "adb-verify", adb_cases_verify },
	};
	for (size_t i = 0; argc > 2 && i < countof(cmds); i++)
		if (strcmp(argv[1], cmds[i].name) == 0)
			return cmds[i].run(argc - 2, argv + 2);
	fprintf(stderr, "usage: apk-cases versions|solver|resolve|bench|adb|adb-dump|adb-verify ...\n");
	return 2;
}
