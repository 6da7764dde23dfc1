#include "melange/plan/uses.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "melange/config/schema.h"
#include "shared/base/log.h"
#include "shared/base/match.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define SYSTEM_DIR "/usr/share/melange/pipelines"
#define MAX_DEFINITION (4u << 20)
#define MAX_NAMES 4096	/* of pipelines, for suggestions */

void uses_init(struct uses *u, const struct strs *dirs, struct arena *a)
{
	*u = (struct uses){ .arena = a, .dirs = dirs };
	map_init(&u->cache, a);
}

void uses_release(struct uses *u)
{
	map_release(&u->cache);
}

static int builtin_cmp(const void *key, const void *item)
{
	return str_cmp(*(const struct str *)key,
		str_of(((const struct builtin_pipeline *)item)->name));
}

static const struct builtin_pipeline *find_builtin(struct str name)
{
	return bsearch(&name, builtin_pipelines, builtin_pipelines_n, sizeof(builtin_pipelines[0]),
		builtin_cmp);
}

/* A link in a directory of pipelines may lead to another of its files, not out of it. */
static bool lies_below(const char *dir, const char *path)
{
	char *top = realpath(dir, NULL), *real = realpath(path, NULL);
	struct str rest = str_of(real);
	bool below = top && real && str_skip(&rest, str_of(top)) &&
		(str_starts(rest, S("/")) || str_is(str_of(top), "/"));
	free(top);
	free(real);
	return below;
}

/* Reads DIR/NAME.yaml; *ret_found false when it does not exist. */
static bool read_dir(struct uses *u, struct str dir, struct str name, struct str *ret_text,
	const char **ret_file, bool *ret_found, struct err *err)
{
	char *path = arena_printf(u->arena, "%.*s/%.*s.yaml", STR_ARG(dir), STR_ARG(name));
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	*ret_found = fd >= 0;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || err_sys(err, "cannot open '%s'", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(err, EK_OTHER, "'%s' is no file", path);
	if (!lies_below(arena_strndup(u->arena, dir.p, dir.n), path))
		return err_set(err, EK_OTHER, "'%s' leads out of the directory of pipelines", path);
	auto_buf struct buf b = BUF_INIT(MAX_DEFINITION);
	if (!fd_read_all(fd, path, &b, err))
		return false;
	*ret_text = arena_str(u->arena, buf_str(&b));
	*ret_file = path;
	return true;
}

static bool read_definition(struct uses *u, struct str name, struct str *ret_text,
	const char **ret_file, bool *ret_found, struct err *err)
{
	*ret_found = false;
	for (size_t i = 0; i < u->dirs->n && !*ret_found; i++)
		if (!read_dir(u, u->dirs->v[i], name, ret_text, ret_file, ret_found, err))
			return false;
	if (!*ret_found &&
		!read_dir(u, S(SYSTEM_DIR), name, ret_text, ret_file, ret_found, err))
		return false;
	const struct builtin_pipeline *b = *ret_found ? NULL : find_builtin(name);
	if (b) {
		*ret_text = str_n(b->text, b->n);
		*ret_file = arena_printf(u->arena, "<builtin>/%s.yaml", b->name);
		*ret_found = true;
	}
	return true;
}

/* The names there are, for suggestions. */
struct names {
	struct arena *a;
	struct str dir;
	VEC(const char *) list;
};

static bool add_name(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	struct names *n = user;
	struct str path = str_of(e->path);
	(void)err;
	*skip = n->list.n >= MAX_NAMES;
	if (!*skip && str_chop(&path, S(".yaml")))
		vec_push(n->a, &n->list, arena_strndup(n->a, path.p, path.n));
	return true;
}

static const char *nearest(struct uses *u, struct str name)
{
	auto_arena struct arena a = ARENA_INIT;
	struct names n = { .a = &a };
	for (size_t i = 0; i < builtin_pipelines_n; i++)
		vec_push(&a, &n.list, builtin_pipelines[i].name);
	for (size_t i = 0; i < u->dirs->n; i++) {
		auto_err struct err ignored = ERR_INIT;
		const char *dir = arena_strndup(&a, u->dirs->v[i].p, u->dirs->v[i].n);
		if (!dir_walk(dir, add_name, &n, &ignored))
			continue;
	}
	const char *near = match_nearest(name, n.list.v, n.list.n);
	return near ? arena_strdup(u->arena, near) : NULL;
}

static void not_found(struct uses *u, struct ystr name, struct pos at, struct diags *diags)
{
	auto_buf struct buf where = BUF_INIT(1 << 12);
	for (size_t i = 0; i < u->dirs->n; i++)
		buf_printf(&where, "'%.*s', ", STR_ARG(u->dirs->v[i]));
	const char *near = diags_many(diags) ? NULL : nearest(u, name.s);
	diags_add(diags, at, "no pipeline \"%.*s\"; searched %s'" SYSTEM_DIR "', built-in%s%s%s%s",
		STR_ARG(str_sub(name.s, 0, 80)), where.n ? where.p : "",
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "",
		u->dirs->n ? "" : "\nhint: name a directory of more pipelines with --pipeline-dir");
}

/* Keys a definition may have besides a step's, without a warning. */
static bool harmless(struct str key)
{
	return str_is(key, "description") || str_is(key, "test");
}

/* Warns of keys that no step has, in a definition and in its steps. */
static void warn_keys(const struct definition *d, const struct ynode *node)
{
	const struct ynode *steps = ynode_get(node, "pipeline");
	for (size_t i = 0; node && node->kind == YN_MAP && i < node->n; i++) {
		const struct ynode *key = node->pairs[i].key;
		bool known = harmless(key->text);
		for (const struct bind_field *f = definition_schema.fields; f->key; f++)
			known |= str_is(key->text, f->key);
		if (!known)
			log_warn("%s:%d:%d: unknown key '%.*s' in a pipeline definition is ignored",
				d->file, key->pos.line, key->pos.col,
				STR_ARG(str_sub(key->text, 0, 60)));
	}
	for (size_t i = 0; steps && steps->kind == YN_SEQ && i < steps->n; i++)
		warn_keys(d, steps->items[i]);
}

static void look_at_keys(struct definition *d)
{
	const struct ynode *root = d->doc.root;
	warn_keys(d, root);
	d->has_if = ynode_get(root, "if");
	d->has_runs = ynode_get(root, "runs");
	d->has_dir = ynode_get(root, "working-directory");
	d->has_label = ynode_get(root, "label");
	d->has_pipeline = ynode_get(root, "pipeline");
	d->has_needs = ynode_get(root, "needs");
}

static void parse(struct uses *u, struct str text, const char *file, struct definition *d,
	struct diags *diags)
{
	size_t before = diags->list.n;
	d->bad = true;
	if (!ydoc_parse_into(text, file, u->arena, &d->doc, diags))
		return;
	d->file = d->doc.file;
	bind_struct(&definition_schema, d->doc.root, &d->step, u->arena, diags);
	if (d->step.uses.s.n)
		diags_add(diags, d->step.uses.at->pos,
			"a definition cannot use another one at its top level\n"
			"hint: put it under pipeline");
	look_at_keys(d);
	d->bad = diags->list.n > before;
}

static bool name_ok(struct ystr name, struct pos at, struct diags *diags)
{
	if (name.s.n && name.s.p[0] != '/' && str_find(name.s, S("..")) < 0)
		return true;
	diags_add(diags, at, "invalid \"uses\" value \"%.*s\": "
		"must not contain absolute paths or '..' sequences",
		STR_ARG(str_sub(name.s, 0, 80)));
	return false;
}

const struct definition *uses_find(struct uses *u, struct ystr name, struct diags *diags)
{
	struct pos at = name.at ? name.at->pos : (struct pos){ 0 };
	struct definition *d = map_get(&u->cache, name.s);
	if (d)
		return d->bad ? NULL : d;
	if (!name_ok(name, at, diags))
		return NULL;
	auto_err struct err err = ERR_INIT;
	struct str text;
	const char *file;
	bool found;
	if (!read_definition(u, name.s, &text, &file, &found, &err)) {
		diags_add(diags, at, "cannot load pipeline \"%.*s\": %s",
			STR_ARG(str_sub(name.s, 0, 80)), err.msg);
		return NULL;
	}
	if (!found) {
		not_found(u, name, at, diags);
		return NULL;
	}
	d = arena_new(u->arena, struct definition);
	(void)map_put(&u->cache, arena_str(u->arena, name.s), d);
	parse(u, text, file, d, diags);
	return d->bad ? NULL : d;
}
