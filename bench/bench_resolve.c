#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/synthetic.h"
#include "shared/apk/index.h"
#include "shared/apk/solve.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/tstamp.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/*	bench-resolve [PACKAGES [NAMES]]
 *
 * Makes a signed index of PACKAGES (60,000) made-up packages and prints what opening it for the
 * first time, opening it again and resolving a request of NAMES (300) names take, and the memory
 * of a process that does the latter. Medians of several runs, each opening in a process of its
 * own. */

#define RUNS 15
#define SETTLED 3

struct bench {
	struct arena a;
	char *dir, *file, *key, *cache;
	struct keyring keys;
	unsigned n_pkgs, n_names;
};

static void check(bool ok, const struct err *err)
{
	if (ok)
		return;
	fprintf(stderr, "bench-resolve: %s\n", err->msg);
	exit(1);
}

static bool add_member(struct buf *tar, struct str name, struct str content, struct err *err)
{
	struct tar_entry e = { .name = name, .type = '0', .mode = 0644, .size = content.n };
	if (!tar_header(&e, tar, err))
		return false;
	buf_addstr(tar, content);
	buf_addzero(tar, tar_padding(content.n));
	return true;
}

static void make_index(struct bench *b)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf text = BUF_INIT(1u << 30), tar = BUF_INIT(1u << 30);
	auto_buf struct buf gz = BUF_INIT(1u << 30), file = BUF_INIT(1u << 30);
	auto_buf struct buf pem = BUF_INIT(1u << 20);
	auto_sigkey struct sigkey *key = sigkey_generate(2048, &err);
	check(key && sigkey_public_pem(key, &pem, &err), &err);
	keyring_init(&b->keys, &b->a);
	check(file_write(b->key, pem.p, pem.n, 0644, &err) &&
			keyring_add_file(&b->keys, b->key, &err), &err);
	synthetic_index(b->n_pkgs, &text);
	check(add_member(&tar, S("DESCRIPTION"), S("bench"), &err) &&
			add_member(&tar, S("APKINDEX"), buf_str(&text), &err), &err);
	buf_addzero(&tar, TAR_END_SIZE);
	check(gz_deflate(buf_str(&tar), 6, &gz, &err) &&
			index_sign(buf_str(&gz), key, "bench.rsa", &file, &err) &&
			file_write(b->file, file.p, file.n, 0644, &err), &err);
	printf("index: %u packages, %.1f MB of text, %.1f MB as a file\n", b->n_pkgs,
		(double)text.n / 1e6, (double)file.n / 1e6);
}

static void name_files(struct bench *b)
{
	b->file = arena_printf(&b->a, "%s/APKINDEX.tar.gz", b->dir);
	b->key = arena_printf(&b->a, "%s/bench.rsa.pub", b->dir);
	b->cache = arena_printf(&b->a, "%s/store", b->dir);
}

static long status_kb(const char *field)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0)
			kb = strtol(line + strlen(field), NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

/* What one process reports. */
struct figures {
	int64_t open, solve;	/* ns */
	long peak, file, before;	/* kB: at most, of it mapped files, at the start */
	size_t n;		/* packages of the solution */
};

static void solve_names(const struct bench *b, struct apk_index *idx, struct arena *a,
	uint32_t seed, struct figures *f)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf text = BUF_INIT(1u << 20);
	struct apk_index *v[] = { idx };
	struct apk_indexes all = { .v = v, .n = 1 };
	struct strs world = { 0 };
	struct solve_result r;
	struct str word;
	synthetic_request(b->n_pkgs, b->n_names, seed, &text);
	struct str rest = buf_str(&text);
	while (str_word(&rest, &word))
		strs_push(a, &world, word);
	const struct solve_req req = { .indexes = &all, .world = &world };
	int64_t t = tstamp_mono_ns();
	check(solve(&req, a, &r, &err), &err);
	f->solve = tstamp_mono_ns() - t;
	f->n = r.n;
}

static void run_once(const struct bench *b, const char *cache, bool solve_too, uint32_t seed,
	struct figures *f)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct store *s = cache ? store_open(cache, &err) : NULL;
	struct apk_index idx = { .repo = S("bench"), .base = S("bench"), .arch = S("x86_64") };
	const struct index_read_opts o = { .keys = &b->keys, .name = "bench" };
	auto_fd int fd = open(b->file, O_RDONLY | O_CLOEXEC);
	check(!cache || s, &err);
	f->before = status_kb("VmRSS:");
	int64_t t = tstamp_mono_ns();
	check(index_open(fd, &o, s, &a, &idx, &err), &err);
	f->open = tstamp_mono_ns() - t;
	if (solve_too)
		solve_names(b, &idx, &a, seed, f);
	f->peak = status_kb("VmHWM:");
	f->file = status_kb("RssFile:");
	store_close(s);
}

enum mode { COLD, COLD_SAVING, AGAIN };

/* In a program of its own, as a first use is. */
static void in_child(const struct bench *b, enum mode mode, uint32_t seed, struct figures *f)
{
	auto_err struct err err = ERR_INIT;
	char args[3][32];
	const unsigned values[3] = { mode, b->n_pkgs, b->n_names };
	int p[2], status;
	for (unsigned i = 0; i < 3; i++)
		(void)snprintf(args[i], sizeof(args[i]), "%u", values[i]);
	char *seed_arg = arena_printf((struct arena *)&b->a, "%u", seed);
	char name[] = "bench-resolve", mark[] = "--child";
	char *argv[] = { name, mark, b->dir, args[0], args[1], args[2], seed_arg, NULL };
	check(pipe(p) == 0 || err_sys(&err, "pipe"), &err);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(p[1], STDOUT_FILENO);
		(void)execv("/proc/self/exe", argv);
		_exit(127);
	}
	close(p[1]);
	if (read(p[0], f, sizeof(*f)) != sizeof(*f) || waitpid(pid, &status, 0) != pid || status)
		exit(1);
	close(p[0]);
}

static int child(char **argv)
{
	auto_err struct err err = ERR_INIT;
	struct bench b = { .dir = argv[0], .n_pkgs = (unsigned)atoi(argv[2]),
		.n_names = (unsigned)atoi(argv[3]) };
	enum mode mode = (enum mode)atoi(argv[1]);
	uint32_t seed = (uint32_t)atoi(argv[4]);
	struct figures f = { 0 };
	name_files(&b);
	keyring_init(&b.keys, &b.a);
	b.keys.later = true;
	check(keyring_add_file(&b.keys, b.key, &err), &err);
	run_once(&b, mode == COLD ? NULL : b.cache, mode != COLD, seed, &f);
	keyring_release(&b.keys);
	arena_release(&b.a);
	return write(STDOUT_FILENO, &f, sizeof(f)) != sizeof(f);
}

static int by_open(const void *a, const void *b)
{
	const struct figures *x = a, *y = b;
	int64_t s = x->open + x->solve, t = y->open + y->solve;
	return s < t ? -1 : s > t;
}

static struct figures median(const struct bench *b, enum mode mode)
{
	struct figures f[RUNS];
	for (uint32_t i = 0; i < RUNS; i++) {
		if (mode == COLD_SAVING) {
			auto_err struct err err = ERR_INIT;
			check(dir_remove(b->cache, &err), &err);
		}
		in_child(b, mode, i, &f[i]);
	}
	qsort(f, RUNS, sizeof(*f), by_open);
	return f[RUNS / 2];
}

static void print(const char *what, struct figures f, double unit)
{
	printf("%-44s %8.2f ms", what, (double)(f.open + f.solve) / 1e6);
	if (f.solve)
		printf("  (open %.2f, resolve %.2f: %zu packages)", (double)f.open / 1e6,
			(double)f.solve / 1e6, f.n);
	printf("  x%.1f  memory %.1f MB at most, of it mapped %.1f MB, %.1f MB at the start\n",
		unit / (double)(f.open + f.solve), (double)f.peak / 1e3, (double)f.file / 1e3,
		(double)f.before / 1e3);
}

int main(int argc, char **argv)
{
	auto_err struct err err = ERR_INIT;
	if (argc == 7 && strcmp(argv[1], "--child") == 0)
		return child(argv + 2);
	struct bench b = { .n_pkgs = argc > 1 ? (unsigned)atoi(argv[1]) : 60000,
		.n_names = argc > 2 ? (unsigned)atoi(argv[2]) : 300 };
	b.dir = dir_temp(&b.a, "bench-resolve-", &err);
	check(b.dir, &err);
	name_files(&b);
	make_index(&b);
	(void)sleep(SETTLED); /* else it is not known again by its times */
	struct figures cold = median(&b, COLD);
	double unit = (double)cold.open;
	print("verify, parse and index", cold, unit);
	print("the same, saved, and one request", median(&b, COLD_SAVING), unit);
	print("mapped, and one request", median(&b, AGAIN), unit);
	keyring_release(&b.keys);
	check(dir_remove(b.dir, &err), &err);
	arena_release(&b.a);
	return 0;
}
