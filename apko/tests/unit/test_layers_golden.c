#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "apko/layers/layer.h"
#include "shared/archive/splice.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* Layers that the real tool made of small packages, where the recordings are at hand. */

#define GOLDEN SOURCE_DIR "/../shared/data/image-golden"

static const struct golden_case {
	const char *name;
	bool layered;
	int64_t budget;
} golden_cases[] = {
	{ "minimal", false, 0 },
	{ "layers-empty", false, 0 },
	{ "layers-2", true, 2 },
	{ "layers-4", true, 4 },
	{ "layers-10", true, 10 },
};

static struct str read_text(struct arena *a, const char *path)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	if (!file_read(path, &b, &err))
		fail_msg("%s", err.msg);
	return arena_str(a, buf_str(&b));
}

/* A section of the recorded texts, "==> PATH <==". */
static struct str section(struct str texts, const char *path, struct arena *a)
{
	struct str head = arena_strf(a, "==> %s <==\n", path);
	long at = str_find(texts, head);
	assert_true(at >= 0);
	struct str body = str_from(texts, (size_t)at + head.n);
	long end = str_find(body, S("\n==> "));
	return end < 0 ? body : str_sub(body, 0, (size_t)end + 1);
}

/* Opens the packages that the recorded database lists, in its order. */
static size_t open_packages(struct str idb, struct store *store, struct arena *a,
	struct apk_file *files)
{
	struct apk_limits limits = { 0 };
	struct str line, name = STR_NONE;
	size_t n = 0;
	while (str_next(&idb, '\n', &line)) {
		if (str_skip(&line, S("P:")))
			name = line;
		if (!str_skip(&line, S("V:")))
			continue;
		const char *path = arena_printf(a, GOLDEN "/repo/main/x86_64/%.*s-%.*s.apk",
			STR_ARG(name), STR_ARG(line));
		auto_err struct err err = ERR_INIT;
		auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0 && n < 32);
		if (!apk_expand(fd, path, NULL, &limits, store, a, &files[n++], &err))
			fail_msg("%s", err.msg);
	}
	return n;
}

static struct strs lines_of(struct str text, struct arena *a)
{
	struct strs out = { 0 };
	struct str line;
	while (str_next(&text, '\n', &line))
		if (line.n)
			strs_push(a, &out, line);
	return out;
}

static void put(struct tree *t, const char *path, struct str bytes, uint32_t mode)
{
	auto_err struct err err = ERR_INIT;
	if (!tree_put(t, str_of(path), bytes, mode, &err))
		fail_msg("%s", err.msg);
}

static void compare(const struct golden_case *c, const struct layers *got, struct arena *a)
{
	struct str want = read_text(a,
		arena_printf(a, GOLDEN "/%s/expected/out.amd64.diffIDs", c->name));
	struct strs lines = lines_of(want, a);
	assert_int_equal(got->n, lines.n);
	for (size_t i = 0; i < got->n; i++) {
		struct str have = arena_strf(a, "sha256:%s", got->v[i].diff_hex);
		if (!str_eq(have, lines.v[i]))
			fail_msg("%s: layer %zu is %s, not %.*s", c->name, i, have.p,
				STR_ARG(lines.v[i]));
	}
}

static void run_case(const struct golden_case *c, struct store *store)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_keyring struct keyring keys;
	struct apk_file files[32];
	struct tree tree;
	struct layers layers;
	struct pool *pool = pool_new(2);
	const char *top = "";
	for (int i = 0; i < 12; i++) {
		const char *path = arena_printf(&a, GOLDEN "/%s/expected/out.amd64.layer%d.texts",
			c->name, i);
		if (access(path, R_OK) == 0)
			top = path;
	}
	struct str texts = read_text(&a, top);
	size_t n = open_packages(section(texts, "usr/lib/apk/db/installed", &a), store, &a, files);
	struct strs world = lines_of(section(texts, "etc/apk/world", &a), &a);
	struct strs repos = lines_of(section(texts, "etc/apk/repositories", &a), &a);
	keyring_init(&keys, &a);
	if (!keyring_add_file(&keys, GOLDEN "/repo/test.rsa.pub", &err))
		fail_msg("%s", err.msg);
	struct install_base base = { S("x86_64"), &world, &repos, &keys };
	struct install_opts opts = { 0 };
	struct install_result installed;
	tree_init(&tree);
	if (!install_init(&tree, &base, &err) ||
		!install_packages(&tree, files, n, &opts, &a, &installed, &err))
		fail_msg("%s", err.msg);
	put(&tree, "etc/passwd", STR_NONE, 0644);
	put(&tree, "etc/apko.json", section(texts, "etc/apko.json", &a), 0444);
	if (!tree_mkdirs(&tree, S("lib"), 0755, &err) ||
		!tree_symlink(&tree, S("lib/apk"), S("../usr/lib/apk"), &err))
		fail_msg("%s", err.msg);
	struct layer_req req = { &tree, &installed, c->layered, c->budget, SPLICE_LEVEL_LAYER,
		store, pool };
	if (!layers_make(&req, &a, &layers, &err))
		fail_msg("%s", err.msg);
	compare(c, &layers, &a);
	pool_free(pool);
	tree_release(&tree);
	for (size_t i = 0; i < n; i++)
		apk_file_close(&files[i]);
}

static void recorded_layers(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	(void)state;
	if (access(GOLDEN "/repo", R_OK) != 0) {
		print_message("no recorded images here\n");
		skip();
	}
	char *dir = dir_temp(&a, "layers-golden-", &err);
	assert_non_null(dir);
	struct store *store = store_open(dir, &err);
	assert_non_null(store);
	for (size_t i = 0; i < countof(golden_cases); i++)
		run_case(&golden_cases[i], store);
	store_close(store);
	assert_true(dir_remove(dir, &err));
}

/* Rows of the feature checklist (apko 9): I116. */
int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(recorded_layers) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
