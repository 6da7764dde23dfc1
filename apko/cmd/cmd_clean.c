#include "apko/cmd/cmd.h"

#include <ftw.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/store/store.h"

struct clean {
	const char *cache_dir;
	bool dry_run;
	int64_t max_size, max_age;
};

static const struct opt opts[] = {
	{ "cache-dir", 0, OPT_STR, offsetof(struct clean, cache_dir), "", "DIR", "cache to clean", 0 },
	{ "dry-run", 0, OPT_BOOL, offsetof(struct clean, dry_run), NULL, NULL, "only say what", 0 },
	{ "max-size", 0, OPT_SIZE, offsetof(struct clean, max_size), "0", "SIZE",
		"keep the most recently used up to this size", 0 },
	{ "max-age", 0, OPT_DURATION, offsetof(struct clean, max_age), "0s", "TIME",
		"keep what was used within this time", 0 },
	{ 0 },
};

/* "1.5 KB" */
static const char *size_text(uint64_t n, struct arena *a)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	double size = (double)n;
	size_t unit = 0;
	for (; size >= 1024 && unit + 1 < countof(units); unit++)
		size /= 1024;
	return arena_printf(a, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

/* What is not empty stays: somebody else's files, or a build that is under way. */
static int remove_empty(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_DP)
		(void)rmdir(path);
	return 0;
}

static void report(const struct clean *c, const struct store_usage *u, struct arena *a)
{
	log_info("%s %llu of %llu objects, %s of %s", c->dry_run ? "would remove" : "removed",
		(unsigned long long)u->removed_objects, (unsigned long long)u->objects,
		size_text(u->removed_bytes, a), size_text(u->bytes, a));
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)args;
	const struct clean *c = req;
	struct stat st;
	struct store_usage u;
	if (*c->cache_dir && stat(c->cache_dir, &st) != 0) {
		log_info("%s does not exist, nothing to clean", c->cache_dir);
		return true;
	}
	if (*c->cache_dir && !S_ISDIR(st.st_mode))
		return err_set(err, EK_USAGE, "'%s' is not a directory", c->cache_dir);
	const struct store_clean how = {
		.max_bytes = (uint64_t)c->max_size,
		.max_age = c->max_age / 1000000000,
		.all = c->max_size == 0 && c->max_age == 0,
		.dry_run = c->dry_run,
	};
	auto_store struct store *s = store_open(*c->cache_dir ? c->cache_dir : NULL, err);
	if (!s || !store_clean(s, &how, &u, err))
		return false;
	const char *dir = arena_strdup(a, store_dir(s));
	store_close(s);
	s = NULL;
	if (how.all && !how.dry_run)
		(void)nftw(dir, remove_empty, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	report(c, &u, a);
	return true;
}

const struct cmd cmd_clean = {
	.name = "clean",
	.summary = "remove what the cache holds, or what of it is too old or too much",
	.opts = opts,
	.req_size = sizeof(struct clean),
	.max_args = -1,
	.run = run,
};
