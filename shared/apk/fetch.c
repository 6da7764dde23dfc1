#include "shared/apk/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/apk/stored.h"
#include "shared/net/http.h"
#include "shared/net/url.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

#define SPARE_FDS 256	/* besides two for each package: its data, and the file it came in */

/* First every package is looked for in the store and in local repositories, on all workers. Then
 * the calling thread gets the others, each of which goes to a worker as soon as it is there. */

struct fetch_job {
	struct job job;
	const struct apk_fetch *fetch;
	const struct apk_pkg *pkg;
	atomic_bool *failed;	/* one of the others did: no need to go on */
	bool skipped;
	bool submitted;		/* only the calling thread looks at it */
	bool remote;		/* not in the store: to be downloaded from url */
	const char *url;
	const char *second;	/* where it may be if not there; NULL = nowhere */
	bool missing;		/* it is not there */
	struct store_new body;	/* what is downloaded; never becomes an object */
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

static bool open_local(struct fetch_job *j, int *ret_fd, struct err *err)
{
	const char *path = j->url;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT && j->second && access(j->second, F_OK) == 0) {
		path = j->url = j->second;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (fd < 0 && errno == ENOENT)
		return err_set(err, EK_NOTFOUND,
			"package '%s' is in the index but not in the repository", path);
	if (fd < 0)
		return err_sys(err, "cannot open package '%s'", path);
	*ret_fd = fd;
	return true;
}

static bool expand_from(struct fetch_job *j, int fd, struct err *err)
{
	const struct apk_fetch *f = j->fetch;

	return apk_expand(fd, url_redact(str_of(j->url), &j->arena), j->pkg, &f->limits, f->store,
		&j->arena, &j->file, err);
}

/* Finds it in the store or in a local repository, or leaves it to be downloaded. */
static bool find(struct fetch_job *j, struct err *err)
{
	auto_fd int fd = -1;

	if (from_store(j))
		return true;
	j->url = apk_pkg_url(j->pkg, &j->arena).p;
	j->second = apk_pkg_second_url(j->pkg, &j->arena).p;
	j->remote = url_is_remote(str_of(j->url));
	return j->remote || (open_local(j, &fd, err) && expand_from(j, fd, err));
}

static bool run_unless_failed(struct fetch_job *j,
	bool (*fn)(struct fetch_job *j, struct err *err), struct err *err)
{
	j->skipped = atomic_load(j->failed);
	if (j->skipped)
		return true;
	if (proc_check(err) && fn(j, err)) {
		j->file.pkg = j->pkg;
		return true;
	}
	atomic_store(j->failed, true);
	return false;
}

static bool find_run(struct job *job, struct err *err)
{
	return run_unless_failed((struct fetch_job *)job, find, err);
}

static bool take_body(struct fetch_job *j, struct err *err)
{
	bool ok = expand_from(j, j->body.fd, err);

	store_abort(&j->body);
	return ok;
}

static bool body_run(struct job *job, struct err *err)
{
	return run_unless_failed((struct fetch_job *)job, take_body, err);
}

static void submit(struct fetch_job *j, bool (*run)(struct job *job, struct err *err))
{
	j->job.run = run;
	j->submitted = true;
	pool_submit(j->fetch->pool, &j->job);
}

/* Downloading */

static bool downloaded(struct http_job *h, struct err *err)
{
	struct fetch_job *j = h->user;

	if (atomic_load(j->failed))
		return err_set(err, EK_CANCELLED, "stopped, since another package failed");
	j->missing = h->resp.status == 404 || h->resp.status == 410;
	if (!j->missing)
		submit(j, body_run);
	return true;
}

static bool download(const struct apk_fetch *f, struct fetch_job **jobs, size_t n,
	struct arena *a, struct err *err)
{
	struct http_job *h = arena_array(a, struct http_job, n);

	if (n && !f->http)
		return err_set(err, EK_NETWORK, "package '%s' is remote, and the network is not used",
			url_redact(str_of(jobs[0]->url), a));
	for (size_t i = 0; i < n; i++) {
		if (!jobs[i]->missing && !store_begin(f->store, &jobs[i]->body, err))
			return false;
		h[i] = (struct http_job){
			.req = {
				.url = jobs[i]->url,
				.to_fd = jobs[i]->body.fd,
				.max_bytes = (int64_t)jobs[i]->pkg->file_size,
				.missing_ok = jobs[i]->second && !jobs[i]->missing,
			},
			.done = downloaded,
			.user = jobs[i],
		};
	}
	return n == 0 || http_do_all(f->http, h, n, a, err);
}

static bool download_all(const struct apk_fetch *f, struct fetch_job **jobs, size_t n,
	struct arena *a, struct err *err)
{
	size_t n_missing = 0;

	if (!download(f, jobs, n, a, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!jobs[i]->missing)
			continue;
		jobs[i]->url = jobs[i]->second;
		jobs[n_missing++] = jobs[i];
	}
	return download(f, jobs, n_missing, a, err);
}

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
static struct fetch_job **ordered(struct fetch_job *jobs, size_t n, struct arena *a)
{
	struct fetch_job **order = arena_array(a, struct fetch_job *, n + 1);

	for (size_t i = 0; i < n; i++)
		order[i] = &jobs[i];
	if (n)
		qsort(order, n, sizeof(order[0]), by_weight_down);
	return order;
}

/* Waits for what was submitted. The error is that of the first package that has one, which says
 * more than that of a download stopped because of it. */
static bool wait_all(const struct apk_fetch *f, struct fetch_job *jobs, size_t n, bool ok,
	struct err *err)
{
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		auto_err struct err one = ERR_INIT;
		bool there = jobs[i].submitted;
		jobs[i].submitted = false;
		if (!there || pool_wait(f->pool, &jobs[i].job, &one))
			continue;
		if (first)
			(void)err_move(err, &one);
		first = ok = false;
	}
	return ok;
}

static bool fetch(const struct apk_fetch *f, struct fetch_job *jobs, size_t n, struct arena *a,
	struct err *err)
{
	struct fetch_job **order = ordered(jobs, n, a);
	size_t n_remote = 0;

	for (size_t i = 0; i < n; i++)
		submit(order[i], find_run);
	if (!wait_all(f, jobs, n, true, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (order[i]->remote)
			order[n_remote++] = order[i];
	return wait_all(f, jobs, n, download_all(f, order, n_remote, a, err), err);
}

bool apk_fetch_all(const struct apk_fetch *f, const struct apk_pkg *const *pkgs, size_t n,
	struct arena *a, struct apk_file *ret_files, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct fetch_job *jobs = arena_array(&scratch, struct fetch_job, n + 1);
	atomic_bool failed = false;

	raise_fd_limit(2 * n);
	for (size_t i = 0; i < n; i++)
		jobs[i] = (struct fetch_job){
			.fetch = f, .pkg = pkgs[i], .failed = &failed, .file.data.fd = -1,
		};
	bool ok = fetch(f, jobs, n, &scratch, err);
	for (size_t i = 0; i < n; i++) {
		if (ok)
			ret_files[i] = jobs[i].file;
		else
			apk_file_close(&jobs[i].file);
		store_abort(&jobs[i].body);
		arena_adopt(a, &jobs[i].arena);
	}
	return ok;
}
