#include "melange/plan/inputs.h"

#include "shared/base/match.h"

static const struct {
	const char *name;
	size_t lengths[2];
	const char *before, *behind, *digits;
} sums[] = {
	{ "expected-sha256", { 64, 64 }, "checksum input", "invalid length", "64" },
	{ "expected-sha512", { 128, 128 }, "checksum input", "invalid length", "128" },
	{ "expected-commit", { 40, 64 }, "expected commit",
		"contains invalid characters or invalid sha length", "40 or 64" },
};

static struct pos place(const struct step *s, struct ystr value)
{
	if (value.at)
		return value.at->pos;
	const struct step *src = s->source ? s->source : s;
	return src->uses.at ? src->uses.at->pos : src->at ? src->at->pos : (struct pos){ 0 };
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
		if (!str_is(key, sums[i].name) || value.s.n == 0)
			continue;
		size_t n = value.s.n;
		if (is_hex(value.s) && (n == sums[i].lengths[0] || n == sums[i].lengths[1]))
			continue;
		diags_add(diags, place(s, value),
			"%s \"%.*s\" for pipeline%s %s: '%.*s'\nhint: it must be %s hex digits",
			sums[i].before, STR_ARG(key), i < 2 ? "," : "", sums[i].behind,
			STR_ARG(value.s), sums[i].digits);
	}
}

static const struct bind_map_item *declared(const struct bind_map *inputs, struct str name)
{
	for (size_t i = 0; i < inputs->n; i++)
		if (str_eq(inputs->v[i].key, name))
			return &inputs->v[i];
	return NULL;
}

static void check_undeclared(const struct step *s, struct arena *a, struct diags *diags)
{
	const char **names = arena_array(a, const char *, s->inputs.n + 1);
	for (size_t i = 0; i < s->inputs.n; i++)
		names[i] = arena_strndup(a, s->inputs.v[i].key.p, s->inputs.v[i].key.n);
	for (size_t i = 0; i < s->with.n; i++) {
		struct str key = s->with.v[i].key;
		if (declared(&s->inputs, key))
			continue;
		const char *near = match_nearest(key, names, s->inputs.n);
		diags_add(diags, place(s, s->with.v[i].val),
			"undefined input \"%.*s\" to pipeline \"%.*s\"%s%s%s", STR_ARG(key),
			STR_ARG(s->uses.s), near ? "\nhint: did you mean '" : "", near ? near : "",
			near ? "'?" : "");
	}
}

/* What the author gave, expanded where it was written; what only a sibling input can resolve
 * stays for the step's own scope. */
static struct ystr given(const struct step *s, struct str key, const struct step_input *in,
	const struct subst *outer)
{
	struct subst lax = *outer;
	lax.mode = SUBST_LAX;
	const struct ystr *v = ykvs_get(&s->with, key);
	return subst(&lax, v && v->s.n ? *v : in->dflt);
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
		if (in->required && value.s.n == 0 && strict)
			diags_add(outer->diags, place(s, (struct ystr){ 0 }),
				"required input \"%.*s\" for pipeline is missing", STR_ARG(key));
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
