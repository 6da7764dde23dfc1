#include "melange/plan/inputs.h"

#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/base/match.h"

#define SHOWN(s) STR_ARG(str_sub((s), 0, 80))

static const struct {
	const char *name;
	size_t lengths[2];
	const char *digits;
} sums[] = {
	{ "expected-sha256", { 64, 64 }, "64" },
	{ "expected-sha512", { 128, 128 }, "128" },
	{ "expected-commit", { 40, 64 }, "40 or 64" },
};

static const struct step *author(const struct step *s)
{
	return s->source ? s->source : s;
}

static struct pos place(const struct step *s, struct ystr value)
{
	const struct step *src = author(s);
	if (value.at)
		return value.at->pos;
	return src->uses.at ? src->uses.at->pos : src->at ? src->at->pos : (struct pos){ 0 };
}

/* Where an input is set: its key below `with`. */
static struct pos place_of_key(const struct step *s, struct str key, struct ystr value)
{
	const struct ynode *k = ynode_key(ynode_get(author(s)->at, "with"), key);
	return k ? k->pos : place(s, value);
}

/* Where an input should be set: at `with`, or at `uses` where there is none. */
static struct pos place_of_missing(const struct step *s, struct str key)
{
	const struct step *src = author(s);
	const struct ynode *k = ynode_key(ynode_get(src->at, "with"), key);
	k = k ? k : ynode_key(src->at, S("with"));
	k = k ? k : ynode_key(src->at, S("uses"));
	return k ? k->pos : place(s, (struct ystr){ 0 });
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
			return false;
	}
	return true;
}

static void check_sum(const struct step *s, struct str key, struct ystr value, struct diags *diags)
{
	for (size_t i = 0; i < countof(sums); i++) {
		if (!str_is(key, sums[i].name) || value.s.n == 0 || subst_any(value.s))
			continue;
		size_t n = value.s.n;
		if (is_hex(value.s) && (n == sums[i].lengths[0] || n == sums[i].lengths[1]))
			continue;
		if (is_hex(value.s))
			diags_add(diags, place(s, value), "%s must be %s hex digits, got %zu",
				sums[i].name, sums[i].digits, n);
		else
			diags_add(diags, place(s, value), "%s must be %s hex digits, found '%.*s'",
				sums[i].name, sums[i].digits, SHOWN(value.s));
	}
}

static const struct bind_map_item *declared(const struct bind_map *inputs, struct str name)
{
	for (size_t i = 0; i < inputs->n; i++)
		if (str_eq(inputs->v[i].key, name))
			return &inputs->v[i];
	return NULL;
}

static void undeclared(const struct step *s, const struct ykv *given, struct arena *a,
	struct diags *diags)
{
	const char **names = arena_array(a, const char *, s->inputs.n + 1);
	auto_buf struct buf list = BUF_INIT(1024);
	for (size_t i = 0; i < s->inputs.n; i++) {
		names[i] = arena_strndup(a, s->inputs.v[i].key.p, s->inputs.v[i].key.n);
		buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = match_nearest(given->key, names, s->inputs.n);
	diags_add(diags, place_of_key(s, given->key, given->val),
		"pipeline \"%.*s\" has no input \"%.*s\"; inputs: %s%s%s%s", SHOWN(s->uses.s),
		SHOWN(given->key), list.n ? list.p : "none", near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
}

static void check_undeclared(const struct step *s, struct arena *a, struct diags *diags)
{
	for (size_t i = 0; i < s->with.n && !diags_many(diags); i++)
		if (!declared(&s->inputs, s->with.v[i].key))
			undeclared(s, &s->with.v[i], a, diags);
}

/* What the author gave, expanded where it was written; what only a sibling input can resolve
 * stays for the step's own scope. */
static struct ystr given(const struct step *s, struct str key, const struct step_input *in,
	const struct subst *outer)
{
	struct subst lenient = *outer;
	lenient.mode = SUBST_TRY;
	const struct ystr *v = ykvs_get(&s->with, key);
	return subst(&lenient, v && v->s.n ? *v : in->dflt);
}

/* Whether a line of a definition's scripts ends in the input as shell text. */
static bool ends_a_line(const struct step *s, struct str token)
{
	struct str text = s->runs.s;
	for (long at; (at = str_find(text, token)) >= 0; text = str_from(text, (size_t)at + token.n)) {
		struct str behind = str_from(text, (size_t)at + token.n);
		if (at > 0 && text.p[at - 1] == ' ' && (behind.n == 0 || behind.p[0] == '\n'))
			return true;
	}
	const struct step *inner = s->pipeline.v;
	for (size_t i = 0; i < s->pipeline.n; i++)
		if (ends_a_line(&inner[i], token))
			return true;
	return false;
}

/* Shell text of several lines without backslashes: the command ends with its first line, and the
 * others are commands of their own (pipelines 1). */
static void warn_of_lines(const struct step *s, struct str key, struct ystr value, struct arena *a,
	const struct diags *diags)
{
	struct str rest = str_trim(value.s), line;
	bool cut = false;
	while (str_cut(rest, '\n', &line, &rest) && !cut)
		cut = line.n == 0 || line.p[line.n - 1] != '\\';
	if (!cut || !ends_a_line(s, arena_strf(a, "${{inputs.%.*s}}", STR_ARG(key))))
		return;
	struct pos at = place_of_key(s, key, value);
	const struct ydoc *doc = diags_doc_of(diags, at);
	log_warn("%s:%d: input \"%.*s\" of pipeline \"%.*s\" is shell text of several lines: end each "
		"but the last in a backslash, or the command ends with the first",
		doc ? doc->file : "", at.line, SHOWN(key), SHOWN(s->uses.s));
}

void inputs_resolve(struct step *s, bool strict, const struct subst *outer, struct scope *scope)
{
	struct arena *a = outer->arena;
	struct ykvs with = { 0 };
	struct subst x = *outer;
	x.scope = scope;
	x.mode = SUBST_STRICT;
	if (strict)
		check_undeclared(s, a, outer->diags);
	for (size_t i = 0; i < s->inputs.n; i++)
		scope_set(scope, arena_strf(a, "inputs.%.*s", STR_ARG(s->inputs.v[i].key)),
			given(s, s->inputs.v[i].key, s->inputs.v[i].val, outer));
	for (size_t i = 0; i < s->inputs.n; i++) {
		struct str key = s->inputs.v[i].key;
		const struct step_input *in = s->inputs.v[i].val;
		struct ystr raw = given(s, key, in, outer), value = subst(&x, raw);
		check_sum(s, key, value, outer->diags);
		if (strict)
			warn_of_lines(s, key, value, a, outer->diags);
		if (in->required && value.s.n == 0 && strict)
			diags_add(outer->diags, place_of_missing(s, key),
				"pipeline \"%.*s\" requires input \"%.*s\"", SHOWN(s->uses.s),
				SHOWN(key));
		if (!str_eq(value.s, in->dflt.s))
			vec_push(a, &with, (struct ykv){ key, value });
	}
	for (size_t i = 0; i < s->with.n; i++)
		if (!declared(&s->inputs, s->with.v[i].key))
			vec_push(a, &with,
				(struct ykv){ s->with.v[i].key, subst(&x, s->with.v[i].val) });
	/* without arguments of the author's, defaults alone are not worth saying */
	if (s->with.n)
		s->with = with;
}
