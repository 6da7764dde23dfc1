#include "apko/build/lockfile.h"

#include "shared/apk/repo.h"
#include "shared/base/log.h"
#include "shared/base/map.h"
#include "shared/crypto/digest.h"
#include "shared/net/url.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/text/jread.h"
#include "shared/text/jwrite.h"

#define VERSION "v1"
#define MAX_LOCK (64u << 20)
#define AGAIN "make it anew with 'apko lock'"

struct str lockfile_checksum(const struct strs *sources, struct arena *a)
{
	auto_digest struct digest d = {0};
	uint8_t md[SHA256_SIZE];
	digest_init(&d, DIGEST_SHA256);
	for (size_t i = 0; i < sources->n; i++)
		digest_add(&d, sources->v[i].p, sources->v[i].n);
	digest_final(&d, md);
	return arena_strf(a, "sha256-%s", base64_encode(a, md, sizeof(md)));
}

/* Making one */

static struct str without_scheme(struct str url)
{
	if (!str_skip(&url, S("https://")))
		(void)str_skip(&url, S("http://"));
	return url;
}

/* Inserts in the order of names; of two with one name the first stays. */
static void add_key(struct lockfile *l, struct lock_key key, struct arena *a)
{
	size_t at = 0;
	while (at < l->keyring.n && str_cmp(l->keyring.v[at].name, key.name) < 0)
		at++;
	if (at < l->keyring.n && str_eq(l->keyring.v[at].name, key.name))
		return;
	vec_push(a, &l->keyring, key);
	memmove(&l->keyring.v[at + 1], &l->keyring.v[at],
		(l->keyring.n - 1 - at) * sizeof(l->keyring.v[0]));
	l->keyring.v[at] = key;
}

void lockfile_add_keys(
	struct lockfile *l, const struct keyring *keys, const struct strs *urls, struct arena *a)
{
	for (size_t i = 0; i < urls->n; i++) {
		const struct keyring_key *k = keyring_find(keys, path_base(urls->v[i]));
		struct str url = image_public_line(urls->v[i], a);
		if (k)
			add_key(l, (struct lock_key){without_scheme(url), url, k->pem}, a);
	}
	for (size_t i = 0; i < keys->n; i++) {
		const struct keyring_key *k = &keys->v[i];
		if (k->url.n)
			add_key(l, (struct lock_key){without_scheme(k->url), k->url, k->pem}, a);
	}
}

struct locating {
	const struct apk_arch *arch;
	const struct apk_indexes *found;
	struct arena *a;
};

/* Where the index of a line is: as found if that was not the v2 one, which is looked for first. */
static struct str index_of(const struct locating *w, struct str line, struct str url)
{
	auto_err struct err ignored = ERR_INIT;
	struct repo_line l;
	for (size_t i = 0; i < w->found->n && repo_line_parse(line, &l, &ignored); i++) {
		const struct apk_index *idx = w->found->v[i];
		if (str_eq(idx->repo, l.url) && repo_is_index(idx->file))
			return idx->file;
	}
	return repo_index_url(url, str_of(w->arch->apk), w->a);
}

static struct lock_repo repo_of(const struct locating *w, struct str line)
{
	struct str public = image_public_line(line, w->a);
	struct str url = str_from(public, (size_t)(str_rchr(public, ' ') + 1));
	struct str name = without_scheme(url);
	return (struct lock_repo){
		.name = repo_is_index(url)
				? name
				: arena_strf(w->a, "%.*s/%s", STR_ARG(name), w->arch->apk),
		.url = index_of(w, line, url),
		.arch = str_of(w->arch->apk),
	};
}

void lockfile_add_repos(struct lockfile *l, const struct imgconf *c, const struct apk_arch *arch,
	const struct apk_indexes *found, struct arena *a)
{
	const struct ystrs *build = &c->contents.build_repositories;
	const struct ystrs *runtime = &c->contents.runtime_repositories;
	const struct ystrs *both = &c->contents.repositories;
	const struct locating w = {arch, found, a};
	for (size_t i = 0; i < build->n; i++)
		vec_push(a, &l->build_repos, repo_of(&w, build->v[i].s));
	for (size_t i = 0; i < runtime->n; i++)
		vec_push(a, &l->runtime_repos, repo_of(&w, runtime->v[i].s));
	for (size_t i = 0; i < both->n; i++)
		vec_push(a, &l->repos, repo_of(&w, both->v[i].s));
}

static void write_repos(struct jwrite *w, const char *key, const struct lock_repo *v, size_t n)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_kstr(w, "name", v[i].name);
		jw_kstr(w, "url", v[i].url);
		jw_kstr(w, "architecture", v[i].arch);
		jw_object_end(w);
	}
	jw_array_end(w);
}

/* A section of the package: where it is, and its digest; both empty when it is not there. */
static void write_range(struct jwrite *w, const char *key, const struct apk_range *r,
	const char *alg, const uint8_t *md, size_t n, struct arena *a)
{
	bool absent = r->end < r->start;
	unsigned long long start = r->start, end = r->end;
	jw_key(w, key);
	jw_object(w);
	jw_kstr(w, "range", absent ? STR_NONE : arena_strf(a, "bytes=%llu-%llu", start, end));
	jw_kstr(w, "checksum",
		absent ? STR_NONE : arena_strf(a, "%s-%s", alg, base64_encode(a, md, n)));
	jw_object_end(w);
}

static void write_package(struct jwrite *w, const struct lock_pkg *p, struct arena *a)
{
	const struct apk_file *f = p->file;
	jw_object(w);
	jw_kstr(w, "name", p->name);
	jw_kstr(w, "url", p->url);
	jw_kstr(w, "version", p->version);
	jw_kstr(w, "architecture", p->arch);
	write_range(w, "signature", &f->sig_range, "sha1", f->sig_sha1, SHA1_SIZE, a);
	write_range(w, "control", &f->control_range, "sha1", f->control_sha1, SHA1_SIZE, a);
	write_range(w, "data", &f->data_range, "sha256", f->data_sha256, SHA256_SIZE, a);
	jw_kstr(w, "checksum", p->checksum);
	jw_object_end(w);
}

static void write_contents(struct jwrite *w, const struct lockfile *l, struct arena *a)
{
	jw_object(w);
	jw_key(w, "keyring");
	jw_array(w);
	for (size_t i = 0; i < l->keyring.n; i++) {
		jw_object(w);
		jw_kstr(w, "name", l->keyring.v[i].name);
		jw_kstr(w, "url", l->keyring.v[i].url);
		jw_kstr(w, "content", l->keyring.v[i].content);
		jw_object_end(w);
	}
	jw_array_end(w);
	write_repos(w, "build_repositories", l->build_repos.v, l->build_repos.n);
	write_repos(w, "runtime_repositories", l->runtime_repos.v, l->runtime_repos.n);
	write_repos(w, "repositories", l->repos.v, l->repos.n);
	jw_key(w, "packages");
	jw_array(w);
	for (size_t i = 0; i < l->pkgs.n; i++)
		write_package(w, &l->pkgs.v[i], a);
	jw_array_end(w);
	jw_object_end(w);
}

void lockfile_write(const struct lockfile *l, struct arena *a, struct buf *out)
{
	struct jwrite writer, *w = &writer;
	jw_init(w, out, 2);
	jw_object(w);
	jw_kstr(w, "version", S(VERSION));
	jw_key(w, "config");
	jw_object(w);
	jw_kstr(w, "name", l->config_name);
	jw_kstr(w, "checksum", l->config_checksum);
	jw_object_end(w);
	jw_key(w, "contents");
	write_contents(w, l, a);
	jw_object_end(w);
	buf_addc(out, '\n');
}

/* Reading one */

static const struct jval *list_of(const struct jval *contents, const char *key)
{
	static const struct jval none = {.kind = JS_ARRAY};
	const struct jval *v = jget(contents, key);
	return v && v->kind == JS_ARRAY ? v : &none;
}

static struct lock_repo read_repo(const struct jval *v)
{
	return (struct lock_repo){
		.url = jget_str(v, "url"), .arch = jget_str(v, "architecture")};
}

static void read_contents(struct lockfile *l, const struct jval *v, struct arena *a)
{
	const struct jval *keys = list_of(v, "keyring"), *repos = list_of(v, "repositories");
	const struct jval *build = list_of(v, "build_repositories");
	const struct jval *pkgs = list_of(v, "packages");
	for (size_t i = 0; i < keys->n; i++) {
		const struct jval *k = keys->items[i];
		vec_push(a, &l->keyring,
			(struct lock_key){
				jget_str(k, "name"), jget_str(k, "url"), jget_str(k, "content")});
	}
	for (size_t i = 0; i < repos->n; i++)
		vec_push(a, &l->repos, read_repo(repos->items[i]));
	for (size_t i = 0; i < build->n; i++)
		vec_push(a, &l->build_repos, read_repo(build->items[i]));
	for (size_t i = 0; i < pkgs->n; i++) {
		const struct jval *p = pkgs->items[i];
		vec_push(a, &l->pkgs,
			(struct lock_pkg){
				.name = jget_str(p, "name"),
				.url = jget_str(p, "url"),
				.version = jget_str(p, "version"),
				.arch = jget_str(p, "architecture"),
				.checksum = jget_str(p, "checksum"),
			});
	}
}

bool lockfile_parse(struct str text, const char *path, struct arena *a, struct lockfile *ret,
	struct err *err)
{
	struct lockfile l = {.path = path};
	struct jval *v;
	if (!jread(text, path, a, &v, err))
		return err_wrap(err, "lock file");
	struct str version = jget_str(v, "version");
	if (!str_is(version, VERSION)) {
		(void)err_set(err, EK_PARSE, "lock file '%s': version '%.*s' is not " VERSION, path,
			STR_ARG(version));
		return err_hint(err, AGAIN);
	}
	const struct jval *config = jget(v, "config");
	l.config_name = jget_str(config, "name");
	l.config_checksum = jget_str(config, "checksum");
	read_contents(&l, jget(v, "contents"), a);
	*ret = l;
	return true;
}

bool lockfile_read(const char *path, struct arena *a, struct lockfile *ret, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_LOCK);
	if (!file_read(path, &text, err))
		return err_wrap(err, "lock file");
	return lockfile_parse(buf_str(&text), path, a, ret, err);
}

bool lockfile_check(const struct lockfile *l, const char *config, const struct strs *sources,
	struct arena *a, struct err *err)
{
	if (l->config_checksum.n == 0) {
		log_warn("lock file '%s' does not say which configuration it was made for; " AGAIN,
			l->path);
		return true;
	}
	if (str_eq(l->config_checksum, lockfile_checksum(sources, a)))
		return true;
	(void)err_set(err, EK_CONFLICT,
		"lock file '%s' was made for another state of '%s' or of what it includes", l->path,
		config);
	return err_hint(err, AGAIN);
}

/* Packages of it */

struct solving {
	const struct lockfile *l;
	const struct imgconf *conf;
	const struct apk_arch *arch;
	struct arena *a;
	struct map names; /* packages chosen */
	struct map bases; /* url to index */
	struct image_solution s;
};

static bool bad_entry(
	const struct solving *s, const struct lock_pkg *p, const char *what, struct err *err)
{
	(void)err_set(err, EK_PARSE, "lock file '%s': package '%.*s' %s", s->l->path,
		STR_ARG(p->name), what);
	return err_hint(err, AGAIN);
}

/* An entry without architecture of its own counts where its repository's directory says. */
static bool is_for(const struct solving *s, const struct lock_pkg *p)
{
	if (!str_is(p->arch, "noarch") && !str_is(p->arch, "all"))
		return str_is(p->arch, s->arch->apk);
	struct str dir = path_base(path_dir(p->url));
	return str_is(dir, s->arch->apk) || !apk_arch_find(dir);
}

/* With the user name and password of the configured repository that it lies in. */
static struct str with_credentials(const struct solving *s, struct str base)
{
	const struct ystrs *lists[] = {
		&s->conf->contents.build_repositories, &s->conf->contents.repositories};
	for (size_t i = 0; i < countof(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++) {
			struct str line = lists[i]->v[k].s, rest = base;
			struct str public = image_public_line(line, s->a);
			struct str url = str_from(line, (size_t)(str_rchr(line, ' ') + 1));
			public = str_from(public, (size_t)(str_rchr(public, ' ') + 1));
			if (repo_is_index(url)) {
				url = path_dir(url);
				public = path_dir(public);
			}
			if (!str_eq(public, url) && str_skip(&rest, public) &&
				(!rest.n || str_starts(rest, S("/"))))
				return arena_strf(s->a, "%.*s%.*s", STR_ARG(url), STR_ARG(rest));
		}
	return base;
}

/* The v3 index that lies beside the packages, by the repositories of the lock file. */
static struct str index_beside(const struct solving *s, struct str base)
{
	struct str file = arena_strf(s->a, "%.*s/Packages.adb", STR_ARG(base));
	for (size_t i = 0; i < s->l->repos.n; i++)
		if (str_eq(s->l->repos.v[i].url, file))
			return file;
	for (size_t i = 0; i < s->l->build_repos.n; i++)
		if (str_eq(s->l->build_repos.v[i].url, file))
			return file;
	return STR_NONE;
}

static const struct apk_index *index_at(struct solving *s, struct str base)
{
	struct apk_index *idx = map_get(&s->bases, base);
	if (idx)
		return idx;
	idx = arena_new(s->a, struct apk_index);
	idx->base = with_credentials(s, base);
	idx->repo = path_dir(idx->base);
	idx->file = index_beside(s, base);
	idx->arch = str_of(s->arch->apk);
	idx->is_local = !url_is_remote(base);
	(void)map_put(&s->bases, base, idx);
	vec_push(s->a, &s->s.indexes, idx);
	return idx;
}

static bool add_package(
	struct solving *s, const struct lock_pkg *p, struct apk_pkg *ret, struct err *err)
{
	struct str file = arena_strf(s->a, "/%.*s-%.*s.apk", STR_ARG(p->name), STR_ARG(p->version));
	struct str base = p->url;
	struct apk_pkg pkg = {.name = p->name, .version = p->version, .arch = p->arch};
	if (!apk_name_ok(p->name) || !apk_version_valid(p->version))
		return bad_entry(s, p, "has no valid name and version", err);
	if (p->checksum.n == 0)
		return bad_entry(s, p, "has no checksum", err);
	if (!apk_q_parse(p->checksum, pkg.checksum, &pkg.checksum_n))
		return bad_entry(s, p, "has a checksum that is none", err);
	if (!str_chop(&base, file))
		return bad_entry(s, p, "has a url that does not end in its name and version", err);
	if (map_put(&s->names, p->name, s))
		return bad_entry(s, p, "is there twice for one architecture", err);
	pkg.index = index_at(s, base);
	*ret = pkg;
	return true;
}

static bool names_arch(const struct lock_repo *v, size_t n, struct str arch)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].arch, arch))
			return true;
	return false;
}

static bool add_packages(struct solving *s, struct err *err)
{
	const struct lockfile *l = s->l;
	struct apk_pkg *pkgs = arena_array(s->a, struct apk_pkg, l->pkgs.n + 1);
	struct solve_result *set = &s->s.set;
	set->pkgs = arena_array(s->a, const struct apk_pkg *, l->pkgs.n + 1);
	for (size_t i = 0; i < l->pkgs.n; i++) {
		const struct lock_pkg *p = &l->pkgs.v[i];
		if (!is_for(s, p))
			continue;
		if (!add_package(s, p, &pkgs[i], err))
			return false;
		set->pkgs[set->n++] = &pkgs[i];
		strs_push(s->a, &s->s.locked,
			arena_strf(s->a, "%.*s=%.*s", STR_ARG(p->name), STR_ARG(p->version)));
	}
	struct str arch = str_of(s->arch->apk);
	if (set->n || names_arch(l->repos.v, l->repos.n, arch) ||
		names_arch(l->build_repos.v, l->build_repos.n, arch))
		return true;
	(void)err_set(err, EK_NOTFOUND, "lock file '%s' has no packages for architecture '%s'",
		l->path, s->arch->oci);
	return err_hint(err, "make it anew with 'apko lock', or leave the architecture out");
}

bool lockfile_solution(const struct lockfile *l, const struct imgconf *conf,
	const struct apk_arch *arch, struct arena *a, struct image_solution *ret, struct err *err)
{
	struct solving s = {.l = l, .conf = conf, .arch = arch, .a = a, .s = {.arch = arch}};
	map_init(&s.names, a);
	map_init(&s.bases, a);
	bool ok = add_packages(&s, err);
	map_release(&s.names);
	map_release(&s.bases);
	if (ok)
		*ret = s.s;
	return ok;
}
