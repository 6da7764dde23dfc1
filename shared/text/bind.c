#include "shared/text/bind.h"

#include "shared/base/match.h"
#include "shared/text/bindscalar.h"

#define MAX_LOOKUP_DEPTH 4
#define MAX_FIELDS 128

/* One struct being filled, linked to the one that holds it. */
struct bind_ctx {
	const struct bind_schema *schema;
	const struct bind_ctx *up;
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

static bool is_null(const struct ynode *n)
{
	return !n || n->kind == YN_NULL;
}

static struct str key_text(const struct ynode *key)
{
	return key->kind == YN_NULL ? S("null") : key->text;
}

/* True when the node is of this kind; else what was found is reported. */
static bool expect(const struct bind_ctx *ctx, const struct ynode *n, enum ykind kind,
	const char *what)
{
	static const char *const names[] = {
		[YN_NULL] = "nothing", [YN_SCALAR] = "a text", [YN_SEQ] = "a list",
		[YN_MAP] = "a map",
	};

	if (n->kind == kind)
		return true;
	diags_add(ctx->diags, n->pos, "expected %s for '%s', found %s", names[kind], what,
		ynode_kind_name(n));
	return false;
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
	text = str_sub(text, 0, 60);
	if (owner)
		diags_add(ctx->diags, key->pos, "unknown key '%.*s' in %s\n"
			"hint: '%.*s' belongs in %s", STR_ARG(text), ctx->schema->name,
			STR_ARG(text), owner->name);
	else if (near)
		diags_add(ctx->diags, key->pos, "unknown key '%.*s' in %s\n"
			"hint: did you mean '%s'?", STR_ARG(text), ctx->schema->name, near);
	else
		diags_add(ctx->diags, key->pos, "unknown key '%.*s' in %s", STR_ARG(text),
			ctx->schema->name);
}

static void set_node(const struct bind_schema *schema, const struct ynode *node, void *out)
{
	if (schema->node_offset != BIND_NO_NODE)
		*(const struct ynode **)(void *)((char *)out + schema->node_offset) = node;
}

static void bind_sub(const struct bind_ctx *ctx, const struct bind_schema *schema,
	const struct ynode *node, const char *what, void *out)
{
	struct bind_ctx sub = { schema, ctx, ctx->arena, ctx->diags };

	set_node(schema, node, out);
	if (!is_null(node) && expect(&sub, node, YN_MAP, what))
		bind_map_node(&sub, node, out);
}

static void field_str(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	if (expect(ctx, n, YN_SCALAR, f->key))
		*(struct ystr *)out = (struct ystr){ n->text, n };
}

static void field_strs(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	struct ystrs *list = out;

	if (!expect(ctx, n, YN_SEQ, f->key))
		return;
	for (size_t i = 0; i < n->n; i++) {
		struct ystr s = { n->items[i]->text, n->items[i] };

		if (!is_null(n->items[i]) && expect(ctx, n->items[i], YN_SCALAR, f->key))
			vec_push(ctx->arena, list, s);
	}
}

static void field_kvs(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	struct ykvs *kvs = out;

	if (!expect(ctx, n, YN_MAP, f->key))
		return;
	for (size_t i = 0; i < n->n; i++) {
		const struct ynode *val = n->pairs[i].val;
		struct ykv kv = { key_text(n->pairs[i].key), { STR_NONE, val } };

		if (!is_null(val)) {
			if (!expect(ctx, val, YN_SCALAR, arena_strndup(ctx->arena, kv.key.p, kv.key.n)))
				continue;
			kv.val.s = val->text;
		}
		vec_push(ctx->arena, kvs, kv);
	}
}

static void field_bool(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	if (expect(ctx, n, YN_SCALAR, f->key))
		(void)bind_bool(n, f->key, out, ctx->diags);
}

static void field_int(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	if (expect(ctx, n, YN_SCALAR, f->key))
		(void)bind_int(n, f->key, out, ctx->diags);
}

static void field_uint(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	if (expect(ctx, n, YN_SCALAR, f->key))
		(void)bind_uint(n, f->key, out, ctx->diags);
}

static void field_opt_int(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	struct opt_int *opt = out;

	if (expect(ctx, n, YN_SCALAR, f->key))
		opt->set = bind_int(n, f->key, &opt->n, ctx->diags);
}

static void field_duration(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	if (expect(ctx, n, YN_SCALAR, f->key))
		(void)bind_duration(n, f->key, out, ctx->diags);
}

static void field_struct(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	bind_sub(ctx, sub_of(ctx->schema, f), n, f->key, out);
}

static void field_struct_ptr(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const struct bind_schema *sub = sub_of(ctx->schema, f);
	void *val = arena_alloc(ctx->arena, sub->size);

	bind_sub(ctx, sub, n, f->key, val);
	*(void **)out = val;
}

static void field_list(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const struct bind_schema *sub = sub_of(ctx->schema, f);
	struct bind_list *list = out;

	if (!expect(ctx, n, YN_SEQ, f->key))
		return;
	list->v = arena_array_(ctx->arena, sub->size, n->n);
	list->n = n->n;
	for (size_t i = 0; i < n->n; i++)
		bind_sub(ctx, sub, n->items[i], f->key, (char *)list->v + i * sub->size);
}

static void field_map(const struct bind_ctx *ctx, const struct bind_field *f,
	const struct ynode *n, void *out)
{
	const struct bind_schema *sub = sub_of(ctx->schema, f);
	struct bind_map *map = out;

	if (!expect(ctx, n, YN_MAP, f->key))
		return;
	map->v = arena_array(ctx->arena, struct bind_map_item, n->n);
	map->n = n->n;
	for (size_t i = 0; i < n->n; i++) {
		struct str key = key_text(n->pairs[i].key);

		map->v[i] = (struct bind_map_item){ key, n->pairs[i].key,
			arena_alloc(ctx->arena, sub->size) };
		bind_sub(ctx, sub, n->pairs[i].val, arena_strndup(ctx->arena, key.p, key.n),
			map->v[i].val);
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
			diags_add(ctx->diags, node->pos, "missing key '%s' in %s", f->key,
				ctx->schema->name);
}

void bind_struct(const struct bind_schema *schema, const struct ynode *node, void *out,
	struct arena *a, struct diags *diags)
{
	struct bind_ctx ctx = { schema, NULL, a, diags };

	if (is_null(node))
		return;
	set_node(schema, node, out);
	if (expect(&ctx, node, YN_MAP, schema->name))
		bind_map_node(&ctx, node, out);
}
