#include "melange/config/scope.h"

#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/match.h"

#define MAX_DEPTH 16
#define MAX_RESULT (1u << 20)

struct var {
	struct ystr value;
	bool busy;
};

void scope_init(struct scope *s, const struct scope *parent, struct arena *a)
{
	*s = (struct scope){ .parent = parent, .arena = a };
	map_init(&s->vars, a);
}

void scope_release(struct scope *s)
{
	map_release(&s->vars);
}

void scope_set(struct scope *s, struct str name, struct ystr value)
{
	struct var *v = arena_new(s->arena, struct var);
	v->value = value;
	(void)map_put(&s->vars, arena_str(s->arena, name), v);
}

void scope_set_text(struct scope *s, const char *name, struct str value)
{
	scope_set(s, str_of(name), (struct ystr){ value, NULL });
}

static struct var *find(const struct scope *s, struct str name, bool *ret_cycle)
{
	*ret_cycle = false;
	for (; s; s = s->parent) {
		struct var *v = map_get(&s->vars, name);
		if (v && !v->busy)
			return v;
		*ret_cycle |= v != NULL;
	}
	return NULL;
}

bool scope_has(const struct scope *s, struct str name)
{
	for (; s; s = s->parent)
		if (map_has(&s->vars, name))
			return true;
	return false;
}

enum token_kind { TOKEN_VAR, TOKEN_EMPTY, TOKEN_OPEN };
struct token {
	enum token_kind kind;
	size_t start, end;	/* of the whole token in the text */
	size_t name_at;
	struct str name;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '.' || c == '_' || c == '-' || c == '+';
}

static size_t skip_space(struct str s, size_t i)
{
	while (i < s.n && is_space(s.p[i]))
		i++;
	return i;
}

/* `$<<` opens a token only before one of our namespaces: anything else is shell text. */
static bool is_namespace(struct str rest)
{
	static const char *const spaces[] = { "package.", "vars.", "range.", "targets.", "subpkg.",
		"context.", "host.", "cross.", "build.", "options.", "inputs." };
	for (size_t i = 0; i < countof(spaces); i++) {
		size_t n = strlen(spaces[i]);
		if (str_starts(rest, str_of(spaces[i])) && rest.n > n && is_name(rest.p[n]))
			return true;
	}
	return false;
}

/* The next token at or after `from`. */
static bool next_token(struct str s, size_t from, struct token *t)
{
	for (size_t i = from; i + 2 < s.n; i++) {
		const char *dollar = memchr(s.p + i, '$', s.n - i);
		if (!dollar)
			return false;
		i = (size_t)(dollar - s.p);
		bool alias = str_starts(str_from(s, i), S("$<<"));
		if (!alias && !str_starts(str_from(s, i), S("${{")))
			continue;
		size_t name = skip_space(s, i + 3), end = name;
		if (alias && !is_namespace(str_from(s, name)))
			continue;
		while (end < s.n && is_name(s.p[end]))
			end++;
		size_t close = skip_space(s, end);
		bool closed = str_starts(str_from(s, close), alias ? S(">>") : S("}}"));
		*t = (struct token){
			.kind = !closed && end > name ? TOKEN_OPEN : end == name ? TOKEN_EMPTY : TOKEN_VAR,
			.start = i,
			.end = closed ? close + 2 : close,
			.name_at = name,
			.name = str_sub(s, name, end - name),
		};
		return true;
	}
	return false;
}

static struct pos position(const struct subst *x, struct ystr in, size_t offset)
{
	if (!in.at)
		return (struct pos){ 0 };
	if (x->doc && in.at->pos.file == x->doc->file && in.s.p == in.at->text.p)
		return ynode_pos_at(x->doc, in.at, offset);
	return in.at->pos;
}

struct nearest {
	struct str want;
	struct str best;
	unsigned distance;
};

static struct str suggest(const struct scope *s, struct str want)
{
	struct nearest n = { .want = want, .distance = want.n < 6 ? 2 : 4 };
	for (; s; s = s->parent) {
		for (struct map_entry *e = map_first(&s->vars); e; e = map_next(e)) {
			unsigned d = match_distance(want, map_key(e), n.distance);
			if (d < n.distance) {
				n.distance = d;
				n.best = map_key(e);
			}
		}
	}
	return n.best;
}

/* Returns false: the token stays as text. */
static bool complain(const struct subst *x, struct ystr in, const struct token *t, bool cycle)
{
	struct pos at = position(x, in, t->name_at);
	struct str spelling = str_sub(in.s, t->start, t->end - t->start);
	if (x->mode == SUBST_LAX)
		return false;
	if (t->kind == TOKEN_EMPTY) {
		diags_add(x->diags, at, "empty variable name at position %zu: '%.*s'", t->name_at,
			STR_ARG(spelling));
		return false;
	}
	if (t->kind == TOKEN_OPEN) {
		diags_add(x->diags, at, "unterminated variable reference \"%.*s\" at position %zu",
			STR_ARG(t->name), t->name_at);
		return false;
	}
	if (cycle) {
		diags_add(x->diags, at, "variable %.*s refers to itself", STR_ARG(t->name));
		return false;
	}
	struct str near = suggest(x->scope, t->name);
	if (near.n)
		diags_add(x->diags, at, "variable %.*s not defined, in '%.*s'\nhint: did you mean %.*s?",
			STR_ARG(t->name), STR_ARG(spelling), STR_ARG(near));
	else
		diags_add(x->diags, at, "variable %.*s not defined, in '%.*s'", STR_ARG(t->name),
			STR_ARG(spelling));
	return false;
}

/* Where in an `if` the writer stands: outside quotes or inside one kind. */
struct quoting {
	char quote;	/* 0 outside */
	bool escaped;
};

static void follow_quotes(struct quoting *q, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (q->escaped)
			q->escaped = false;
		else if (q->quote && c == '\\')
			q->escaped = true;
		else if (q->quote == c)
			q->quote = 0;
		else if (!q->quote && (c == '\'' || c == '"'))
			q->quote = c;
	}
}

static void add_value(struct buf *out, struct str value, const struct quoting *q)
{
	char quote = q->quote ? q->quote : '"';
	if (!q->quote)
		buf_addc(out, quote);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == quote || value.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, value.p[i]);
	}
	if (!q->quote)
		buf_addc(out, quote);
}

static struct ystr expand(const struct subst *x, struct ystr in, unsigned depth);

/* The value of a variable token; false leaves the token as it stands. */
static bool value_of(const struct subst *x, struct ystr in, const struct token *t, unsigned depth,
	struct str *ret)
{
	bool cycle = false;
	struct var *v = t->kind == TOKEN_VAR ? find(x->scope, t->name, &cycle) : NULL;
	if (!v)
		return complain(x, in, t, cycle);
	if (depth >= MAX_DEPTH) {
		diags_add(x->diags, position(x, in, t->name_at),
			"variable %.*s is nested more than %d deep", STR_ARG(t->name), MAX_DEPTH);
		return false;
	}
	struct subst inner = *x;
	if (inner.mode == SUBST_COND)
		inner.mode = SUBST_STRICT;
	v->busy = true;
	*ret = expand(&inner, v->value, depth + 1).s;
	v->busy = false;
	return true;
}

static struct ystr expand(const struct subst *x, struct ystr in, unsigned depth)
{
	struct token t;
	if (!next_token(in.s, 0, &t))
		return in;
	auto_buf struct buf out = BUF_INIT(MAX_RESULT);
	struct quoting q = { 0 };
	size_t done = 0;
	do {
		struct str before = str_sub(in.s, done, t.start - done), value;
		buf_addstr(&out, before);
		follow_quotes(&q, before);
		if (!value_of(x, in, &t, depth, &value)) {
			/* go on behind the opening, there may be a token inside */
			t.end = t.kind == TOKEN_VAR ? t.end : t.start + 3;
			buf_addstr(&out, str_sub(in.s, t.start, t.end - t.start));
		} else if (x->mode == SUBST_COND) {
			add_value(&out, value, &q);
		} else {
			buf_addstr(&out, value);
		}
		done = t.end;
	} while (next_token(in.s, done, &t));
	buf_addstr(&out, str_from(in.s, done));
	if (out.over)
		diags_add(x->diags, position(x, in, 0), "the text grows beyond %u bytes", MAX_RESULT);
	return (struct ystr){ arena_str(x->arena, buf_str(&out)), in.at };
}

struct ystr subst(const struct subst *x, struct ystr in)
{
	return expand(x, in, 0);
}

void subst_list(const struct subst *x, const struct ystrs *in, struct ystrs *ret)
{
	struct ystrs out = { 0 };
	for (size_t i = 0; i < in->n; i++)
		vec_push(x->arena, &out, subst(x, in->v[i]));
	*ret = out;
}

void subst_kvs(const struct subst *x, const struct ykvs *in, struct ykvs *ret)
{
	struct ykvs out = { 0 };
	for (size_t i = 0; i < in->n; i++)
		vec_push(x->arena, &out,
			(struct ykv){ in->v[i].key, subst(x, in->v[i].val) });
	*ret = out;
}
