#include "melange/lint/rule.h"

#include <string.h>

#include "shared/base/log.h"
#include "shared/base/match.h"
#include "shared/text/jwrite.h"

static const struct lint_rule *const tables[] = { lint_path_rules, lint_content_rules };

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

void lint_item(struct lint_ctx *c, struct str item)
{
	strs_push(c->arena, &c->items, arena_str(c->arena, item));
}

static bool is_exempt(const struct lint_rule *r, const char *pkg)
{
	struct str rest = str_of(r->exempt), suffix;
	while (str_word(&rest, &suffix))
		if (str_ends(str_of(pkg), suffix))
			return true;
	return false;
}

struct walking {
	struct lint_ctx *c;
	const struct lint_rule *rule;
};

static bool visit(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct walking *w = user;
	return w->rule->entry(w->c, n, path, err);
}

static bool look(struct lint_ctx *c, const struct lint_rule *r, struct err *err)
{
	struct walking w = { c, r };
	if (is_exempt(r, c->req->pkg))
		return true;
	return r->whole ? r->whole(c, err) : tree_walk(c->req->tree, visit, &w, err);
}

static void report(const struct lint_ctx *c, const struct lint_rule *r, int level)
{
	log_line(level, "[%s] %s", r->name, c->message ? c->message : r->message);
	log_line(level, "  \xe2\x86\x92 %s", r->advice);
	for (size_t i = 0; i < c->items.n; i++)
		log_line(level, "    - %.*s", STR_ARG(c->items.v[i]));
}

static void add_json(struct jwrite *w, const struct lint_ctx *c, const struct lint_rule *r)
{
	jw_key(w, r->name);
	jw_array(w);
	jw_object(w);
	jw_kstr(w, "message", str_of(c->message ? c->message : r->message));
	jw_kstr(w, "explain", str_of(r->advice));
	jw_key(w, "details");
	jw_object(w);
	jw_key(w, "paths");
	jw_array(w);
	for (size_t i = 0; i < c->items.n; i++)
		jw_str(w, c->items.v[i]);
	jw_array_end(w);
	jw_object_end(w);
	jw_object_end(w);
	jw_array_end(w);
}

struct running {
	const struct lint_req *req;
	struct arena *a;
	struct jwrite *w;	/* NULL: no document wanted */
	bool found;
};

static bool run_rule(struct running *run, const struct lint_rule *r, bool required, struct err *err)
{
	struct lint_ctx c = { .req = run->req, .arena = run->a };
	if (!look(&c, r, err))
		return err_wrap(err, "linter \"%s\"", r->name);
	if (c.items.n == 0)
		return true;
	report(&c, r, required ? LOG_ERROR : LOG_WARN);
	if (run->w)
		add_json(run->w, &c, r);
	run->found = true;
	if (!required)
		return true;
	(void)err_set(err, EK_OTHER, "unable to lint package %s: linter \"%s\" failed: %s",
		run->req->pkg, r->name, c.message ? c.message : r->message);
	return err_hint(err, "%s; or list it under checks.disabled", r->advice);
}

/* The set asked for by name, or the default one. */
static bool in_set(const struct lint_rule *r, const struct strs *names, enum lint_set set)
{
	return names ? strs_has(names, str_of(r->name)) : r->set == set;
}

static bool check_names(const struct strs *names, struct err *err)
{
	for (size_t i = 0; names && i < names->n; i++)
		if (names->v[i].n && !find_rule(names->v[i]))
			return unknown(names->v[i], err);
	return true;
}

static bool run_set(struct running *run, bool required, struct err *err)
{
	const struct lint_req *q = run->req;
	for (size_t t = 0; t < countof(tables); t++) {
		for (const struct lint_rule *r = tables[t]; r->name; r++) {
			bool off = q->disabled && strs_has(q->disabled, str_of(r->name));
			bool must = in_set(r, q->require, LINT_REQUIRED) && !off;
			bool may = in_set(r, q->warn, LINT_WARN) || off;
			if ((required ? must : may && !must) && !run_rule(run, r, required, err))
				return false;
		}
	}
	return true;
}

bool lint_package(const struct lint_req *req, struct arena *a, struct buf *json, struct err *err)
{
	auto_buf struct buf doc = BUF_INIT(64u << 20);
	struct jwrite w;
	struct running run = { .req = req, .a = a, .w = json ? &w : NULL };
	if (!check_names(req->require, err) || !check_names(req->warn, err) ||
		!check_names(req->disabled, err))
		return false;
	jw_init(&w, &doc, 2);
	jw_object(&w);
	jw_kstr(&w, "package_name", str_of(req->pkg));
	jw_key(&w, "findings");
	jw_object(&w);
	bool ok = run_set(&run, false, err) && run_set(&run, true, err);
	jw_object_end(&w);
	jw_object_end(&w);
	buf_addc(&doc, '\n');
	if (json && run.found)
		buf_addstr(json, buf_str(&doc));
	return ok;
}
