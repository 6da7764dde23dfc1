#include "shared/text/jread.h"

#include <jansson.h>

#define MAX_TEXT ((size_t)64 << 20)
#define MAX_DEPTH 100
#define MAX_VALUES ((size_t)4 << 20)

struct scan {
	size_t values;
	unsigned depth;
	bool in_text, escaped;
};

/* One byte seen by brackets and texts alone; false once a limit is passed. */
static bool scan_byte(struct scan *s, char c)
{
	if (s->in_text) {
		s->in_text = s->escaped || c != '"';
		s->escaped = !s->escaped && c == '\\';
	} else if (c == '"') {
		s->in_text = true;
	} else if (c == '[' || c == '{') {
		s->values++;
		s->depth++;
	} else if ((c == ']' || c == '}') && s->depth > 0) {
		s->depth--;
	} else if (c == ',') {
		s->values++;
	}
	return s->depth <= MAX_DEPTH && s->values <= MAX_VALUES;
}

/* Limits are checked before the parser takes memory or stack for the text. */
static bool check_limits(struct str text, const char *name, struct err *err)
{
	struct scan s = { 0 };

	if (text.n > MAX_TEXT)
		return err_set(err, EK_PARSE, "%s: size limit exceeded: limit is %zu bytes", name,
			MAX_TEXT);
	for (size_t i = 0; i < text.n; i++) {
		if (scan_byte(&s, text.p[i]))
			continue;
		if (s.depth > MAX_DEPTH)
			return err_set(err, EK_PARSE, "%s: nested too deeply (limit %d)", name,
				MAX_DEPTH);
		return err_set(err, EK_PARSE, "%s: too many values (limit %zu)", name,
			MAX_VALUES);
	}
	return true;
}

static struct jval *convert(json_t *j, struct arena *a);

static void convert_array(json_t *j, struct arena *a, struct jval *v)
{
	v->kind = JS_ARRAY;
	v->n = json_array_size(j);
	v->items = arena_array(a, struct jval *, v->n);
	for (size_t i = 0; i < v->n; i++)
		v->items[i] = convert(json_array_get(j, i), a);
}

static void convert_object(json_t *j, struct arena *a, struct jval *v)
{
	size_t i = 0;

	v->kind = JS_OBJECT;
	v->n = json_object_size(j);
	v->members = arena_array(a, struct jmember, v->n);
	for (void *it = json_object_iter(j); it; it = json_object_iter_next(j, it)) {
		v->members[i].key = arena_str(a, str_of(json_object_iter_key(it)));
		v->members[i++].val = convert(json_object_iter_value(it), a);
	}
}

static void convert_string(json_t *j, struct arena *a, struct jval *v)
{
	v->kind = JS_STR;
	v->s = arena_str(a, str_n(json_string_value(j), json_string_length(j)));
}

/* Depth is bounded by check_limits. */
static struct jval *convert(json_t *j, struct arena *a)
{
	struct jval *v = arena_new(a, struct jval);

	switch (json_typeof(j)) {
	case JSON_OBJECT:
		convert_object(j, a, v);
		break;
	case JSON_ARRAY:
		convert_array(j, a, v);
		break;
	case JSON_STRING:
		convert_string(j, a, v);
		break;
	case JSON_INTEGER:
		v->kind = JS_INT;
		v->i = json_integer_value(j);
		break;
	case JSON_REAL:
		v->kind = JS_REAL;
		v->real = json_real_value(j);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		v->kind = JS_BOOL;
		v->b = json_is_true(j);
		break;
	case JSON_NULL:
		break;
	}
	return v;
}

/* The parser quotes the text, which may hold anything. */
static void clean_message(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

bool jread(struct str text, const char *name, struct arena *a, struct jval **ret_val,
	struct err *err)
{
	json_error_t problem;
	json_t *root;

	if (!check_limits(text, name, err))
		return false;
	root = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
		&problem);
	if (!root) {
		struct pos pos = { name, problem.line, problem.column };

		clean_message(problem.text);
		return err_at(err, pos, "%s", problem.text);
	}
	*ret_val = convert(root, a);
	json_decref(root);
	return true;
}

const struct jval *jget(const struct jval *v, const char *key)
{
	if (!v || v->kind != JS_OBJECT)
		return NULL;
	for (size_t i = 0; i < v->n; i++)
		if (str_is(v->members[i].key, key))
			return v->members[i].val;
	return NULL;
}

struct str jget_str(const struct jval *v, const char *key)
{
	const struct jval *m = jget(v, key);

	return m && m->kind == JS_STR ? m->s : STR_NONE;
}
