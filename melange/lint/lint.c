#include "melange/lint/rule.h"

#include <string.h>

#include "shared/base/log.h"
#include "shared/base/match.h"
#include "shared/text/jwrite.h"

#define MAX_DOCUMENT (64u << 20)

static const struct lint_rule *const tables[] = { lint_path_rules, lint_mode_rules,
	lint_binary_rules, lint_name_rules, lint_python_rules, lint_duplicate_rules };

static const struct lint_rule *find_rule(struct str name)
{
	for (size_t t = 0; t < countof(tables); t++)
		for (const struct lint_rule *r = tables[t]; r->name; r++)
			if (str_is(name, r->name))
				return r;
	return NULL;
}

static bool unknown(struct str name, struct err *err)
{
	const char *names[64];
	size_t n = 0;
	for (size_t t = 0; t < countof(tables); t++)
		for (const struct lint_rule *r = tables[t]; r->name && n < countof(names); r++)
			names[n++] = r->name;
	const char *near = match_nearest(name, names, n);
	(void)err_set(err, EK_USAGE, "unknown linter: \"%.*s\"", STR_ARG(name));
	return near ? err_hint(err, "did you mean \"%s\"?", near) : false;
}

bool lint_known(struct str name)
{
	return find_rule(name);
}

struct strs lint_defaults(bool required, struct arena *a)
{
	enum lint_set set = required ? LINT_REQUIRED : LINT_WARN;
	struct strs out = { 0 };
	for (size_t t = 0; t < countof(tables); t++)
		for (const struct lint_rule *r = tables[t]; r->name; r++)
			if (r->set == set)
				strs_push(a, &out, str_of(r->name));
	strs_sort(&out);
	return out;
}

void lint_noted(struct lint_ctx *c, struct str path, struct str note)
{
	struct lint_item item = { .path = arena_str(c->arena, path),
		.note = arena_str(c->arena, note) };
	item.line = note.n ? arena_strf(c->arena, "%.*s (%.*s)", STR_ARG(path), STR_ARG(note))
			   : item.path;
	vec_push(c->arena, &c->found.items, item);
}

void lint_path(struct lint_ctx *c, struct str path)
{
	lint_noted(c, path, STR_NONE);
}

void lint_bare(struct lint_ctx *c, struct str message)
{
	struct lint_finding f = { .message = arena_str(c->arena, message) };
	vec_push(c->arena, &c->bare, f);
}

bool lint_is_file(const struct tree_node *n)
{
	return n->type != '5';
}

bool lint_below(struct str path, const char *dirs)
{
	struct str rest = str_of(dirs), dir;
	while (str_word(&rest, &dir))
		if (str_starts(path, dir) && path.n > dir.n && path.p[dir.n] == '/')
			return true;
	return false;
}

bool lint_ends(struct str path, const char *endings)
{
	struct str rest = str_of(endings), ending;
	while (str_word(&rest, &ending))
		if (str_ends(path, ending))
			return true;
	return false;
}

static bool visit(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct lint_ctx *c = user;
	if (c->rule->entry)
		return c->rule->entry(c, n, path, err);
	if (lint_is_file(n) &&
		(lint_below(path, c->rule->below) || lint_ends(path, c->rule->endings)))
		lint_path(c, path);
	return true;
}

/* Places in a message filled in. */
static struct str rule_message(const struct lint_ctx *c)
{
	auto_buf struct buf b = BUF_INIT(4096);
	struct str rest = str_of(c->rule->message), text, place, one, many;
	while (str_cut(rest, '{', &text, &rest)) {
		buf_addstr(&b, text);
		(void)str_cut(rest, '}', &place, &rest);
		if (str_is(place, "pkg"))
			buf_adds(&b, c->req->pkg);
		else if (str_is(place, "n"))
			buf_printf(&b, "%zu", c->found.items.n);
		else if (str_cut(place, '|', &one, &many))
			buf_addstr(&b, c->found.items.n > 1 ? many : one);
	}
	buf_addstr(&b, text);
	return arena_str(c->arena, buf_str(&b));
}

/* A finding kept for the document. */
struct kept {
	const struct lint_rule *rule;
	struct lint_finding finding;
};

struct running {
	const struct lint_req *req;
	struct arena *a;
	bool required;
	VEC(struct kept) kept;
	struct buf *failed;	/* lines of the error */
};

static void report(struct running *run, const struct lint_rule *r, const struct lint_finding *f)
{
	struct kept k = { r, *f };
	vec_push(run->a, &run->kept, k);
	log_warn("[%s] %.*s", r->name, STR_ARG(f->message));
	for (size_t i = 0; i < f->more.n; i++)
		log_warn("  %.*s", STR_ARG(f->more.v[i]));
	log_warn("  \xe2\x86\x92 %s", r->advice);
	for (size_t i = 0; i < f->items.n; i++)
		log_warn("    - %.*s", STR_ARG(f->items.v[i].line));
	if (!run->required)
		return;
	buf_printf(run->failed, "%slinter \"%s\" failed: %.*s", run->failed->n ? "\n" : "", r->name,
		STR_ARG(f->message));
	for (size_t i = 0; i < f->more.n; i++)
		buf_printf(run->failed, "\n%.*s", STR_ARG(f->more.v[i]));
}

static bool run_rule(struct running *run, const struct lint_rule *r, struct err *err)
{
	struct lint_ctx c = { .req = run->req, .rule = r, .arena = run->a };
	if (lint_ends(str_of(run->req->pkg), r->exempt))
		return true;
	if (!(r->whole ? r->whole(&c, err) : tree_walk(run->req->tree, visit, &c, err)))
		return err_wrap(err, "linter \"%s\"", r->name);
	if (c.found.items.n) {
		if (!c.found.message.n)
			c.found.message = rule_message(&c);
		report(run, r, &c.found);
	}
	for (size_t i = 0; i < c.bare.n; i++)
		report(run, r, &c.bare.v[i]);
	return true;
}

static bool check_names(const struct strs *names, struct err *err)
{
	for (size_t i = 0; names && i < names->n; i++)
		if (names->v[i].n && !find_rule(names->v[i]))
			return unknown(names->v[i], err);
	return true;
}

static bool run_names(struct running *run, const struct strs *names, const struct strs *except,
	struct err *err)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i].n && !(except && strs_has(except, names->v[i])) &&
			!run_rule(run, find_rule(names->v[i]), err))
			return false;
	return true;
}

static struct strs chosen(const struct strs *names, bool required, struct arena *a)
{
	return names ? *names : lint_defaults(required, a);
}

static bool run_all(struct running *run, struct err *err)
{
	const struct lint_req *q = run->req;
	const struct strs warn = chosen(q->warn, false, run->a);
	const struct strs require = chosen(q->require, true, run->a);
	if (!run_names(run, &warn, NULL, err) ||
		(q->disabled && !run_names(run, q->disabled, &warn, err)))
		return false;
	run->required = true;
	return run_names(run, &require, q->disabled, err);
}

static void write_finding(struct jwrite *w, const struct kept *k, struct arena *a)
{
	jw_object(w);
	jw_kstr(w, "message", k->finding.message);
	jw_kstr(w, "explain", str_of(k->rule->advice));
	if (k->finding.items.n) {
		jw_key(w, "details");
		lint_write_details(w, k->rule->shape, &k->finding, a);
	}
	jw_object_end(w);
}

static void write_document(const struct running *run, struct buf *json)
{
	struct jwrite w;
	struct strs names = { 0 };
	for (size_t i = 0; i < run->kept.n; i++)
		strs_push(run->a, &names, str_of(run->kept.v[i].rule->name));
	strs_sort(&names);
	strs_uniq(&names);
	jw_init(&w, json, 2);
	jw_object(&w);
	jw_kstr(&w, "package_name",
		arena_strf(run->a, "%s-%s", run->req->pkg, run->req->version));
	jw_key(&w, "findings");
	jw_object(&w);
	for (size_t n = 0; n < names.n; n++) {
		jw_key_str(&w, names.v[n]);
		jw_array(&w);
		for (size_t i = 0; i < run->kept.n; i++)
			if (str_is(names.v[n], run->kept.v[i].rule->name))
				write_finding(&w, &run->kept.v[i], run->a);
		jw_array_end(&w);
	}
	jw_object_end(&w);
	jw_object_end(&w);
}

static bool plain_names(const struct lint_req *q, struct err *err)
{
	const char *const names[] = { q->pkg, q->version, q->arch };
	for (size_t i = 0; i < countof(names); i++)
		if (names[i] && (strchr(names[i], '/') || strstr(names[i], "..")))
			return err_set(err, EK_OTHER, "lint results named after '%s': path "
				"traversal detected", names[i]);
	return true;
}

bool lint_package(const struct lint_req *req, struct arena *a, struct buf *json, struct err *err)
{
	auto_buf struct buf failed = BUF_INIT(MAX_DOCUMENT);
	struct running run = { .req = req, .a = a, .failed = &failed };
	if (!check_names(req->require, err) || !check_names(req->warn, err) ||
		!check_names(req->disabled, err))
		return err_wrap(err, "unable to lint package %s", req->pkg);
	if (json && !plain_names(req, err))
		return false;
	if (!run_all(&run, err))
		return err_wrap(err, "unable to lint package %s", req->pkg);
	if (json && run.kept.n)
		write_document(&run, json);
	return failed.n == 0 || err_set(err, EK_OTHER, "unable to lint package %s: %s", req->pkg,
		failed.p);
}
