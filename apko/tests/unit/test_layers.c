#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apko/layers/layer.h"
#include "apko/layers/piece.h"
#include "shared/archive/gz.h"
#include "shared/archive/splice.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/rootfs/export.h"

#define N_SMALL 900

struct world {
	struct arena arena;
	struct blob blob;
	struct apk_file pkg;
	struct install_record record;
	struct install_result installed;
	struct tree tree;
	char *dir;		/* store and blob lie here */
};

static void noise(char *p, size_t n, uint32_t x)
{
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = "etaoin shrdlu\n0123456789"[(x >> 24) % 24];
	}
}

static struct tree_node *file_in_blob(struct world *w, const char *path, uint64_t off,
	uint64_t size)
{
	auto_err struct err err = ERR_INIT;
	struct tree_node *n = tree_put(&w->tree, str_of(path), STR_NONE, 0644, &err);
	assert_non_null(n);
	n->body->blob = &w->blob;
	n->body->off = off;
	n->body->size = size;
	n->body->bytes = NULL;
	n->owner = &w->pkg;
	return n;
}

/* Small files, big ones, one in memory, a hard link, a database. */
static void world_open(struct world *w)
{
	enum { BLOB = 5 << 20 };
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf big = BUF_INIT(BUF_NOLIMIT);
	memset(w, 0, sizeof(*w));
	w->dir = dir_temp(&w->arena, "layers-test-", &err);
	assert_non_null(w->dir);
	const char *path = arena_printf(&w->arena, "%s/blob", w->dir);
	big.n += BLOB * (size_t)!!buf_room(&big, BLOB);
	noise(big.p, BLOB, 1);
	assert_true(file_write(path, big.p, BLOB, 0600, &err));
	w->blob = (struct blob){ open(path, O_RDONLY | O_CLOEXEC), "blob", S("0123") };
	w->pkg.info.name = S("p");
	w->record = (struct install_record){ &w->pkg, S("P:p\n\n") };
	w->installed = (struct install_result){ &w->record, 1 };
	tree_init(&w->tree);
	for (unsigned i = 0; i < N_SMALL; i++)
		file_in_blob(w, arena_printf(&w->arena, "usr/share/d%u/f%u", i % 7, i), i * 999,
			(i * 37) % 5000);
	file_in_blob(w, "usr/lib/big", 77, (3 << 20) + 5);
	file_in_blob(w, "usr/lib/edge", 0, 64 << 10);
	struct tree_node *link = file_in_blob(w, "usr/lib/zlink", 0, 0);
	tree_share(link, tree_find(&w->tree, S("usr/lib/edge"), false));
	assert_non_null(tree_put(&w->tree, S("etc/own"), str_n(big.p, 70000), 0600, &err));
	assert_non_null(tree_put(&w->tree, S("usr/lib/apk/db/installed"), w->record.text, 0644,
		&err));
}

static void world_close(struct world *w)
{
	auto_err struct err err = ERR_INIT;
	close(w->blob.fd);
	tree_release(&w->tree);
	assert_true(dir_remove(w->dir, &err));
	arena_release(&w->arena);
}

static struct layers make(struct world *w, const char *store_name, unsigned threads, bool layered)
{
	auto_err struct err err = ERR_INIT;
	const char *dir = arena_printf(&w->arena, "%s/%s", w->dir, store_name);
	auto_store struct store *store = store_open(dir, &err);
	assert_non_null(store);
	struct pool *pool = pool_new(threads);
	struct layer_req req = { &w->tree, &w->installed, layered, 3, SPLICE_LEVEL_LAYER, store,
		pool };
	struct layers ret;
	if (!layers_make(&req, &w->arena, &ret, &err))
		fail_msg("%s", err.msg);
	pool_free(pool);
	return ret;
}

static void same(const struct layers *x, const struct layers *y)
{
	assert_int_equal(x->n, y->n);
	for (size_t i = 0; i < x->n; i++) {
		assert_string_equal(x->v[i].diff_hex, y->v[i].diff_hex);
		assert_string_equal(x->v[i].digest_hex, y->v[i].digest_hex);
		assert_int_equal(x->v[i].size, y->v[i].size);
	}
}

/* The blob is one member, has the digest it says, and inflates to the tar. */
static void check_blob(const struct layer *l, struct str tar)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf blob = BUF_INIT(BUF_NOLIMIT), out = BUF_INIT(BUF_NOLIMIT);
	uint8_t md[SHA256_SIZE];
	size_t used;
	assert_true(file_read(l->path, &blob, &err));
	assert_int_equal(blob.n, l->size);
	digest_once(DIGEST_SHA256, blob.p, blob.n, md);
	assert_memory_equal(md, l->digest, sizeof(md));
	if (!gz_inflate_member(buf_str(&blob), l->path, &out, &used, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(used, blob.n);
	assert_int_equal(out.n, l->raw_size);
	digest_once(DIGEST_SHA256, out.p, out.n, md);
	assert_memory_equal(md, l->diff_id, sizeof(md));
	if (tar.n)
		assert_true(str_eq(buf_str(&out), tar));
}

static void plan_tar(struct world *w, struct buf *out)
{
	auto_err struct err err = ERR_INIT;
	struct export_plan plan;
	struct buf_sink sink;
	buf_sink_init(&sink, out);
	assert_true(export_plan(&w->tree, NULL, &w->arena, &plan, &err));
	assert_true(export_tar(&plan, &sink.sink, &err));
}

static void blobs_hold_the_tar(void **state)
{
	auto_buf struct buf tar = BUF_INIT(BUF_NOLIMIT);
	struct world w;
	(void)state;
	world_open(&w);
	plan_tar(&w, &tar);
	struct layers one = make(&w, "store", 2, false);
	assert_int_equal(one.n, 1);
	check_blob(&one.v[0], buf_str(&tar));
	struct layers two = make(&w, "store", 2, true);
	assert_int_equal(two.n, 2);
	assert_ptr_equal(two.v[0].group->v[0], &w.record);
	assert_null(two.v[1].group);
	check_blob(&two.v[0], STR_NONE);
	check_blob(&two.v[1], STR_NONE);
	world_close(&w);
}

/* Neither threads nor the cache, whole, partial or damaged, change a byte. */
static void same_bytes_always(void **state)
{
	static const unsigned widths[] = { 1, 2, 5 };
	struct world w;
	(void)state;
	world_open(&w);
	struct layers first = make(&w, "first", 1, false), layered = make(&w, "split", 1, true);
	for (size_t i = 0; i < countof(widths); i++) {
		const char *name = arena_printf(&w.arena, "store%u", widths[i]);
		for (int run = 0; run < 2; run++) {
			struct layers got = make(&w, name, widths[i], false);
			same(&first, &got);
			got = make(&w, name, widths[i], true);
			same(&layered, &got);
			check_blob(&got.v[0], STR_NONE);
		}
	}
	world_close(&w);
}

static void damage(const char *path, off_t at, size_t n)
{
	int fd = -1;
	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	char *bytes = malloc(n);
	assert_true(fd >= 0 && bytes && pread(fd, bytes, n, at) == (ssize_t)n);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)~bytes[i];
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	free(bytes);
	close(fd);
}

static char *only_file(struct world *w, const char *dir)
{
	auto_err struct err err = ERR_INIT;
	struct strs sub = { 0 }, names = { 0 };
	assert_true(dir_names(dir, &w->arena, &sub, &err));
	assert_int_equal(sub.n, 1);
	const char *path = arena_printf(&w->arena, "%s/%.*s", dir, STR_ARG(sub.v[0]));
	assert_true(dir_names(path, &w->arena, &names, &err));
	assert_int_equal(names.n, 1);
	return arena_printf(&w->arena, "%s/%.*s", path, STR_ARG(names.v[0]));
}

static void damaged_caches(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	struct layers first = make(&w, "store", 2, false);
	const char *pieces = arena_printf(&w.arena, "%s/store/piece", w.dir);
	struct stat st;
	/* pieces inside the blob; another tree, so that the blob is not found to be there */
	damage(first.v[0].path, 5000, 200000);
	struct tree_node *own = tree_find(&w.tree, S("etc/own"), false);
	own->mode = 0640;
	struct layers got = make(&w, "store", 2, false), fresh = make(&w, "other", 1, false);
	same(&fresh, &got);
	check_blob(&got.v[0], STR_NONE);
	/* the list */
	static const off_t places[] = { 0, 9, 13, 17, 40, 500 };
	for (size_t i = 0; i < countof(places); i++) {
		damage(only_file(&w, pieces), places[i], 2);
		own->mode++;
		got = make(&w, "store", 2, false);
		check_blob(&got.v[0], STR_NONE);
	}
	assert_int_equal(stat(only_file(&w, pieces), &st), 0);
	assert_int_equal(chmod(only_file(&w, pieces), 0600), 0);
	assert_int_equal(truncate(only_file(&w, pieces), st.st_size - 1), 0);
	own->mode++;
	got = make(&w, "store", 2, false);
	check_blob(&got.v[0], STR_NONE);
	/* and with no earlier blob left */
	assert_int_equal(unlink(got.v[0].path), 0);
	fresh = make(&w, "store", 2, false);
	same(&got, &fresh);
	check_blob(&fresh.v[0], STR_NONE);
	world_close(&w);
}

static void unreadable_content(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct world w;
	struct layers ret;
	(void)state;
	world_open(&w);
	assert_int_equal(truncate(arena_printf(&w.arena, "%s/blob", w.dir), 100000), 0);
	auto_store struct store *store =
		store_open(arena_printf(&w.arena, "%s/store", w.dir), &err);
	for (unsigned threads = 1; threads < 4; threads++) {
		struct pool *pool = pool_new(threads);
		struct layer_req req = { &w.tree, &w.installed, threads > 2, 3,
			SPLICE_LEVEL_LAYER, store, pool };
		assert_false(layers_make(&req, &w.arena, &ret, &err));
		assert_non_null(strstr(err.msg, "blob"));
		err_release(&err);
		pool_free(pool);
	}
	world_close(&w);
}

/* Pieces lie one behind the other, cover everything, and keep their sizes. */
static void cuts(void **state)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf tar = BUF_INIT(BUF_NOLIMIT), joined = BUF_INIT(BUF_NOLIMIT);
	struct world w;
	struct export_plan plan;
	struct pieces before = { 0 }, after = { 0 };
	size_t kept = 0;
	(void)state;
	world_open(&w);
	plan_tar(&w, &tar);
	assert_true(export_plan(&w.tree, NULL, &w.arena, &plan, &err));
	piece_cut(&plan, 0, &w.arena, &before);
	for (size_t i = 0; i < before.n; i++) {
		assert_in_range(before.v[i].n, 1, PIECE_MAX);
		char *to = buf_room(&joined, before.v[i].n);
		assert_true(piece_read(&plan, &before.v[i], to, &err));
		joined.n += before.v[i].n;
	}
	assert_true(str_eq(buf_str(&joined), buf_str(&tar)));

	/* one file more moves few of them */
	uint8_t(*keys)[PIECE_KEY] = arena_alloc(&w.arena, before.n * sizeof(*keys));
	for (size_t i = 0; i < before.n; i++)
		assert_true(piece_key(&plan, &before.v[i], keys[i], &err));
	file_in_blob(&w, "usr/share/d0/f0000", 0, 2000);
	assert_true(export_plan(&w.tree, NULL, &w.arena, &plan, &err));
	piece_cut(&plan, 0, &w.arena, &after);
	for (size_t i = 0; i < after.n; i++) {
		uint8_t key[PIECE_KEY];
		assert_true(piece_key(&plan, &after.v[i], key, &err));
		for (size_t k = 0; k < before.n; k++)
			kept += memcmp(keys[k], key, sizeof(key)) == 0;
	}
	assert_in_range(kept, before.n - 4, before.n);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_hold_the_tar),
		cmocka_unit_test(same_bytes_always),
		cmocka_unit_test(damaged_caches),
		cmocka_unit_test(unreadable_content),
		cmocka_unit_test(cuts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
