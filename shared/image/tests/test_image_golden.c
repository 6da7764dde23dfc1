#include "shared/image/assemble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/apk/arch.h"
#include "shared/apk/keyring.h"
#include "shared/archive/stream.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/rootfs/export.h"

/* Images that the other implementation made of the same packages, where they are at hand: the
 * layer's digest must be the same. */
#define DATA SOURCE_DIR "/../shared/data/image-golden"

static const char *const cases[] = {"busybox", "busybox-table", "ldso", "certs-additional",
	"certs-java", "certs-none", "certs-providers", "runtime-keyring", "service-bundle",
	"os-release", "minimal", "accounts", "paths-types", "pkg-links"};

struct golden {
	const char *name;
	struct arena a;
	struct store *store;
	struct keyring keys;
	struct imgconf conf;
	struct str texts; /* files of the image, each behind a line "==> path <==" */
	struct apk_file *files;
	size_t n_files;
};

static struct str slurp(struct arena *a, const char *path)
{
	auto_buf struct buf b = BUF_INIT(64u << 20);
	auto_err struct err err = ERR_INIT;
	if (!file_read(path, &b, &err))
		fail_msg("%s", err.msg);
	return arena_str(a, buf_str(&b));
}

static struct str text_of(struct golden *g, const char *path)
{
	char *head = arena_printf(&g->a, "==> %s <==\n", path);
	long at = str_find(g->texts, str_of(head));
	assert_true(at >= 0);
	struct str s = str_from(g->texts, (size_t)at + strlen(head));
	long end = str_find(s, S("\n==> "));
	return end < 0 ? s : str_sub(s, 0, (size_t)end + 1);
}

static void expand(struct golden *g, struct str name, struct str version)
{
	auto_err struct err err = ERR_INIT;
	char *path = arena_printf(
		&g->a, DATA "/repo/main/x86_64/%.*s-%.*s.apk", STR_ARG(name), STR_ARG(version));
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	struct apk_limits limits = {0};
	if (!apk_expand(
		    fileno(f), path, NULL, &limits, g->store, &g->a, &g->files[g->n_files++], &err))
		fail_msg("%s", err.msg);
	fclose(f);
}

/* The packages of the recorded database, in its order. */
static void packages(struct golden *g)
{
	struct str db = text_of(g, "usr/lib/apk/db/installed"), line, name = STR_NONE;
	g->files = arena_array(&g->a, struct apk_file, 100);
	while (str_next(&db, '\n', &line)) {
		if (str_skip(&line, S("P:")))
			name = line;
		if (str_skip(&line, S("V:")))
			expand(g, name, line);
	}
}

static void load(struct golden *g)
{
	auto_err struct err err = ERR_INIT;
	g->texts = slurp(
		&g->a, arena_printf(&g->a, DATA "/%s/expected/out.amd64.layer0.texts", g->name));
	if (!imgconf_load(arena_printf(&g->a, DATA "/%s/apko.yaml", g->name), NULL, &g->a, &g->conf,
		    NULL, &err))
		fail_msg("%s: %s", g->name, err.msg);
	keyring_init(&g->keys, &g->a);
	if (!keyring_add(
		    &g->keys, S("test.rsa.pub"), slurp(&g->a, DATA "/repo/test.rsa.pub"), &err))
		fail_msg("%s", err.msg);
	packages(g);
}

static void request(struct golden *g, struct assemble_req *req)
{
	static const char arch[] = "amd64";
	struct ystr *locked;
	struct str world = text_of(g, "etc/apk/world"), line;
	*req = (struct assemble_req){.conf = &g->conf,
		.arch = apk_arch_find(str_of(arch)),
		.keys = &g->keys,
		.files = g->files,
		.n_files = g->n_files};
	strs_push(&g->a, &req->build_repos, S("../repo/main"));
	strs_push(&g->a, &req->runtime_repos, S("../repo/main"));
	while (str_next(&world, '\n', &line))
		if (line.n)
			strs_push(&g->a, &req->world, line);
	locked = arena_array(&g->a, struct ystr, req->world.n + 1);
	/* Packages that the configuration itself adds stand behind the locked ones, bare. */
	for (size_t bare = 0, at = 0; bare < 2; bare++)
		for (size_t i = 0; i < req->world.n; i++)
			if ((str_chr(req->world.v[i], '=') < 0) == (bare == 1))
				locked[at++].s = req->world.v[i];
	g->conf.contents.packages = (struct ystrs){locked, req->world.n, req->world.n};
	struct ystr *only = arena_new(&g->a, struct ystr);
	only->s = str_of(arch);
	g->conf.archs = (struct ystrs){only, 1, 1};
}

static void check(struct golden *g)
{
	auto_err struct err err = ERR_INIT;
	struct assemble_req req;
	struct assemble_result r;
	struct export_plan plan = {0};
	struct export_opts opts = {0};
	struct hash_sink sink;
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	load(g);
	request(g, &req);
	if (!assemble(&req, &g->a, &r, &err))
		fail_msg("%s: %s", g->name, err.msg);
	hash_sink_init(&sink, DIGEST_SHA256, NULL);
	if (!export_plan(&r.tree, &opts, &g->a, &plan, &err) ||
		!export_tar(&plan, &sink.sink, &err))
		fail_msg("%s: %s", g->name, err.msg);
	digest_final(&sink.d, md);
	digest_release(&sink.d);
	hex_encode(md, sizeof(md), hex);
	struct str want = str_trim(
		slurp(&g->a, arena_printf(&g->a, DATA "/%s/expected/out.amd64.diffIDs", g->name)));
	assert_true(str_skip(&want, S("sha256:")));
	if (!str_is(want, hex))
		print_error("%s: layer is %s, not %.*s\n", g->name, hex, STR_ARG(want));
	assemble_release(&r);
	if (!str_is(want, hex))
		fail_msg("%s", g->name);
}

static void layer(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct golden g = {.name = *state};
	char dir[] = "/tmp/golden.XXXXXX";
	assert_non_null(mkdtemp(dir));
	arena_init(&g.a);
	g.store = store_open(dir, &err);
	assert_non_null(g.store);
	check(&g);
	for (size_t i = 0; i < g.n_files; i++)
		apk_file_close(&g.files[i]);
	keyring_release(&g.keys);
	store_close(g.store);
	arena_release(&g.a);
	assert_true(dir_remove(dir, &err));
}

/* What show-config prints; includes are found from the working directory. */
static void shown(void **state)
{
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf out = BUF_INIT(1 << 20);
	struct imgconf c;
	const char *name = *state;
	assert_int_equal(chdir(arena_printf(&a, DATA "/%s", name)), 0);
	if (!imgconf_load("apko.yaml", NULL, &a, &c, NULL, &err) || !imgconf_yaml(&c, &out, &err))
		fail_msg("%s: %s", name, err.msg);
	struct str want = slurp(&a, arena_printf(&a, DATA "/%s/expected/stdout", name));
	assert_int_equal(chdir("/"), 0);
	assert_string_equal(out.p, want.p);
}

int main(void)
{
	static const char *const shows[] = {"show-config", "include-show"};
	struct CMUnitTest tests[countof(cases) + countof(shows)];
	if (access(DATA "/repo", R_OK) != 0) {
		puts("no recorded images at hand: skipped");
		return 0;
	}
	for (size_t i = 0; i < countof(cases); i++)
		tests[i] = (struct CMUnitTest){cases[i], layer, NULL, NULL, (void *)cases[i]};
	for (size_t i = 0; i < countof(shows); i++)
		tests[countof(cases) + i] =
			(struct CMUnitTest){shows[i], shown, NULL, NULL, (void *)shows[i]};
	return _cmocka_run_group_tests("images", tests, countof(tests), NULL, NULL);
}
