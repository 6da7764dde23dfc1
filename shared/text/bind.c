#include "shared/text/bind.h"

#include <stdlib.h>

#include "shared/base/buf.h"
#include "shared/base/match.h"
#include "shared/text/bindscalar.h"

#define MAX_LOOKUP_DEPTH 4
#define MAX_FIELDS 128
#define MAX_SHOWN 60	/* bytes of a name in a message */
#define MAX_PATH ((size_t)1 << 14)
#define NO_INDEX ((size_t)-1)

/* One struct being filled, linked to the one that holds it. */
struct bind_ctx {
	const struct bind_schema *schema;
	const struct bind_ctx *up;
	struct str key;		/* the field of `up` it fills; empty at the root */
	size_t index;		/* in a list, else NO_INDEX */
	struct arena *arena;
	struct diags *diags;
};

static void bind_map_node(const struct bind_ctx *ctx, const struct ynode *node, void *out);

const struct ystr *ykvs_get(const struct ykvs *kv, struct str key)
{
	for (size_t i = 0; i < kv->n; i++)
		if (str_eq(kv->v[i].key, key))
			return &kv->v[i].val;
	return NULL;
}

struct strs ystrs_texts(struct arena *a, const struct ystrs *in)
{
	struct strs out = { 0 };
	for (size_t i = 0; i < in->n; i++)
		strs_push(a, &out, in->v[i].s);
	return out;
}

void ykvs_set(struct arena *a, struct ykvs *kv, struct str key, struct ystr val)
{
	struct ykv pair = { key, val };

	for (size_t i = 0; i < kv->n; i++) {
		if (str_eq(kv->v[i].key, key)) {
			kv->v[i].val = val;
			return;
		}
	}
	vec_push(a, kv, pair);
}

static int ystr_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct ystr *)a)->s, ((const struct ystr *)b)->s);
}

void ystrs_sort_unique(struct ystrs *list)
{
	size_t kept = 0;
	if (list->n)
		qsort(list->v, list->n, sizeof(list->v[0]), ystr_cmp);
	for (size_t i = 0; i < list->n; i++)
		if (i == 0 || !str_eq(list->v[i].s, list->v[kept - 1].s))
			list->v[kept++] = list->v[i];
	list->n = kept;
}

static bool is_null(const struct ynode *n)
{
	return !n || n->kind == YN_NULL;
}

static struct str key_text(const struct ynode *key)
{
	return key->kind == YN_NULL ? S("null") : key->text;
}

static void add_path(struct buf *out, const struct bind_ctx *ctx)
{
	if (!ctx || ctx->key.n == 0)
		return;
	add_path(out, ctx->up);
	buf_printf(out, "%s%.*s", out->n ? "." : "", STR_ARG(str_sub(ctx->key, 0, MAX_SHOWN)));
	if (ctx->index != NO_INDEX)
		buf_printf(out, "[%zu]", ctx->index);
}

/* Where a field stands: "package.epoch", "subpackages[0].name". */
static const char *path_of(const struct bind_ctx *ctx, struct str key)
{
	const struct bind_ctx field = { NULL, ctx, key, NO_INDEX, ctx->arena, ctx->diags };
	auto_buf struct buf out = BUF_INIT(MAX_PATH);

	add_path(&out, &field);
	return arena_strndup(ctx->arena, out.p, out.n);
}

static const char *ctx_name(const struct bind_ctx *ctx)
{
	auto_buf struct buf out = BUF_INIT(MAX_PATH);

	add_path(&out, ctx);
	return out.n ? arena_strndup(ctx->arena, out.p, out.n) : ctx->schema->name;
}

/* True when the node is of this kind; else what was found is reported. `what` names the place. */
static bool expect(const struct bind_ctx *ctx, const struct ynode *n, enum ykind kind,
	const char *what)
{
	static const char *const names[] = {
		[YN_NULL] = "nothing", [YN_SCALAR] = "a text", [YN_SEQ] = "a list",
		[YN_MAP] = "a map",
	};

	if (n->kind == kind)
		return true;
	diags_add(ctx->diags, n->pos, "%s must be %s, found %s", what, names[kind],
		ynode_kind_name(n));
	return false;
}

static bool expect_field(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, enum ykind kind)
{
	return n->kind == kind || expect(ctx, n, kind, path_of(ctx, str_of(f->key)));
}

static const struct bind_field *find_field(const struct bind_schema *schema, struct str key)
{
	for (const struct bind_field *f = schema->fields; f->key; f++)
		if (str_is(key, f->key))
			return f;
	return NULL;
}

static const struct bind_schema *sub_of(const struct bind_schema *schema,
	const struct bind_field *f)
{
	return !f->sub && (f->flags & BIND_RECURSE) ? schema : f->sub;
}

/* The nearest table beneath `schema` that knows the key; recursion is bounded. */
static const struct bind_schema *owner_below(const struct bind_schema *schema, struct str key,
	unsigned depth)
{
	const struct bind_schema *found;

	for (const struct bind_field *f = schema->fields; f->key; f++)
		if (f->sub && f->sub != schema && find_field(f->sub, key))
			return f->sub;
	if (depth == MAX_LOOKUP_DEPTH)
		return NULL;
	for (const struct bind_field *f = schema->fields; f->key; f++) {
		if (!f->sub || f->sub == schema)
			continue;
		found = owner_below(f->sub, key, depth + 1);
		if (found)
			return found;
	}
	return NULL;
}

/* The table a misplaced key belongs to, looked for below, then around each holder. */
static const struct bind_schema *owner_of(const struct bind_ctx *ctx, struct str key)
{
	const struct bind_schema *found = NULL;

	for (const struct bind_ctx *c = ctx; c && !found; c = c->up) {
		if (!c->schema)
			continue;
		if (c != ctx && find_field(c->schema, key))
			return c->schema;
		found = owner_below(c->schema, key, 1);
	}
	return found;
}

static void unknown_key(const struct bind_ctx *ctx, const struct ynode *key)
{
	const char *names[MAX_FIELDS], *near;
	const struct bind_schema *owner;
	struct str text = key_text(key);
	size_t n = 0;

	for (const struct bind_field *f = ctx->schema->fields; f->key && n < MAX_FIELDS; f++)
		names[n++] = f->key;
	near = match_nearest(text, names, n);
	/* a slip of one letter is likelier than a wrong place, a wrong place than two letters */
	owner = near && match_distance(text, str_of(near), 1) <= 1 ? NULL : owner_of(ctx, text);
	text = str_sub(text, 0, MAX_SHOWN);
	if (owner)
		diags_add(ctx->diags, key->pos, "unknown key \"%.*s\" in %s; it belongs in %s",
			STR_ARG(text), ctx_name(ctx), owner->name);
	else if (near)
		diags_add(ctx->diags, key->pos, "unknown key \"%.*s\" in %s; did you mean \"%s\"?",
			STR_ARG(text), ctx_name(ctx), near);
	else
		diags_add(ctx->diags, key->pos, "unknown key \"%.*s\" in %s", STR_ARG(text),
			ctx_name(ctx));
}

static void set_node(const struct bind_schema *schema, const struct ynode *node, void *out)
{
	if (schema->node_offset != BIND_NO_NODE)
		*(const struct ynode **)(void *)((char *)out + schema->node_offset) = node;
}

/* Fills the struct that stands at key of ctx (index: in a list there). */
static void bind_sub(const struct bind_ctx *ctx, const struct bind_schema *schema,
	const struct ynode *node, struct str key, size_t index, void *out)
{
	struct bind_ctx sub = { schema, ctx, key, index, ctx->arena, ctx->diags };

	set_node(schema, node, out);
	if (!is_null(node) && (node->kind == YN_MAP || expect(&sub, node, YN_MAP, ctx_name(&sub))))
		bind_map_node(&sub, node, out);
}

static void field_str(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	if (expect_field(ctx, f, n, YN_SCALAR))
		*(struct ystr *)out = (struct ystr){ n->text, n };
}

static void field_strs(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	struct ystrs *list = out;

	if (!expect_field(ctx, f, n, YN_SEQ))
		return;
	for (size_t i = 0; i < n->n; i++) {
		struct bind_ctx item = { NULL, ctx, str_of(f->key), i, ctx->arena, ctx->diags };
		struct ystr s = { n->items[i]->text, n->items[i] };

		if (is_null(n->items[i]))
			continue;
		if (s.at->kind == YN_SCALAR || expect(ctx, s.at, YN_SCALAR, ctx_name(&item)))
			vec_push(ctx->arena, list, s);
	}
}

/* The value of one free key; a step's argument is called an input. */
static bool expect_value(const struct bind_ctx *ctx, const struct bind_field *f, struct str key,
	const struct ynode *val)
{
	const struct bind_ctx map = { NULL, ctx, str_of(f->key), NO_INDEX, ctx->arena, ctx->diags };

	if (val->kind == YN_SCALAR)
		return true;
	if (!(f->flags & BIND_INPUTS))
		return expect(ctx, val, YN_SCALAR, path_of(&map, key));
	diags_add(ctx->diags, val->pos, "input \"%.*s\" must be a scalar, found %s",
		STR_ARG(str_sub(key, 0, MAX_SHOWN)), ynode_kind_name(val));
	return false;
}

static void field_kvs(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	struct ykvs *kvs = out;

	if (!expect_field(ctx, f, n, YN_MAP))
		return;
	for (size_t i = 0; i < n->n; i++) {
		const struct ynode *val = n->pairs[i].val;
		struct ykv kv = { key_text(n->pairs[i].key), { STR_NONE, val } };

		if (!is_null(val)) {
			if (!expect_value(ctx, f, kv.key, val))
				continue;
			kv.val.s = val->text;
		}
		vec_push(ctx->arena, kvs, kv);
	}
}

static void field_bool(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const char *what = path_of(ctx, str_of(f->key));

	if (expect(ctx, n, YN_SCALAR, what))
		(void)bind_bool(n, what, out, ctx->diags);
}

static void field_int(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const char *what = path_of(ctx, str_of(f->key));

	if (expect(ctx, n, YN_SCALAR, what))
		(void)bind_int(n, what, f->flags & BIND_QUOTED, out, ctx->diags);
}

static void field_uint(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const char *what = path_of(ctx, str_of(f->key));

	if (expect(ctx, n, YN_SCALAR, what))
		(void)bind_uint(n, what, out, ctx->diags);
}

static void field_opt_int(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const char *what = path_of(ctx, str_of(f->key));
	struct opt_int *opt = out;

	if (expect(ctx, n, YN_SCALAR, what))
		opt->set = bind_int(n, what, f->flags & BIND_QUOTED, &opt->n, ctx->diags);
}

static void field_duration(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const char *what = path_of(ctx, str_of(f->key));

	if (expect(ctx, n, YN_SCALAR, what))
		(void)bind_duration(n, what, out, ctx->diags);
}

static void field_struct(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	bind_sub(ctx, sub_of(ctx->schema, f), n, str_of(f->key), NO_INDEX, out);
}

static void field_struct_ptr(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const struct bind_schema *sub = sub_of(ctx->schema, f);
	void *val = arena_alloc(ctx->arena, sub->size);

	bind_sub(ctx, sub, n, str_of(f->key), NO_INDEX, val);
	*(void **)out = val;
}

static void field_list(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const struct bind_schema *sub = sub_of(ctx->schema, f);
	struct bind_list *list = out;

	if (!expect_field(ctx, f, n, YN_SEQ))
		return;
	list->v = arena_array_(ctx->arena, sub->size, n->n);
	list->n = n->n;
	for (size_t i = 0; i < n->n; i++)
		bind_sub(ctx, sub, n->items[i], str_of(f->key), i,
			(char *)list->v + i * sub->size);
}

static void field_map(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const struct bind_ctx in = { NULL, ctx, str_of(f->key), NO_INDEX, ctx->arena, ctx->diags };
	const struct bind_schema *sub = sub_of(ctx->schema, f);
	struct bind_map *map = out;

	if (!expect_field(ctx, f, n, YN_MAP))
		return;
	map->v = arena_array(ctx->arena, struct bind_map_item, n->n);
	map->n = n->n;
	for (size_t i = 0; i < n->n; i++) {
		struct str key = key_text(n->pairs[i].key);

		map->v[i] = (struct bind_map_item){ key, n->pairs[i].key,
			arena_alloc(ctx->arena, sub->size) };
		bind_sub(&in, sub, n->pairs[i].val, key, NO_INDEX, map->v[i].val);
	}
}

static void field_node(unused_arg const struct bind_ctx *ctx,
	unused_arg const struct bind_field *f, const struct ynode *n, void *out)
{
	*(const struct ynode **)out = n;
}

static void bind_pair(const struct bind_ctx *ctx, const struct ypair *pair, void *out)
{
	static void (*const fill[])(const struct bind_ctx *ctx, const struct bind_field *f,
		const struct ynode *n, void *out) = {
		[BIND_STR] = field_str, [BIND_STRS] = field_strs, [BIND_KVS] = field_kvs,
		[BIND_BOOL] = field_bool, [BIND_INT] = field_int, [BIND_UINT] = field_uint,
		[BIND_OPT_INT] = field_opt_int, [BIND_DURATION] = field_duration,
		[BIND_STRUCT] = field_struct, [BIND_STRUCT_PTR] = field_struct_ptr,
		[BIND_LIST] = field_list, [BIND_MAP] = field_map, [BIND_NODE] = field_node,
	};
	const struct bind_field *f = find_field(ctx->schema, key_text(pair->key));

	if (f && (f->type == BIND_NODE || !is_null(pair->val)))
		fill[f->type](ctx, f, pair->val, (char *)out + f->offset);
	else if (!f && !ctx->schema->lax)
		unknown_key(ctx, pair->key);
}

/* Fills a struct from a map; nodes nest at most as deep as the reader lets them. */
static void bind_map_node(const struct bind_ctx *ctx, const struct ynode *node, void *out)
{
	for (size_t i = 0; i < node->n; i++)
		bind_pair(ctx, &node->pairs[i], out);
	for (const struct bind_field *f = ctx->schema->fields; f->key; f++)
		if ((f->flags & BIND_REQUIRED) && is_null(ynode_get(node, f->key)))
			diags_add(ctx->diags, node->pos, "%s is required",
				path_of(ctx, str_of(f->key)));
}

void bind_struct(const struct bind_schema *schema, const struct ynode *node, void *out,
	struct arena *a, struct diags *diags)
{
	struct bind_ctx ctx = { schema, NULL, STR_NONE, NO_INDEX, a, diags };

	if (is_null(node))
		return;
	set_node(schema, node, out);
	if (expect(&ctx, node, YN_MAP, schema->name))
		bind_map_node(&ctx, node, out);
}
