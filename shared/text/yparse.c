#include <yaml.h>
#include "shared/base/map.h"
#include "shared/text/ymerge.h"
#include "shared/text/ynode.h"
#include "shared/text/ysource.h"

#define MAX_DEPTH 100
#define MAX_NODES 100000
#define MAX_SHOWN 60	/* bytes of a name in a message */
#define SHOWN(s) STR_ARG(str_sub(str_of(s), 0, MAX_SHOWN))

struct anchor {
	struct ynode *node;
	size_t size;		/* nodes beneath it and itself, aliases expanded */
	unsigned height;	/* levels, itself included */
	bool open;		/* still being read */
};

struct yparse {
	yaml_parser_t parser;
	struct ysource source;
	struct ydoc *doc;
	struct arena *arena;
	struct diags *diags;
	struct map anchors;	/* name to struct anchor */
	size_t nodes;
	bool failed;		/* nothing more can be read */
};

static bool build(struct yparse *p, yaml_event_t *e, unsigned depth, struct ynode **ret_node,
	unsigned *ret_height) must_check;

static struct pos pos_of(struct yparse *p, const yaml_mark_t *mark)
{
	struct ymark m = ysource_at(&p->source, mark->index);

	return (struct pos){ p->doc->file, m.line, m.col };
}

/* The key of the last line before a byte that has one; empty when there is none. */
static struct str key_before(struct str src, size_t byte)
{
	struct str rest = str_sub(src, 0, byte), line, key = STR_NONE, value;

	while (str_next(&rest, '\n', &line)) {
		struct str name = str_trim(line);

		while (str_skip(&name, S("- ")))
			name = str_trim(name);
		if (name.n > 0 && name.p[0] != '#' && str_cut(name, ':', &name, &value))
			key = name;
	}
	return key;
}

static void tab_problem(struct yparse *p, struct pos pos, size_t byte)
{
	struct str key = key_before(p->source.src, byte);

	if (key.n > 0)
		diags_add(p->diags, pos, "a tab cannot be used for indentation, below key \"%.*s\"\n"
			"hint: indent with blanks", STR_ARG(str_sub(key, 0, MAX_SHOWN)));
	else
		diags_add(p->diags, pos, "a tab cannot be used for indentation\n"
			"hint: indent with blanks");
}

/* What the parser says, with the one mistake people make most explained. */
static void parser_problem(struct yparse *p)
{
	const yaml_parser_t *y = &p->parser;
	struct ymark m = ysource_at(&p->source, y->problem_mark.index);
	struct pos pos = { p->doc->file, m.line, m.col };
	const char *problem = y->problem ? y->problem : "malformed YAML";

	if (y->error == YAML_MEMORY_ERROR)
		BUG("out of memory");
	if (m.byte < p->source.src.n && p->source.src.p[m.byte] == '\t')
		tab_problem(p, pos, m.byte);
	else if (y->context)
		diags_add(p->diags, pos, "%s (%s from line %d)", problem, y->context,
			ysource_at(&p->source, y->context_mark.index).line);
	else
		diags_add(p->diags, pos, "%s", problem);
}

static bool next(struct yparse *p, yaml_event_t *e)
{
	if (p->failed)
		return false;
	if (yaml_parser_parse(&p->parser, e))
		return true;
	parser_problem(p);
	p->failed = true;
	return false;
}

static bool give_up(struct yparse *p, const yaml_event_t *e, const char *what, unsigned limit)
{
	diags_add(p->diags, pos_of(p, &e->start_mark), "%s (limit %u)", what, limit);
	p->failed = true;
	return false;
}

static struct ynode *node_new(struct yparse *p, const yaml_event_t *e, enum ykind kind)
{
	struct ynode *n = arena_new(p->arena, struct ynode);
	struct ymark from = ysource_at(&p->source, e->start_mark.index);

	n->kind = kind;
	n->pos = (struct pos){ p->doc->file, from.line, from.col };
	n->off = from.byte;
	n->end = ysource_at(&p->source, e->end_mark.index).byte;
	return n;
}

static struct anchor *anchor_open(struct yparse *p, const yaml_char_t *name, struct ynode *n)
{
	struct anchor *a;

	if (!name)
		return NULL;
	a = arena_new(p->arena, struct anchor);
	a->node = n;
	a->open = true;
	(void)map_put(&p->anchors, arena_str(p->arena, str_of((const char *)name)), a);
	return a;
}

static bool is_null_text(struct str s)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; i < countof(words); i++)
		if (str_is(s, words[i]))
			return true;
	return false;
}

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decodes base64 with blanks and line ends anywhere in it. */
static bool decode_binary(struct arena *a, struct str s, struct str *ret)
{
	char *out = arena_alloc(a, s.n / 4 * 3 + 4);
	unsigned bits = 0, acc = 0, digits = 0, pads = 0;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = base64_value(s.p[i]);

		if (strchr(" \t\r\n", s.p[i]))
			continue;
		if (s.p[i] == '=') {
			pads++;
			continue;
		}
		if (v < 0 || pads > 0)
			return false;
		digits++;
		acc = (acc << 6 | (unsigned)v) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(acc >> bits & 0xff);
		}
	}
	if ((digits + pads) % 4 != 0 || pads > 2 || (acc & ((1u << bits) - 1)) != 0)
		return false;
	*ret = str_n(out, n);
	return true;
}

static enum ystyle style_of(yaml_scalar_style_t style)
{
	switch (style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
		return YS_SINGLE;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return YS_DOUBLE;
	case YAML_LITERAL_SCALAR_STYLE:
		return YS_LITERAL;
	case YAML_FOLDED_SCALAR_STYLE:
		return YS_FOLDED;
	default:
		return YS_PLAIN;
	}
}

static struct ynode *build_scalar(struct yparse *p, const yaml_event_t *e)
{
	struct ynode *n = node_new(p, e, YN_SCALAR);
	const char *tag = (const char *)e->data.scalar.tag;
	struct str text = str_n((const char *)e->data.scalar.value, e->data.scalar.length);
	bool is_text = tag && (strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, "!") == 0);

	n->style = style_of(e->data.scalar.style);
	n->text = arena_str(p->arena, text);
	if (tag && strcmp(tag, "tag:yaml.org,2002:binary") == 0) {
		if (!decode_binary(p->arena, text, &n->text))
			diags_add(p->diags, n->pos, "'!!binary' text is not base64");
	} else if (memchr(n->text.p, '\0', n->text.n)) {
		diags_add(p->diags, n->pos, "NUL byte in a text");
	} else if (!is_text && n->style == YS_PLAIN && is_null_text(text)) {
		n->kind = YN_NULL;
	}
	return n;
}

static bool build_alias(struct yparse *p, const yaml_event_t *e, unsigned depth,
	struct ynode **ret_node, unsigned *ret_height)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct anchor *a = map_get(&p->anchors, str_of(name));
	struct pos pos = pos_of(p, &e->start_mark);

	*ret_height = 1;
	if (!a || a->open) {
		if (a)
			diags_add(p->diags, pos, "anchor \"%.*s\" contains itself", SHOWN(name));
		else
			diags_add(p->diags, pos, "undefined alias \"%.*s\"", SHOWN(name));
		*ret_node = node_new(p, e, YN_NULL);
		return true;
	}
	if (depth + a->height - 1 > MAX_DEPTH)
		return give_up(p, e, "nested too deeply", MAX_DEPTH);
	p->nodes += a->size - 1;
	if (p->nodes > MAX_NODES)
		return give_up(p, e, "too many aliases: the text is too large with them replaced",
			MAX_NODES);
	*ret_node = a->node;
	*ret_height = a->height;
	return true;
}

/* The next node of a collection; false at its end (which is consumed) or on failure. */
static bool next_child(struct yparse *p, yaml_event_type_t end, unsigned depth,
	struct ynode *parent, struct ynode **ret_node, unsigned *height)
{
	yaml_event_t e;
	unsigned h = 0;
	bool ok;

	if (!next(p, &e))
		return false;
	if (e.type == end) {
		parent->end = ysource_at(&p->source, e.end_mark.index).byte;
		yaml_event_delete(&e);
		return false;
	}
	ok = build(p, &e, depth + 1, ret_node, &h);
	yaml_event_delete(&e);
	if (h + 1 > *height)
		*height = h + 1;
	return ok;
}

static void build_seq(struct yparse *p, struct ynode *n, unsigned depth, unsigned *height)
{
	VEC(struct ynode *) items = { 0 };
	struct ynode *item;

	while (next_child(p, YAML_SEQUENCE_END_EVENT, depth, n, &item, height))
		vec_push(p->arena, &items, item);
	n->items = items.v;
	n->n = items.n;
}

static void build_map(struct yparse *p, struct ynode *n, unsigned depth, unsigned *height)
{
	struct ypairs pairs = { 0 };
	struct ypair pair;

	while (next_child(p, YAML_MAPPING_END_EVENT, depth, n, &pair.key, height) &&
		next_child(p, YAML_NO_EVENT, depth, n, &pair.val, height))
		vec_push(p->arena, &pairs, pair);
	ymerge_pairs(&pairs, n, p->arena, p->diags);
}

static bool build_collection(struct yparse *p, const yaml_event_t *e, unsigned depth,
	struct ynode **ret_node, unsigned *ret_height)
{
	bool map = e->type == YAML_MAPPING_START_EVENT;
	struct ynode *n = node_new(p, e, map ? YN_MAP : YN_SEQ);
	struct anchor *a = anchor_open(p,
		map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor, n);
	size_t before = p->nodes;
	unsigned height = 1;

	if (map)
		build_map(p, n, depth, &height);
	else
		build_seq(p, n, depth, &height);
	if (a) {
		a->size = p->nodes - before + 1;
		a->height = height;
		a->open = false;
	}
	*ret_node = n;
	*ret_height = height;
	return !p->failed;
}

/* The node an event starts. Recursion is bounded by MAX_DEPTH. */
static bool build(struct yparse *p, yaml_event_t *e, unsigned depth, struct ynode **ret_node,
	unsigned *ret_height)
{
	struct anchor *a;

	if (depth > MAX_DEPTH)
		return give_up(p, e, "nested too deeply", MAX_DEPTH);
	if (++p->nodes > MAX_NODES)
		return give_up(p, e, "too many nodes", MAX_NODES);
	if (e->type == YAML_ALIAS_EVENT)
		return build_alias(p, e, depth, ret_node, ret_height);
	if (e->type != YAML_SCALAR_EVENT)
		return build_collection(p, e, depth, ret_node, ret_height);
	*ret_node = build_scalar(p, e);
	*ret_height = 1;
	a = anchor_open(p, e->data.scalar.anchor, *ret_node);
	if (a) {
		a->size = a->height = 1;
		a->open = false;
	}
	return true;
}

static void build_root(struct yparse *p, yaml_event_t *e)
{
	struct ynode *root;
	unsigned height;

	if (!build(p, e, 1, &root, &height))
		return;
	p->doc->root = root->kind == YN_NULL && root->text.n == 0 ? NULL : root;
}

static void build_document(struct yparse *p)
{
	bool more = true;
	int documents = 0;
	yaml_event_t e;

	while (more && next(p, &e)) {
		if (e.type == YAML_STREAM_END_EVENT) {
			more = false;
		} else if (e.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
			diags_add(p->diags, pos_of(p, &e.start_mark),
				"more than one document: a second one starts here");
			more = false;
		} else if (e.type == YAML_SCALAR_EVENT || e.type == YAML_ALIAS_EVENT ||
			e.type == YAML_SEQUENCE_START_EVENT || e.type == YAML_MAPPING_START_EVENT) {
			build_root(p, &e);
		}
		yaml_event_delete(&e);
	}
}

bool ydoc_parse_into(struct str text, const char *file, struct arena *a, struct ydoc *ret_doc,
	struct diags *diags)
{
	size_t before = diags->list.n;
	struct yparse p = { .doc = ret_doc, .arena = a, .diags = diags };

	*ret_doc = (struct ydoc){ .file = arena_strdup(a, file) };
	if (ret_doc != diags->doc)
		diags_doc(diags, ret_doc);
	if (!ysource_init(&p.source, text, ret_doc, diags, a))
		return false;
	if (!yaml_parser_initialize(&p.parser))
		BUG("out of memory");
	map_init(&p.anchors, a);
	yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.parser,
		(const unsigned char *)ret_doc->src.p + p.source.start,
		ret_doc->src.n - p.source.start);
	build_document(&p);
	yaml_parser_delete(&p.parser);
	map_release(&p.anchors);
	return diags->list.n == before;
}

bool ydoc_parse(struct str text, const char *file, struct arena *a, struct ydoc *ret_doc,
	struct err *err)
{
	struct ydoc doc = { 0 };
	struct diags diags;

	diags_init(&diags, a, &doc);
	if (!ydoc_parse_into(text, file, a, &doc, &diags))
		return diags_ok(&diags, err);
	*ret_doc = doc;
	return true;
}
