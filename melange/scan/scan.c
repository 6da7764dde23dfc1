#include "melange/scan/finder.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/os/fd.h"

#define MAX_CONF (1u << 20)

static const struct scan_finder *const finders[] = { &find_so, &find_cmds, &find_docs,
	&find_pkgconf, &find_perl, &find_python, &find_ruby, &find_shebang, &find_kernel };

void scan_add(struct scan_ctx *c, struct strs *to, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		BUG("out of memory");
	va_end(ap);
	strs_push(c->arena, to, arena_str(c->arena, str_of(text)));
	free(text);
}

struct str scan_base(struct str path)
{
	return str_from(path, (size_t)(str_rchr(path, '/') + 1));
}

bool scan_in(struct str path, const char *const *dirs, size_t n)
{
	long slash = str_rchr(path, '/');
	struct str dir = str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
	for (size_t i = 0; i < n; i++)
		if (str_is(dir, dirs[i]))
			return true;
	return false;
}

bool scan_declares(const struct scan_ctx *c, const char *prefix)
{
	const struct ystrs *list = &c->pkg->declared->runtime;
	for (size_t i = 0; i < list->n; i++)
		if (str_starts(list->v[i].s, str_of(prefix)))
			return true;
	return false;
}

bool scan_head(const struct tree_node *file, size_t n, struct arena *a, struct str *ret,
	struct err *err)
{
	const struct tree_body *b = file->body;
	if (n > b->size)
		n = (size_t)b->size;
	char *p = arena_alloc(a, n + 1);
	*ret = str_n(p, n);
	if (b->bytes) {
		memcpy(p, b->bytes, n);
		return true;
	}
	if (b->blob)
		return fd_pread_all(b->blob->fd, p, n, (off_t)b->off, b->blob->name, err);
	auto_fd int fd = openat(b->dirfd, b->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", b->path);
	return fd_pread_all(fd, p, n, 0, b->path, err);
}

static void add_conf_dirs(struct scan_ctx *c, struct str text)
{
	struct str line;
	while (str_next(&text, '\n', &line)) {
		line = str_trim(line);
		if (!str_skip(&line, S("/")))
			continue;
		while (str_chop(&line, S("/")))
			;
		strs_push(c->arena, &c->lib_dirs, arena_str(c->arena, line));
	}
}

/* Library directories named by regular *.conf files below etc/ld.so.conf.d of any package. */
static bool conf_dirs(struct scan_ctx *c, struct tree_node *dir, struct err *err)
{
	for (size_t i = 0; dir && dir->type == '5' && i < dir->n_kids; i++) {
		struct tree_node *n = dir->kids[i];
		struct str text;
		if (n->type == '5' && !conf_dirs(c, n, err))
			return false;
		if (n->type != '0' || !str_ends(n->name, S(".conf")))
			continue;
		if (!tree_read(n, c->arena, MAX_CONF, &text, err))
			return false;
		add_conf_dirs(c, text);
	}
	return true;
}

struct visiting {
	struct scan_ctx *c;
	const struct scan_finder *finder;
};

static bool visit(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct visiting *v = user;
	return v->finder->visit(v->c, n, path, err) ||
		err_wrap(err, "'%.*s'", STR_ARG(path));
}

static void drop_prefix(struct strs *list, struct str prefix)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!str_starts(list->v[i], prefix))
			list->v[kept++] = list->v[i];
	list->n = kept;
}

static void apply_options(struct scan_ctx *c, const struct pkg_options *o)
{
	strs_sort(&c->runtime);
	strs_uniq(&c->runtime);
	strs_sort(&c->provides);
	strs_uniq(&c->provides);
	strs_sort(&c->vendored);
	strs_uniq(&c->vendored);
	if (!o)
		return;
	if (o->no_commands) {
		drop_prefix(&c->provides, S("cmd:"));
		drop_prefix(&c->runtime, S("cmd:"));
	}
	if (o->no_depends)
		c->runtime.n = 0;
	if (o->no_provides)
		c->provides.n = 0;
}

static struct str name_of(struct str item, char sep)
{
	struct str name, rest;
	(void)str_cut(item, sep, &name, &rest);
	return name;
}

static bool provides(const struct strs *list, struct str name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(name_of(list->v[i], '='), name))
			return true;
	return false;
}

/* The name a dependency asks for: a so-ver: one is cut before its operator. */
static struct str wanted(struct str dep)
{
	return str_starts(dep, S("so-ver:")) ? name_of(dep, '>') : dep;
}

static struct strs merged(struct arena *a, const struct ystrs *declared, const struct strs *found)
{
	struct strs out = { 0 };
	for (size_t i = 0; i < declared->n; i++)
		strs_push(a, &out, declared->v[i].s);
	for (size_t i = 0; i < found->n; i++)
		strs_push(a, &out, found->v[i]);
	strs_sort(&out);
	strs_uniq(&out);
	return out;
}

static void drop_provided(struct strs *runtime, const struct strs *by)
{
	size_t kept = 0;
	for (size_t i = 0; i < runtime->n; i++)
		if (!provides(by, wanted(runtime->v[i])))
			runtime->v[kept++] = runtime->v[i];
	runtime->n = kept;
}

bool scan(const struct scan_pkg *pkgs, size_t n, size_t which, struct arena *a,
	struct scan_result *ret, struct err *err)
{
	static const char *const dirs[] = { "lib", "usr/lib", "lib64", "usr/lib64" };
	struct scan_ctx c = { .pkgs = pkgs, .n_pkgs = n, .pkg = &pkgs[which], .arena = a };
	for (size_t i = 0; i < countof(dirs); i++)
		strs_push(a, &c.lib_dirs, str_of(dirs[i]));
	for (size_t i = 0; i < n; i++)
		if (!conf_dirs(&c, tree_find(pkgs[i].tree, S("etc/ld.so.conf.d"), true), err))
			return false;
	for (size_t i = 0; i < countof(finders); i++) {
		struct visiting v = { &c, finders[i] };
		if (!tree_walk(c.pkg->tree, visit, &v, err))
			return false;
	}
	apply_options(&c, c.pkg->options);
	drop_provided(&c.runtime, &c.vendored);
	*ret = (struct scan_result){
		.found_runtime = c.runtime,
		.found_provides = c.provides,
		.vendored = c.vendored,
		.warnings = c.warnings,
		.provides = merged(a, &c.pkg->declared->provides, &c.provides),
		.runtime = merged(a, &c.pkg->declared->runtime, &c.runtime),
	};
	drop_provided(&ret->runtime, &ret->provides);
	return true;
}
