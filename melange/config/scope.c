#include "melange/config/scope.h"

#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/match.h"

#define MAX_DEPTH 16
#define MAX_RESULT (1u << 20)
#define MAX_TOTAL ((size_t)256 << 20)
#define TOKEN_COST 64	/* of looking at one, however short its value */
#define MAX_SHOWN 60	/* bytes of a name in a message */

struct var {
	struct ystr value;
	bool busy;
	bool broken;	/* its cycle was reported */
};

/* A variable being expanded, inside the others. */
struct subst_frame {
	struct str name;
	const struct subst_frame *up;
};

void scope_init(struct scope *s, const struct scope *parent, struct arena *a)
{
	*s = (struct scope){ .parent = parent, .arena = a };
	s->budget = parent ? parent->budget : arena_new(a, size_t);
	if (!parent)
		*s->budget = MAX_TOTAL;
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

bool subst_charge(const struct subst *x, size_t bytes)
{
	size_t *left = x->scope->budget;
	if (*left == 0)
		return false;
	if (bytes < *left) {
		*left -= bytes;
		return true;
	}
	*left = 0;
	diags_add(x->diags, (struct pos){ x->diags->doc ? x->diags->doc->file : NULL, 0, 0 },
		"too large: variables, ranges and pipelines expand to more than %zu MiB",
		MAX_TOTAL >> 20);
	return false;
}

static bool scope_broken(const struct scope *s, struct str name)
{
	for (; s; s = s->parent) {
		const struct var *v = map_get(&s->vars, name);
		if (v && v->broken)
			return true;
	}
	return false;
}

enum token_kind { TOKEN_VAR, TOKEN_EMPTY, TOKEN_OPEN };
struct token {
	enum token_kind kind;
	size_t start, end;	/* of the whole token in the text */
	struct str name;
	bool spaced;		/* blanks around the name */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* More than the grammar asks: a package's name may hold '+'. */
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
			.spaced = name > i + 3 || close > end,
			.name = str_sub(s, name, end - name),
		};
		return true;
	}
	return false;
}

/* The byte of the original text that byte `at` of the substituted one came from. */
static size_t align(struct str original, struct str text, size_t at)
{
	struct token t;
	size_t from = 0, to = 0;	/* how far both are walked */
	while (next_token(original, from, &t)) {
		struct str piece = str_sub(original, from, t.start - from);
		if (at < to + piece.n)
			return from + (at - to);
		to += piece.n;
		/* the value reaches up to the text that follows the token */
		struct token next;
		size_t end = next_token(original, t.end, &next) ? next.start : original.n;
		struct str behind = str_sub(original, t.end, end - t.end);
		long found = str_find(str_from(text, to), behind);
		size_t length = end == original.n && text.n - to >= behind.n
			? text.n - to - behind.n : found < 0 ? 0 : (size_t)found;
		if (at < to + length || found < 0)
			return t.start;
		to += length;
		from = t.end > from ? t.end : from + 1;
	}
	return from + (at > to ? at - to : 0);
}

struct pos subst_pos(const struct diags *d, struct ystr in, size_t at)
{
	if (!in.at)
		return (struct pos){ 0 };
	const struct ydoc *doc = diags_doc_of(d, in.at->pos);
	struct str original = in.at->text;
	if (!doc || in.at->kind != YN_SCALAR)
		return in.at->pos;
	if (in.s.p != original.p)
		at = align(original, in.s, at);
	return ynode_pos_at(doc, in.at, at < original.n ? at : original.n);
}

static struct str suggest(const struct scope *s, struct str want)
{
	unsigned distance = want.n < 6 ? 2 : 4;
	struct str best = STR_NONE;
	for (; s; s = s->parent) {
		for (struct map_entry *e = map_first(&s->vars); e; e = map_next(e)) {
			unsigned d = match_distance(want, map_key(e), distance);
			if (d < distance) {
				distance = d;
				best = map_key(e);
			}
		}
	}
	return best;
}

/* Variables that only compilation knows. */
static bool is_late(struct str name)
{
	static const char *const late[] = { "build.", "host.", "cross.", "targets.", "subpkg.",
		"context.", "options.", "inputs.", "range." };
	for (size_t i = 0; i < countof(late); i++)
		if (str_starts(name, str_of(late[i])))
			return true;
	return str_is(name, "package.srcdir");
}

static void undefined(const struct subst *x, struct pos at, struct str name)
{
	struct str shown = str_sub(name, 0, MAX_SHOWN), near = STR_NONE;
	if (!diags_many(x->diags))
		near = suggest(x->scope, name);
	if (x->where && is_late(name))
		diags_add(x->diags, at, "variable %.*s is not available in %s", STR_ARG(shown),
			x->where);
	else if (near.n)
		diags_add(x->diags, at, "variable %.*s not defined; did you mean %.*s",
			STR_ARG(shown), STR_ARG(near));
	else
		diags_add(x->diags, at, "variable %.*s not defined", STR_ARG(shown));
}

/* vars.a -> vars.b -> vars.a, told once. */
static void cycle(const struct subst *x, struct pos at, struct str name)
{
	auto_buf struct buf chain = BUF_INIT(4096);
	struct str names[MAX_DEPTH + 1];
	size_t n = 0;
	for (const struct subst_frame *f = x->frame; f && n < MAX_DEPTH; f = f->up) {
		names[n++] = f->name;
		if (str_eq(f->name, name))
			break;
	}
	for (size_t i = n; i-- > 0;) {
		struct var *v = map_get(&x->scope->vars, names[i]);
		if (v)
			v->broken = true;
		buf_printf(&chain, "%.*s -> ", STR_ARG(str_sub(names[i], 0, MAX_SHOWN)));
	}
	diags_add(x->diags, at, "variable cycle: %s%.*s", chain.n ? chain.p : "",
		STR_ARG(str_sub(name, 0, MAX_SHOWN)));
}

/* Says what is wrong with a token that has no value. */
static void complain(const struct subst *x, struct ystr in, const struct token *t)
{
	struct pos at = subst_pos(x->diags, in, t->start);
	if (x->mode != SUBST_STRICT && x->mode != SUBST_COND)
		return;
	if (t->kind == TOKEN_EMPTY)
		diags_add(x->diags, at, "empty variable name");
	else if (t->kind == TOKEN_OPEN)
		diags_add(x->diags, at, "unterminated variable reference \"%.*s\"",
			STR_ARG(str_sub(t->name, 0, MAX_SHOWN)));
	else
		undefined(x, at, t->name);
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

static void add_value(struct buf *out, struct str value, struct quoting *q)
{
	/* the backslash before the token must not escape the value's first character */
	if (q->escaped)
		buf_addc(out, '\\');
	q->escaped = false;
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
	bool busy = false;
	if (x->mode == SUBST_LAX && t->spaced)
		return false;
	struct var *v = t->kind == TOKEN_VAR ? find(x->scope, t->name, &busy) : NULL;
	if (!v && busy && scope_broken(x->scope, t->name))
		return false;
	if (!v && busy)
		cycle(x, subst_pos(x->diags, in, t->start), t->name);
	else if (!v)
		complain(x, in, t);
	if (!v)
		return false;
	if (depth >= MAX_DEPTH) {
		diags_add(x->diags, subst_pos(x->diags, in, t->start),
			"variable %.*s is nested more than %d deep",
			STR_ARG(str_sub(t->name, 0, MAX_SHOWN)), MAX_DEPTH);
		return false;
	}
	if (!subst_charge(x, TOKEN_COST))
		return false;
	const struct subst_frame frame = { t->name, x->frame };
	struct subst inner = *x;
	if (inner.mode == SUBST_COND)
		inner.mode = SUBST_STRICT;
	if (inner.mode == SUBST_COND_TRY)
		inner.mode = SUBST_TRY;
	inner.frame = &frame;
	v->busy = true;
	*ret = expand(&inner, v->value, depth + 1).s;
	v->busy = false;
	return true;
}

bool subst_token(const struct subst *x, struct ystr in, size_t at, struct str *ret_value,
	size_t *ret_end)
{
	struct token t;
	if (!next_token(in.s, at, &t) || t.start != at)
		return false;
	*ret_value = STR_NONE;
	(void)value_of(x, in, &t, 0, ret_value);
	*ret_end = t.end;
	return true;
}

bool subst_is_token(struct str text, size_t at)
{
	struct token t;
	return next_token(text, at, &t) && t.start == at;
}

bool subst_any(struct str text)
{
	struct token t;
	return next_token(text, 0, &t);
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
		} else if (x->mode == SUBST_COND || x->mode == SUBST_COND_TRY) {
			add_value(&out, value, &q);
		} else {
			buf_addstr(&out, value);
		}
		done = t.end;
	} while (next_token(in.s, done, &t));
	buf_addstr(&out, str_from(in.s, done));
	if (out.over)
		diags_add(x->diags, subst_pos(x->diags, in, 0), "the text grows beyond %u bytes", MAX_RESULT);
	if (!subst_charge(x, out.n))
		return in;
	return (struct ystr){ arena_str(x->arena, buf_str(&out)), in.at };
}

struct ystr subst(const struct subst *x, struct ystr in)
{
	return expand(x, in, 0);
}

void subst_list(const struct subst *x, const struct ystrs *in, struct ystrs *ret)
{
	struct ystrs out = { 0 };
	if (!subst_charge(x, in->n * sizeof(*in->v)))
		return;
	for (size_t i = 0; i < in->n; i++)
		vec_push(x->arena, &out, subst(x, in->v[i]));
	*ret = out;
}

void subst_kvs(const struct subst *x, const struct ykvs *in, struct ykvs *ret)
{
	struct ykvs out = { 0 };
	if (!subst_charge(x, in->n * sizeof(*in->v)))
		return;
	for (size_t i = 0; i < in->n; i++)
		vec_push(x->arena, &out,
			(struct ykv){ in->v[i].key, subst(x, in->v[i].val) });
	*ret = out;
}
