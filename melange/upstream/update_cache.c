#include "melange/upstream/update_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "melange/upstream/upstream.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* One sum that a step expects: where the file goes, and what it must hash to. */
struct wanted {
	const char *path;	/* in the cache; NULL: not expected */
	struct str hex;
	const struct ynode *at;
};
struct download {
	const char *url;
	struct wanted sha256, sha512;
	int fd;
};
struct updating {
	struct upfile f;
	struct scope scope;
	const char *dir;	/* NULL: nothing is kept */
	struct arena *a;
	struct download *list;
	size_t n;
	struct http_job *jobs;
};

static bool expected(struct updating *u, const struct ynode *step, const char *input,
	const char *alg, size_t digits, struct wanted *ret, struct err *err)
{
	const struct ynode *n = upstep_with(step, input);
	if (!n || n->kind != YN_SCALAR || n->text.n == 0)
		return true;
	if (!upstream_text(&u->f, &u->scope, n, &ret->hex, err))
		return false;
	uint8_t md[DIGEST_MAX];
	if (!hex_decode(ret->hex, md, digits / 2))
		return err_at(err, n->pos, "%s \"%.*s\" is not %zu hex digits", input,
			STR_ARG(str_sub(ret->hex, 0, 140)), digits);
	ret->at = n;
	ret->path = arena_printf(u->a, "%s/%s:%.*s", u->dir ? u->dir : "", alg,
		STR_ARG(ret->hex));
	return true;
}

static bool agrees(const struct wanted *w, const uint8_t *md, size_t n, const char *url,
	struct err *err)
{
	char hex[2 * DIGEST_MAX + 1];
	uint8_t want[DIGEST_MAX];
	if (!w->path || (hex_decode(w->hex, want, n) && memcmp(want, md, n) == 0))
		return true;
	hex_encode(md, n, hex);
	err_at(err, w->at->pos, "'%s' is not what the file expects: its sum is %s", url, hex);
	return err_hint(err, "see whether the source was replaced, then update the sum");
}

static bool verify(const struct download *d, int fd, struct err *err)
{
	struct upsums sums;
	return upstream_sums(fd, d->url, &sums, err) &&
		agrees(&d->sha256, sums.sha256, sizeof(sums.sha256), d->url, err) &&
		agrees(&d->sha512, sums.sha512, sizeof(sums.sha512), d->url, err);
}

/* Whether each file that the step looks for is there and right; what is wrong is not. */
static bool have(const struct updating *u, const struct download *d)
{
	const struct wanted *wanted[] = { &d->sha256, &d->sha512 };
	for (size_t i = 0; i < countof(wanted); i++) {
		auto_err struct err err = ERR_INIT;
		if (!wanted[i]->path)
			continue;
		auto_fd int fd = u->dir ? open(wanted[i]->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
		if (fd < 0 || !verify(d, fd, &err))
			return false;
	}
	return true;
}

static bool store(const struct wanted *w, int fd, struct err *err)
{
	struct stat st;
	auto_outfile struct outfile out = OUTFILE_INIT;
	if (!w->path)
		return true;
	if (fstat(fd, &st) != 0)
		return err_sys(err, "cannot read what was downloaded");
	return outfile_open(&out, w->path, 0644, err) &&
		fd_copy(fd, 0, out.fd, st.st_size, w->path, err) && outfile_commit(&out, false, err);
}

static bool arrived(struct http_job *job, struct err *err)
{
	const struct download *d = job->user;
	log_info("fetched %s", d->url);
	return verify(d, d->fd, err);
}

static bool add(struct updating *u, const struct ynode *step, struct err *err)
{
	struct download d = { .fd = -1 };
	if (!upstream_uri(&u->f, &u->scope, step, &d.url, err) ||
		!expected(u, step, "expected-sha256", "sha256", 2 * SHA256_SIZE, &d.sha256, err) ||
		!expected(u, step, "expected-sha512", "sha512", 2 * SHA512_SIZE, &d.sha512, err))
		return false;
	if (!d.sha256.path && !d.sha512.path) {
		log_info("%s has no expected sum: it cannot be cached", d.url);
		return true;
	}
	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->list[i].url, d.url) == 0 && str_eq(u->list[i].sha256.hex, d.sha256.hex) &&
			str_eq(u->list[i].sha512.hex, d.sha512.hex))
			return true;
	if (have(u, &d)) {
		log_info("%s is in the cache", d.url);
		return true;
	}
	if ((d.fd = upstream_scratch(err)) < 0)
		return false;
	u->list[u->n] = d;
	u->jobs[u->n] = (struct http_job){
		.req = { .url = d.url, .to_fd = d.fd, .max_bytes = CACHE_MAX_DOWNLOAD },
		.done = arrived,
		.user = &u->list[u->n],
	};
	u->n++;
	return true;
}

static bool download_all(struct updating *u, struct http *http, struct err *err)
{
	struct upsteps steps = upstream_steps(&u->f, "fetch");
	u->list = arena_array(u->a, struct download, steps.n + 1);
	u->jobs = arena_array(u->a, struct http_job, steps.n + 1);
	for (size_t i = 0; i < steps.n; i++)
		if (!add(u, steps.v[i], err))
			return false;
	if (!http_do_all(http, u->jobs, u->n, u->a, err))
		return false;
	for (size_t i = 0; u->dir && i < u->n; i++)
		if (!store(&u->list[i].sha256, u->list[i].fd, err) ||
			!store(&u->list[i].sha512, u->list[i].fd, err))
			return false;
	return true;
}

bool update_cache(const char *path, const char *dir, struct http *http, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct updating u = { .a = &a };
	u.dir = str_starts(str_of(dir), S("gs://")) ? NULL : dir;
	if (!upfile_load(path, &a, &u.f, err) || (u.dir && !dir_make(u.dir, 0755, err)))
		return false;
	upstream_scope(&u.f, u.f.c.package.version.s, u.f.c.package.epoch, &u.scope);
	bool ok = diags_ok(&u.f.diags, err) && download_all(&u, http, err);
	for (size_t i = 0; i < u.n; i++)
		fd_close(&u.list[i].fd);
	scope_release(&u.scope);
	return ok;
}
