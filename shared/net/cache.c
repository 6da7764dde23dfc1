#include "shared/net/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "shared/base/log.h"
#include "shared/base/num.h"
#include "shared/crypto/digest.h"
#include "shared/net/url.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/text/jread.h"
#include "shared/text/jwrite.h"

#define MAX_META ((size_t)64 << 10)
#define MAX_VALIDATOR 1024
#define HEX_SIZE (2 * SHA256_SIZE + 1)

/* An entry is two files: KEY.json (validators, digest and size of the body), whose rename makes
 * the entry, and KEY-DIGEST, the body. KEY is the SHA-256 of the URL. */
struct entry {
	struct str etag, modified;
	char sha256[HEX_SIZE];
	int64_t size;
};

/* One URL on its way through the cache. */
struct fetch {
	struct cache_job *job;
	const struct cache *cache;
	struct arena *arena;
	char *url;		/* without userinfo */
	char *stem;		/* dir/KEY; NULL without a directory */
	struct entry entry;
	int kept_fd;		/* the entry's body, checked; -1 none */
	struct outfile out;	/* with a directory: where the new body goes */
	int tmp_fd;		/* without one */
	const char **headers;
	struct http_job *http_job;
};

static bool hash_fd(int fd, const char *name, char hex[HEX_SIZE], int64_t *ret_size,
	struct err *err)
{
	auto_digest struct digest d = { 0 };
	uint8_t md[DIGEST_MAX];
	char chunk[1 << 16];
	int64_t size = 0;
	ssize_t n;

	digest_init(&d, DIGEST_SHA256);
	while ((n = pread(fd, chunk, sizeof(chunk), size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot read '%s'", name);
		digest_add(&d, chunk, (size_t)n);
		size += n;
	}
	digest_final(&d, md);
	hex_encode(md, SHA256_SIZE, hex);
	*ret_size = size;
	return true;
}

static char *stem_of(const struct cache *c, const char *url, struct arena *a)
{
	uint8_t md[DIGEST_MAX];
	char hex[HEX_SIZE];

	digest_once(DIGEST_SHA256, url, strlen(url), md);
	hex_encode(md, SHA256_SIZE, hex);
	return arena_printf(a, "%s/%s", c->dir, hex);
}

static char *meta_path(const struct fetch *f)
{
	return arena_printf(f->arena, "%s.json", f->stem);
}

static char *body_path(const struct fetch *f, const char *sha256)
{
	return arena_printf(f->arena, "%s-%s", f->stem, sha256);
}

static bool parse_entry(struct str text, const char *path, struct arena *a, struct entry *e)
{
	auto_err struct err err = ERR_INIT;
	const struct jval *size;
	uint8_t md[SHA256_SIZE];
	struct jval *v;
	struct str sha256;

	if (!jread(text, path, a, &v, &err))
		return false;
	sha256 = jget_str(v, "sha256");
	size = jget(v, "size");
	if (!hex_decode(sha256, md, sizeof(md)) || !size || size->kind != JS_INT)
		return false;
	hex_encode(md, sizeof(md), e->sha256);
	e->size = size->i;
	e->etag = jget_str(v, "etag");
	e->modified = jget_str(v, "modified");
	return true;
}

/* Finds the entry, its body checked; whatever is wrong with it counts as no entry. */
static void find_entry(struct fetch *f)
{
	auto_buf struct buf text = BUF_INIT(MAX_META);
	auto_err struct err err = ERR_INIT;
	auto_fd int fd = -1;
	char hex[HEX_SIZE];
	char *path = meta_path(f);
	int64_t size;

	if (!file_read(path, &text, &err))
		return;
	if (!parse_entry(buf_str(&text), path, f->arena, &f->entry)) {
		log_debug("'%s' is damaged, ignored", path);
		return;
	}
	path = body_path(f, f->entry.sha256);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || !hash_fd(fd, path, hex, &size, &err))
		return;
	if (size != f->entry.size || strcmp(hex, f->entry.sha256) != 0) {
		log_debug("'%s' is damaged, ignored", path);
		return;
	}
	f->kept_fd = fd_steal(&fd);
}

static void use_kept(struct fetch *f)
{
	f->job->fd = fd_steal(&f->kept_fd);
	f->job->size = f->entry.size;
	f->job->from_cache = true;
}

/* Where a new body goes. */
static bool open_output(struct fetch *f, struct err *err)
{
	if (!f->stem) {
		f->tmp_fd = memfd_create("body", MFD_CLOEXEC);
		return f->tmp_fd >= 0 || err_sys(err, "cannot make a memory file");
	}
	return dir_make(f->cache->dir, 0755, err) &&
		outfile_open(&f->out, arena_printf(f->arena, "%s-new", f->stem), 0644, err);
}

static void set_request(struct fetch *f, struct http_job *hj)
{
	size_t n = 0;

	f->headers = arena_array(f->arena, const char *, 3);
	if (f->kept_fd >= 0 && f->entry.etag.n > 0)
		f->headers[n++] = arena_printf(f->arena, "If-None-Match: %.*s",
			STR_ARG(f->entry.etag));
	if (f->kept_fd >= 0 && f->entry.modified.n > 0)
		f->headers[n++] = arena_printf(f->arena, "If-Modified-Since: %.*s",
			STR_ARG(f->entry.modified));
	f->http_job = hj;
	hj->req = (struct http_req){ .url = f->job->url, .headers = f->headers,
		.to_fd = f->stem ? f->out.fd : f->tmp_fd, .max_bytes = f->job->max_bytes,
		.missing_ok = f->job->optional };
}

/* Looks in the cache; ret_needed tells whether a request is to be made. */
static bool prepare(struct fetch *f, bool *ret_needed, struct err *err)
{
	bool offline = http_is_offline(f->cache->http);
	struct url u;

	if (!url_parse(str_of(f->job->url), f->arena, &u, err))
		return false;
	f->url = url_text(&u, f->arena);
	if (f->cache->dir) {
		f->stem = stem_of(f->cache, f->url, f->arena);
		find_entry(f);
	}
	if (f->kept_fd >= 0 && (offline || f->job->immutable)) {
		use_kept(f);
		return true;
	}
	if (offline && f->job->optional) {
		f->job->missing = true;
		return true;
	}
	if (offline)
		return err_set(err, EK_NETWORK, "no offline cached entries for '%s'", f->url);
	*ret_needed = true;
	return open_output(f, err);
}

/* A validator fit to be sent back. */
static struct str usable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f)
			return STR_NONE;
	return s.n > MAX_VALIDATOR ? STR_NONE : s;
}

static bool write_meta(struct fetch *f, const struct entry *e, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_META);
	struct jwrite w;

	jw_init(&w, &text, 1);
	jw_object(&w);
	jw_kstr(&w, "url", str_of(f->url));
	jw_kstr_opt(&w, "etag", e->etag);
	jw_kstr_opt(&w, "modified", e->modified);
	jw_kstr(&w, "sha256", str_of(e->sha256));
	jw_kint(&w, "size", e->size);
	jw_object_end(&w);
	buf_addc(&text, '\n');
	return file_write(meta_path(f), text.p, text.n, 0644, err);
}

/* Gives the body its final name, then makes the entry; an older body goes last. */
static bool store(struct fetch *f, struct err *err)
{
	const struct http_resp *r = &f->http_job->resp;
	struct entry e = { .etag = usable(http_header(r, "etag")),
		.modified = usable(http_header(r, "last-modified")) };
	auto_fd int fd = open(f->out.tmp, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "cannot open '%s'", f->out.tmp);
	if (!hash_fd(fd, f->out.tmp, e.sha256, &e.size, err))
		return false;
	free(f->out.path);
	f->out.path = strdup(body_path(f, e.sha256));
	if (!f->out.path)
		BUG("out of memory");
	if (!outfile_commit(&f->out, false, err) || !write_meta(f, &e, err))
		return false;
	if (f->entry.sha256[0] && strcmp(f->entry.sha256, e.sha256) != 0)
		(void)unlink(body_path(f, f->entry.sha256));
	f->job->fd = fd_steal(&fd);
	f->job->size = e.size;
	return true;
}

static bool finish(struct fetch *f, struct err *err)
{
	long status = f->http_job->resp.status;

	if (status == 304) {
		use_kept(f);
		return true;
	}
	if (status == 404 || status == 410) {
		f->job->missing = true;
		return true;
	}
	if (f->stem)
		return store(f, err);
	if (lseek(f->tmp_fd, 0, SEEK_SET) != 0)
		return err_sys(err, "cannot seek in a memory file");
	f->job->fd = fd_steal(&f->tmp_fd);
	f->job->size = f->http_job->resp.size;
	return true;
}

static void fetch_release(struct fetch *f)
{
	fd_close(&f->kept_fd);
	fd_close(&f->tmp_fd);
	outfile_release(&f->out);
}

static bool fetch_all(struct fetch *f, size_t n, struct http *http, struct arena *a,
	struct err *err)
{
	struct http_job *jobs = arena_array(a, struct http_job, n);
	size_t needed = 0;

	for (size_t i = 0; i < n; i++) {
		bool need = false;

		if (!prepare(&f[i], &need, err))
			return false;
		if (need)
			set_request(&f[i], &jobs[needed++]);
	}
	if (!http_do_all(http, jobs, needed, a, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (f[i].http_job && !finish(&f[i], err))
			return false;
	return true;
}

bool cache_open_all(struct cache *c, struct cache_job *jobs, size_t n, struct arena *a,
	struct err *err)
{
	struct fetch *f = arena_array(a, struct fetch, n);
	bool ok;

	for (size_t i = 0; i < n; i++) {
		jobs[i].fd = -1;
		jobs[i].size = 0;
		jobs[i].from_cache = false;
		jobs[i].missing = false;
		f[i] = (struct fetch){ .job = &jobs[i], .cache = c, .arena = a, .kept_fd = -1,
			.out = OUTFILE_INIT, .tmp_fd = -1 };
	}
	ok = fetch_all(f, n, c->http, a, err);
	for (size_t i = 0; i < n; i++) {
		fetch_release(&f[i]);
		if (!ok)
			fd_close(&jobs[i].fd);
	}
	return ok;
}

int cache_open(struct cache *c, const char *url, bool immutable, struct arena *a,
	struct err *err)
{
	struct cache_job job = { .url = url, .immutable = immutable };

	return cache_open_all(c, &job, 1, a, err) ? job.fd : -1;
}

bool cache_get(struct cache *c, const char *url, bool immutable, struct arena *a,
	struct buf *ret_body, struct err *err)
{
	auto_fd int fd = cache_open(c, url, immutable, a, err);

	return fd >= 0 && fd_read_all(fd, url_redact(str_of(url), a), ret_body, err);
}
