#include "melange/scan/finder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/map.h"

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
	/* No line of .PKGINFO can hold it; text of a warning is the log's to clean. */
	if (to == &c->warnings || !strpbrk(text, "\n\r"))
		strs_push(c->arena, to, arena_str(c->arena, str_of(text)));
	free(text);
}

struct str scan_base(struct str path)
{
	return str_from(path, (size_t)(str_rchr(path, '/') + 1));
}

struct str scan_dir(struct str path)
{
	long slash = str_rchr(path, '/');
	return str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
}

bool scan_in(struct str path, const char *const *dirs, size_t n)
{
	struct str dir = scan_dir(path);
	for (size_t i = 0; i < n; i++)
		if (str_is(dir, dirs[i]))
			return true;
	return false;
}

bool scan_unread(struct scan_ctx *c, struct str path, const struct err *why)
{
	scan_add(c, &c->warnings, "'%.*s' is left out of the scan: %s", STR_ARG(path), why->msg);
	return true;
}

bool scan_declares(const struct scan_ctx *c, const char *name, const char *prefix)
{
	const struct ystrs *list = &c->pkg->declared->runtime;
	for (size_t i = 0; i < list->n; i++) {
		struct str s = list->v[i].s;
		if ((name && str_is(s, name)) || (prefix && str_starts(s, str_of(prefix))))
			return true;
	}
	return false;
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
static void conf_dirs(struct scan_ctx *c, struct tree_node *dir)
{
	for (size_t i = 0; dir && dir->type == '5' && i < dir->n_kids; i++) {
		auto_err struct err unread = ERR_INIT;
		struct tree_node *n = dir->kids[i];
		struct str text;
		if (n->type == '5')
			conf_dirs(c, n);
		if (n->type != '0' || !str_ends(n->name, S(".conf")))
			continue;
		if (tree_read(n, c->arena, MAX_CONF, &text, &unread))
			add_conf_dirs(c, text);
		else
			(void)scan_unread(c, tree_path(n, c->arena), &unread);
	}
}

static bool visit(struct tree_node *n, struct str path, void *user, struct err *err)
{
	for (size_t i = 0; i < countof(finders); i++)
		if (!finders[i]->visit(user, n, path, err))
			return err_wrap(err, "'%.*s'", STR_ARG(path));
	return true;
}

static void drop_prefix(struct strs *list, struct str prefix)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!str_starts(list->v[i], prefix))
			list->v[kept++] = list->v[i];
	list->n = kept;
}

static void sort_unique(struct strs *list)
{
	strs_sort(list);
	strs_uniq(list);
}

static void apply_options(struct scan_ctx *c, const struct pkg_options *o)
{
	sort_unique(&c->runtime);
	sort_unique(&c->provides);
	sort_unique(&c->vendored);
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

/* The name a dependency asks for: a so-ver: one is cut before its operator. */
static struct str wanted(struct str dep)
{
	struct str name, rest;
	if (!str_starts(dep, S("so-ver:")))
		return dep;
	(void)str_cut(dep, '>', &name, &rest);
	return name;
}

static struct strs merged(struct arena *a, const struct ystrs *declared, const struct strs *found)
{
	struct strs out = { 0 };
	for (size_t i = 0; i < declared->n; i++)
		strs_push(a, &out, declared->v[i].s);
	for (size_t i = 0; i < found->n; i++)
		strs_push(a, &out, found->v[i]);
	sort_unique(&out);
	return out;
}

static void drop_provided(struct strs *runtime, const struct strs *by)
{
	auto_arena struct arena scratch = ARENA_INIT;
	auto_map struct map names = { 0 };
	size_t kept = 0;
	map_init(&names, &scratch);
	for (size_t i = 0; i < by->n; i++) {
		struct str name, rest;
		(void)str_cut(by->v[i], '=', &name, &rest);
		(void)map_put(&names, name, &names);
	}
	for (size_t i = 0; i < runtime->n; i++)
		if (!map_has(&names, wanted(runtime->v[i])))
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
		conf_dirs(&c, tree_find(pkgs[i].tree, S("etc/ld.so.conf.d"), true));
	if (!tree_walk(c.pkg->tree, visit, &c, err))
		return false;
	for (size_t i = 0; i < countof(finders); i++)
		if (finders[i]->finish)
			finders[i]->finish(&c);
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
