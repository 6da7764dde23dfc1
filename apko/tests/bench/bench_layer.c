#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "apko/layers/layer.h"
#include "shared/archive/splice.h"
#include "shared/base/tstamp.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* bench-layer STORE PACKAGES [BUDGET]: installs every .apk of a directory and writes the layers
 * twice, saying how long each stage took. Remove STORE/piece and STORE/layer for a cold run. */

static int64_t since(int64_t *from)
{
	int64_t now = tstamp_mono_ns(), ms = (now - *from) / 1000000;
	*from = now;
	return ms;
}

static bool expand_all(struct store *store, const char *dir, struct arena *a,
	struct apk_file **ret, size_t *ret_n, struct err *err)
{
	struct strs names = { 0 };
	struct apk_limits limits = { 0 };
	size_t n = 0;
	if (!dir_names(dir, a, &names, err))
		return false;
	struct apk_file *files = arena_array(a, struct apk_file, names.n);
	for (size_t i = 0; i < names.n; i++) {
		if (!str_ends(names.v[i], S(".apk")))
			continue;
		const char *path = arena_printf(a, "%s/%.*s", dir, STR_ARG(names.v[i]));
		auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "cannot open '%s'", path);
		if (!apk_expand(fd, path, NULL, &limits, store, a, &files[n++], err))
			return false;
	}
	*ret = files;
	*ret_n = n;
	return true;
}

static bool bench(const char *store_dir, const char *dir, const char *budget, struct arena *a,
	struct err *err)
{
	int64_t at = tstamp_mono_ns();
	struct apk_file *files = NULL;
	size_t n = 0;
	auto_store struct store *store = store_open(store_dir, err);
	if (!store || !expand_all(store, dir, a, &files, &n, err))
		return false;
	printf("%zu packages: %lld ms\n", n, (long long)since(&at));
	struct tree tree;
	struct strs none = { 0 };
	struct install_base base = { .arch = S("x86_64"), .world = &none, .repositories = &none };
	struct install_opts opts = { 0 };
	struct install_result installed;
	tree_init(&tree);
	bool ok = install_init(&tree, &base, err) &&
		install_packages(&tree, files, n, &opts, a, &installed, err);
	printf("installed %zu nodes: %lld ms\n", tree.n_nodes, (long long)since(&at));
	struct pool *pool = pool_new(0);
	struct layer_req req = { &tree, &installed, budget != NULL, budget ? atoi(budget) : 0,
		SPLICE_LEVEL_LAYER, store, pool };
	for (int run = 0; run < 2 && ok; run++) {
		struct layers layers;
		at = tstamp_mono_ns();
		ok = layers_make(&req, a, &layers, err);
		printf("layers: %lld ms\n", (long long)since(&at));
		for (size_t i = 0; ok && i < layers.n; i++)
			printf("  %s %llu -> %llu %s\n", layers.v[i].diff_hex,
				(unsigned long long)layers.v[i].raw_size,
				(unsigned long long)layers.v[i].size, layers.v[i].path);
	}
	pool_free(pool);
	tree_release(&tree);
	for (size_t i = 0; i < n; i++)
		apk_file_close(&files[i]);
	return ok;
}

int main(int argc, char **argv)
{
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	struct rusage use;
	if (argc < 3)
		return fprintf(stderr, "usage: bench-layer STORE PACKAGES [BUDGET]\n"), 2;
	if (!bench(argv[1], argv[2], argc > 3 ? argv[3] : NULL, &a, &err))
		return fprintf(stderr, "%s\n", err.msg), 1;
	getrusage(RUSAGE_SELF, &use);
	printf("peak %ld KiB, user %ld.%03ld s, system %ld.%03ld s\n", use.ru_maxrss,
		(long)use.ru_utime.tv_sec, (long)use.ru_utime.tv_usec / 1000,
		(long)use.ru_stime.tv_sec, (long)use.ru_stime.tv_usec / 1000);
	return 0;
}
