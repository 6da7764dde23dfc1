#include "shared/image/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/log.h"
#include "shared/net/http.h"
#include "shared/net/url.h"
#include "shared/os/path.h"

#define MAX_KEY (1u << 20)

static void add_texts(struct arena *a, struct strs *to, const struct ystrs *from)
{
	for (size_t i = 0; i < from->n; i++)
		strs_push(a, to, from->v[i].s);
}

/* Trailing slashes are of no meaning. */
static void add_lines(struct arena *a, struct strs *to, const struct strs *from)
{
	for (size_t i = 0; from && i < from->n; i++) {
		struct str s = from->v[i];
		while (s.n > 1 && str_chop(&s, S("/")))
			;
		strs_push(a, to, arena_str(a, s));
	}
}

static void sort_union(struct strs *list)
{
	strs_sort(list);
	strs_uniq(list);
}

void image_repos(const struct imgconf *c, const struct image_append *add, struct arena *a,
	struct image_repos *ret)
{
	static const struct image_append nothing;
	struct image_repos r = {0};
	if (!add)
		add = &nothing;
	add_texts(a, &r.build, &c->contents.build_repositories);
	add_texts(a, &r.build, &c->contents.repositories);
	add_lines(a, &r.build, add->build_repos);
	add_lines(a, &r.build, add->repos);
	add_texts(a, &r.runtime, &c->contents.repositories);
	add_texts(a, &r.runtime, &c->contents.runtime_repositories);
	add_lines(a, &r.runtime, add->repos);
	add_texts(a, &r.keys, &c->contents.keyring);
	for (size_t i = 0; add->keys && i < add->keys->n; i++)
		strs_push(a, &r.keys, add->keys->v[i]);
	sort_union(&r.build);
	sort_union(&r.runtime);
	sort_union(&r.keys);
	*ret = r;
}

struct str image_public_line(struct str line, struct arena *a)
{
	auto_err struct err ignored = ERR_INIT;
	long blank = str_rchr(line, ' ');
	struct str tag = str_sub(line, 0, (size_t)(blank + 1)), url = str_from(line, tag.n);
	struct url u;
	if (!url_is_remote(url) || !url_parse(url, a, &u, &ignored) || !u.has_user)
		return line;
	u.has_user = false;
	u.user = u.password = STR_NONE;
	return arena_strf(a, "%.*s%s", STR_ARG(tag), url_text(&u, a));
}

static bool add_remote_key(
	struct http *http, struct str url, struct arena *a, struct keyring *ret, struct err *err)
{
	auto_buf struct buf body = BUF_INIT(MAX_KEY);
	char *text = arena_strndup(a, url.p, url.n);
	if (!http)
		return err_set(err, EK_NETWORK, "the key '%s' cannot be fetched here", text);
	if (!http_get(http, text, a, &body, err))
		return err_wrap(err, "fetching key");
	return keyring_add(ret, arena_str(a, path_base(url)), arena_str(a, buf_str(&body)), err);
}

bool image_keys(const struct image_repos *r, struct http *http, struct arena *a,
	struct keyring *ret, struct err *err)
{
	for (size_t i = 0; i < r->keys.n; i++) {
		struct str k = r->keys.v[i];
		bool remote = str_starts(k, S("https://")) || str_starts(k, S("http://"));
		if (remote ? !add_remote_key(http, k, a, ret, err)
			   : !keyring_add_file(ret, arena_strndup(a, k.p, k.n), err))
			return false;
	}
	return true;
}

static void build_world(
	const struct imgconf *c, const struct image_append *add, struct arena *a, struct strs *ret)
{
	add_texts(a, ret, &c->contents.packages);
	for (size_t i = 0; add && add->packages && i < add->packages->n; i++)
		strs_push(a, ret, add->packages->v[i]);
	sort_union(ret);
}

/* The requested packages, and what the base image has just as it is. */
static void full_world(
	const struct strs *world, const struct image_base *base, struct arena *a, struct strs *ret)
{
	struct strs all = {0};
	for (size_t i = 0; i < world->n; i++)
		strs_push(a, &all, world->v[i]);
	image_base_atoms(base, a, &all);
	sort_union(&all);
	*ret = all;
}

/* What the base image has is not installed again. */
static void leave_base_out(struct image_solution *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->set.n; i++) {
		if (image_base_has(&s->base, s->set.pkgs[i]->name))
			continue;
		s->set.pkgs[n] = s->set.pkgs[i];
		if (s->set.pins)
			s->set.pins[n] = s->set.pins[i];
		n++;
	}
	s->set.n = n;
}

static void lock(struct image_solution *s, struct arena *a)
{
	for (size_t i = 0; i < s->set.n; i++) {
		const struct apk_pkg *p = s->set.pkgs[i];
		const struct apk_dep *pin = s->set.pins ? s->set.pins[i] : NULL;
		strs_push(a, &s->locked,
			arena_strf(a, "%.*s=%.*s%s%.*s", STR_ARG(p->name), STR_ARG(p->version),
				pin ? "@" : "", STR_ARG(pin ? pin->pin : STR_NONE)));
	}
	sort_union(&s->locked);
}

static const struct apk_pkg *chosen(const struct image_solution *s, struct str name)
{
	for (size_t i = 0; i < s->set.n; i++)
		if (str_eq(s->set.pkgs[i]->name, name))
			return s->set.pkgs[i];
	for (size_t i = 0; s->base.index && i < s->base.index->n; i++)
		if (str_eq(s->base.index->pkgs[i].name, name))
			return &s->base.index->pkgs[i];
	return NULL;
}

/* The package of this name, or NULL, in the same version on all architectures. */
static bool same_everywhere(const struct image_solution *all, size_t n, struct str name)
{
	const struct apk_pkg *first = chosen(&all[0], name);
	for (size_t k = 1; first && k < n; k++) {
		const struct apk_pkg *p = chosen(&all[k], name);
		if (!p || !str_eq(p->version, first->version))
			return false;
	}
	return first != NULL;
}

/* What all architectures have in common has it among its provides. */
static bool provided_everywhere(const struct image_solution *all, size_t n, struct str name)
{
	for (size_t i = 0; i < all[0].set.n; i++) {
		struct str by = all[0].set.pkgs[i]->name;
		bool ok = same_everywhere(all, n, by);
		for (size_t k = 0; ok && k < n; k++)
			ok = image_provides(chosen(&all[k], by), name);
		if (ok)
			return true;
	}
	return image_base_provides(&all[0].base, name);
}

static void add_difference(
	const struct image_solution *all, size_t n, struct str name, struct buf *out)
{
	buf_printf(out, "%s%.*s:[", out->n ? " " : "", STR_ARG(name));
	for (size_t k = 0; k < n; k++) {
		const struct apk_pkg *p = chosen(&all[k], name);
		buf_printf(out, "%s%.*s (%s)", k ? " " : "", STR_ARG(p ? p->version : S("missing")),
			all[k].arch->oci);
	}
	buf_addc(out, ']');
}

/* Every requested name got one version on all architectures. */
static bool consistent(
	const struct strs *world, const struct image_solution *all, size_t n, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf bad = BUF_INIT(1 << 20);
	for (size_t i = 0; i < world->n; i++) {
		struct apk_dep d;
		if (!apk_dep_parse(world->v[i], &a, &d, err))
			return false;
		if (!d.conflict && !same_everywhere(all, n, d.name) &&
			!provided_everywhere(all, n, d.name))
			add_difference(all, n, d.name, &bad);
	}
	if (bad.n == 0)
		return true;
	(void)err_set(err, EK_CONFLICT, "unable to lock packages to a consistent version: map[%s]",
		bad.p);
	return err_hint(err, "ask for one version, or build these architectures separately");
}

/* One architecture of several: what another one lacks is not taken. */
static bool solve_arch(const struct strs *world, struct image_solution *all, size_t which, size_t n,
	struct arena *a, struct err *err)
{
	const struct apk_indexes **others = arena_array(a, const struct apk_indexes *, n);
	struct str *names = arena_array(a, struct str, n);
	size_t k = 0;
	for (size_t j = 0; j < n; j++) {
		if (j == which)
			continue;
		others[k] = &all[j].indexes;
		names[k++] = str_of(all[j].arch->apk);
	}
	full_world(world, &all[which].base, a, &all[which].world);
	const struct solve_req req = {.indexes = &all[which].indexes,
		.world = &all[which].world,
		.others = others,
		.other_archs = names,
		.n_others = k};
	if (!solve(&req, a, &all[which].set, err))
		return false;
	leave_base_out(&all[which]);
	return true;
}

/* The detail of one architecture's refusal behind those before it. */
static char *join_details(const char *before, const struct err *own, const struct apk_arch *arch)
{
	char *out;
	if (!own->detail)
		return before ? strdup(before) : NULL;
	if (asprintf(&out, "%s%s{\"arch\":\"%s\",%s", before ? before : "", before ? "," : "",
			arch->oci, own->detail + 1) < 0)
		BUG("out of memory");
	return out;
}

static bool load_indexes(const struct imgconf *c, const struct image_append *add,
	const struct strs *lines, const struct repo_opts *opts, struct arena *a,
	struct image_solution *s, struct err *err)
{
	if (!repo_load(lines, str_of(s->arch->apk), opts, a, &s->indexes, err) ||
		!image_base_load(c, add ? add->roots : NULL, s->arch, a, &s->base, err))
		return false;
	if (s->base.index)
		vec_push(a, &s->indexes, s->base.index);
	return true;
}

static bool solve_all(const struct strs *world, const struct apk_arch *const *archs, size_t n,
	struct arena *a, struct image_solution *ret, struct err *err)
{
	bool ok = true;
	for (size_t i = 0; i < n; i++) {
		auto_err struct err own = ERR_INIT;
		if (solve_arch(world, ret, i, n, a, &own)) {
			lock(&ret[i], a);
			continue;
		}
		if (own.kind == EK_STALE)
			return err_move(err, &own);
		char *detail = join_details(err->detail, &own, archs[i]);
		if (n > 1)
			(void)err_wrap(&own, "for arch \"%s\"", archs[i]->oci);
		if (ok)
			(void)err_move(err, &own);
		else
			(void)err_set(err, err->kind, "%s\n%s", err->msg, own.msg);
		err_detail(err, detail);
		ok = false;
	}
	if (!ok)
		return false;
	return n < 2 || consistent(world, ret, n, err);
}

bool image_resolve(const struct imgconf *c, const struct image_append *add,
	const struct apk_arch *const *archs, size_t n, const struct repo_opts *opts,
	struct arena *a, struct image_solution *ret, struct err *err)
{
	struct image_repos repos;
	struct strs world = {0};
	image_repos(c, add, a, &repos);
	build_world(c, add, a, &world);
	if (repos.build.n == 0)
		return err_set(err, EK_USAGE,
			"must provide at least one repository\n"
			"hint: list one under contents.repositories, or use --repository-append");
	/* A damaged cached index has been dropped when it is told of: it is read anew. */
	for (size_t attempt = 0; attempt <= n * repos.build.n; attempt++) {
		err_release(err);
		for (size_t i = 0; i < n; i++) {
			ret[i] = (struct image_solution){.arch = archs[i]};
			if (!load_indexes(c, add, &repos.build, opts, a, &ret[i], err))
				return false;
		}
		if (solve_all(&world, archs, n, a, ret, err))
			return true;
		if (err->kind != EK_STALE)
			return false;
		log_debug("%s", err->msg);
	}
	return false;
}
