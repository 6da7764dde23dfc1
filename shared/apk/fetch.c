#include "shared/apk/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/apk/stored.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

#define SPARE_FDS 256	/* besides one for each package */

struct fetch_job {
	struct job job;
	const struct apk_fetch *fetch;
	const struct apk_pkg *pkg;
	atomic_bool *failed;	/* one of the others did: no need to go on */
	bool skipped;
	struct arena arena;
	struct apk_file file;
};

static bool from_store(struct fetch_job *j)
{
	auto_err struct err err = ERR_INIT;

	if (!apk_open_stored(j->fetch->store, j->pkg->checksum, j->pkg->checksum_n, &j->arena,
		    &j->file, &err))
		return false;
	/* Expanding again finds the words for what does not agree. */
	if (apk_info_agrees(&j->file.info, j->pkg, &err))
		return true;
	apk_file_close(&j->file);
	return false;
}

static bool open_local(const char *path, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, EK_NOTFOUND,
			"package '%s' is in the index but not in the repository", path);
	if (fd < 0)
		return err_sys(err, "cannot open package '%s'", path);
	*ret_fd = fd;
	return true;
}

static bool get(struct fetch_job *j, struct err *err)
{
	const struct apk_pkg *p = j->pkg;
	struct str url = apk_pkg_url(p, &j->arena);
	auto_fd int fd = -1;

	return open_local(url.p, &fd, err) &&
		apk_expand(fd, url.p, p, &j->fetch->limits, j->fetch->store, &j->arena, &j->file,
			err);
}

static bool fetch_one(struct job *job, struct err *err)
{
	struct fetch_job *j = (struct fetch_job *)job;

	j->skipped = atomic_load(j->failed);
	if (j->skipped)
		return true;
	if (proc_check(err) && (from_store(j) || get(j, err))) {
		j->file.pkg = j->pkg;
		return true;
	}
	atomic_store(j->failed, true);
	return false;
}

/* Every package keeps a descriptor open. */
static void raise_fd_limit(size_t n)
{
	struct rlimit lim;
	rlim_t want = (rlim_t)n + SPARE_FDS;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur >= want)
		return;
	lim.rlim_cur = want < lim.rlim_max ? want : lim.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

static uint64_t weight(const struct apk_pkg *p)
{
	return p->file_size ? p->file_size : p->installed_size;
}

static int by_weight_down(const void *pa, const void *pb)
{
	const struct fetch_job *a = *(struct fetch_job *const *)pa;
	const struct fetch_job *b = *(struct fetch_job *const *)pb;
	uint64_t wa = weight(a->pkg), wb = weight(b->pkg);

	return wa != wb ? (wa < wb) - (wa > wb) : (a > b) - (a < b);
}

/* Largest first, so that no worker is left with a big one at the end. */
static void submit_all(const struct apk_fetch *f, struct fetch_job *jobs, size_t n,
	struct arena *a)
{
	struct fetch_job **order = arena_array(a, struct fetch_job *, n);

	for (size_t i = 0; i < n; i++)
		order[i] = &jobs[i];
	qsort(order, n, sizeof(order[0]), by_weight_down);
	for (size_t i = 0; i < n; i++)
		pool_submit(f->pool, &order[i]->job);
}

bool apk_fetch_all(const struct apk_fetch *f, const struct apk_pkg *const *pkgs, size_t n,
	struct arena *a, struct apk_file *ret_files, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct fetch_job *jobs = arena_array(&scratch, struct fetch_job, n + 1);
	atomic_bool failed = false;
	bool ok = true;

	raise_fd_limit(n);
	for (size_t i = 0; i < n; i++)
		jobs[i] = (struct fetch_job){
			.job.run = fetch_one, .fetch = f, .pkg = pkgs[i], .failed = &failed,
			.file.data.fd = -1,
		};
	if (n)
		submit_all(f, jobs, n, &scratch);
	for (size_t i = 0; i < n; i++) {
		auto_err struct err one = ERR_INIT;
		if (!pool_wait(f->pool, &jobs[i].job, &one) && ok)
			ok = err_move(err, &one);
	}
	for (size_t i = 0; i < n; i++) {
		if (ok)
			ret_files[i] = jobs[i].file;
		else
			apk_file_close(&jobs[i].file);
		arena_adopt(a, &jobs[i].arena);
	}
	return ok;
}
