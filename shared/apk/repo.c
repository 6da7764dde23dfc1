#include "shared/apk/repo.h"

#include <errno.h>
#include <fcntl.h>
#include "shared/base/log.h"
#include "shared/net/cache.h"
#include "shared/net/url.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_INDEX_FILE ((size_t)256 << 20)

static bool is_url(struct str s)
{
	return str_starts(s, S("http://")) || str_starts(s, S("https://"));
}

static struct str without_slashes(struct str s)
{
	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static bool tag_ok(struct str tag)
{
	for (size_t i = 0; i < tag.n; i++) {
		char c = tag.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '-' || c == '.'))
			return false;
	}
	return tag.n > 0;
}

bool repo_line_parse(struct str line, struct repo_line *ret, struct err *err)
{
	struct repo_line out = { 0 };
	struct str rest = line, extra;
	bool ok = str_word(&rest, &out.url);
	if (ok && str_skip(&out.url, S("@"))) {
		out.tag = out.url;
		ok = tag_ok(out.tag) && str_word(&rest, &out.url) && !str_word(&rest, &extra);
	} else if (ok) { /* a path may hold blanks */
		out.url = str_trim(line);
	}
	if (!ok)
		return err_set(err, EK_PARSE, "invalid repository line '%.*s'\n"
					      "hint: write 'URL', 'PATH' or '@tag URL'",
			STR_ARG(line));
	out.is_local = !is_url(out.url);
	out.url = without_slashes(out.url);
	*ret = out;
	return true;
}

bool repo_is_index(struct str url)
{
	return str_ends(url, S(".adb"));
}

struct str repo_index_url(struct str url, struct str arch, struct arena *a)
{
	if (repo_is_index(url))
		return arena_str(a, url);
	return arena_strf(a, "%.*s/%.*s/APKINDEX.tar.gz", STR_ARG(url), STR_ARG(arch));
}

static struct str packages_base(struct str url, struct str arch, struct arena *a)
{
	if (!repo_is_index(url))
		return arena_strf(a, "%.*s/%.*s", STR_ARG(url), STR_ARG(arch));
	struct str dir = path_dir(url);
	return dir.n ? arena_str(a, dir) : url.p[0] == '/' ? S("/") : S(".");
}

static struct apk_index *new_index(const struct repo_line *l, struct str arch, struct arena *a)
{
	struct apk_index *idx = arena_new(a, struct apk_index);
	idx->repo = arena_str(a, l->url);
	idx->base = packages_base(l->url, arch, a);
	idx->arch = arena_str(a, arch);
	idx->tag = arena_str(a, l->tag);
	idx->is_local = l->is_local;
	return idx;
}

/* One line of the list, on its way to an index. */
struct source {
	struct apk_index *idx;
	const char *path;	/* of the index file: path or URL */
	const char *name;	/* for messages: without userinfo */
	const char *second;	/* where it is if not there; NULL = nowhere */
	size_t job;		/* of a remote one */
};

static bool read_index(int fd, const struct source *s, const struct repo_opts *o,
	struct arena *a, struct err *err)
{
	static const struct keyring none;
	struct index_read_opts r = { .name = s->name, .max_inflated = o->max_inflated };
	if (!o->ignore_signatures)
		r.keys = o->keys ? o->keys : &none;
	s->idx->file = arena_str(a, str_of(s->name));
	return index_open(fd, &r, o->store, a, s->idx, err);
}

static bool load_local(const struct source *s, const struct repo_opts *o, struct arena *a,
	bool *ret_found, struct err *err)
{
	struct source used = *s;
	auto_fd int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT && s->second) {
		fd = open(s->second, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		used.path = used.name = fd >= 0 || errno != ENOENT ? s->second : s->path;
	}
	*ret_found = fd >= 0 || errno != ENOENT;
	if (!*ret_found) {
		log_warn("no index at '%s': repository skipped", s->path);
		return true;
	}
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", used.path);
	return read_index(fd, &used, o, a, err);
}

static bool make_source(struct str line, struct str arch, struct arena *a, struct source *ret,
	struct err *err)
{
	struct repo_line l;
	if (!repo_line_parse(line, &l, err))
		return false;
	ret->idx = new_index(&l, arch, a);
	ret->path = repo_index_url(l.url, arch, a).p;
	ret->name = l.is_local ? ret->path : url_redact(str_of(ret->path), a);
	if (!repo_is_index(l.url))
		ret->second = arena_printf(a, "%.*s/Packages.adb", STR_ARG(ret->idx->base));
	return true;
}

/* Gets what is not got yet, all at once. `optional`: of those that have a second place it may be
 * missing. */
static bool get(struct cache *c, const struct source *sources, size_t n, bool optional,
	struct cache_job *jobs, struct arena *a, struct err *err)
{
	struct cache_job *now = arena_array(a, struct cache_job, n + 1);
	size_t n_now = 0;
	for (size_t i = 0; i < n; i++)
		if (!sources[i].idx->is_local && jobs[sources[i].job].fd < 0)
			now[n_now++] = (struct cache_job){ .url = sources[i].path, .fd = -1,
				.max_bytes = (int64_t)MAX_INDEX_FILE,
				.optional = optional && sources[i].second };
	if (n_now && !cache_open_all(c, now, n_now, a, err))
		return false;
	n_now = 0;
	for (size_t i = 0; i < n; i++)
		if (!sources[i].idx->is_local && jobs[sources[i].job].fd < 0)
			jobs[sources[i].job] = now[n_now++];
	return true;
}

/* Of those that are missing, their second place is tried; what is not there either is asked for
 * again where it was to be first, for the error. */
static bool get_second(struct cache *c, struct source *sources, size_t n,
	struct cache_job *jobs, struct arena *a, struct err *err)
{
	struct source *second = arena_array(a, struct source, n + 1);
	for (size_t i = 0; i < n; i++) {
		second[i] = sources[i];
		if (sources[i].second)
			second[i].path = sources[i].second;
	}
	if (!get(c, second, n, true, jobs, a, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct cache_job *j = &jobs[sources[i].job];
		if (!sources[i].idx->is_local && j->fd >= 0 && j->url == sources[i].second)
			sources[i].name = url_redact(str_of(j->url), a);
	}
	return get(c, sources, n, false, jobs, a, err);
}

static bool fetch(struct source *sources, size_t n, const struct repo_opts *o,
	struct cache_job *jobs, struct arena *a, struct err *err)
{
	size_t n_jobs = 0;
	struct cache c = { .http = o->http };
	for (size_t i = 0; i < n; i++) {
		if (sources[i].idx->is_local)
			continue;
		if (!o->http)
			return err_set(err, EK_NETWORK, "reading index %s: no network here",
				sources[i].name);
		sources[i].job = n_jobs++;
	}
	if (o->store)
		c.dir = arena_printf(a, "%s/indexes", store_dir(o->store));
	return (get(&c, sources, n, true, jobs, a, err) &&
		       get_second(&c, sources, n, jobs, a, err)) ||
	       err_wrap(err, "reading index");
}

static bool read_all(const struct source *sources, size_t n, const struct cache_job *jobs,
	const struct repo_opts *o, struct arena *a, struct apk_indexes *ret, struct err *err)
{
	struct apk_indexes out = { 0 };
	for (size_t i = 0; i < n; i++) {
		const struct source *s = &sources[i];
		bool found = true;
		if (s->idx->is_local ? !load_local(s, o, a, &found, err)
				     : !read_index(jobs[s->job].fd, s, o, a, err))
			return err_wrap(err, "reading index");
		if (found)
			vec_push(a, &out, s->idx);
	}
	*ret = out;
	return true;
}

bool repo_load(const struct strs *lines, struct str arch, const struct repo_opts *opts,
	struct arena *a, struct apk_indexes *ret, struct err *err)
{
	struct source *sources = arena_array(a, struct source, lines->n + 1);
	struct cache_job *jobs = arena_array(a, struct cache_job, lines->n + 1);
	for (size_t i = 0; i <= lines->n; i++)
		jobs[i].fd = -1;
	for (size_t i = 0; i < lines->n; i++)
		if (!make_source(lines->v[i], arch, a, &sources[i], err))
			return false;
	/* with signatures, whoever verifies looks at the keys */
	bool ok = (!opts->keys || (lines->n && !opts->ignore_signatures) ||
			  keyring_check(opts->keys, err)) &&
		  fetch(sources, lines->n, opts, jobs, a, err) &&
		  read_all(sources, lines->n, jobs, opts, a, ret, err);
	for (size_t i = 0; i < lines->n; i++)
		fd_close(&jobs[i].fd);
	return ok;
}
