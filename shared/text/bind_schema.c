#include "shared/text/bind_schema.h"

#include <ctype.h>

#include "shared/text/jwrite.h"

#define REF "#/$defs/"

/* Each struct is one definition, however often it occurs. */
struct schemas {
	struct jwrite w;
	struct arena arena;
	struct {
		const struct bind_schema **v;
		size_t n, cap;
	} list;
};

static size_t number_of(struct schemas *s, const struct bind_schema *schema)
{
	for (size_t i = 0; i < s->list.n; i++)
		if (s->list.v[i] == schema)
			return i;
	vec_push(&s->arena, &s->list, schema);
	return s->list.n - 1;
}

/* "a pipeline step" of the messages becomes "pipeline-step"; names may repeat, so a number. */
static struct str name_of(struct schemas *s, const struct bind_schema *schema, const char *before)
{
	struct str name = str_of(schema->name);
	(void)(str_skip(&name, S("a ")) || str_skip(&name, S("an ")) || str_skip(&name, S("the ")));
	char *text = arena_printf(&s->arena, "%s%.*s-%zu", before, STR_ARG(name),
		number_of(s, schema));
	for (char *p = text + strlen(before); *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '-';
	return str_of(text);
}

/* {"type": [TYPES..., "null"]}, left open: null is as good as absent everywhere. */
static void types(struct schemas *s, const char *const *list)
{
	jw_object(&s->w);
	jw_key(&s->w, "type");
	jw_array(&s->w);
	for (; *list; list++)
		jw_str(&s->w, str_of(*list));
	jw_str(&s->w, S("null"));
	jw_array_end(&s->w);
}

/* Left open as well. */
static void ref(struct schemas *s, const struct bind_schema *schema)
{
	jw_object(&s->w);
	jw_key(&s->w, "anyOf");
	jw_array(&s->w);
	jw_object(&s->w);
	jw_kstr(&s->w, "$ref", name_of(s, schema, REF));
	jw_object_end(&s->w);
	jw_object(&s->w);
	jw_kstr(&s->w, "type", S("null"));
	jw_object_end(&s->w);
	jw_array_end(&s->w);
}

static const char *const scalar[] = { "string", "number", "boolean", NULL };

/* Left open, but for what it contains. */
static void container(struct schemas *s, const char *type, const char *key,
	const struct bind_schema *sub)
{
	types(s, (const char *const[]){ type, NULL });
	jw_key(&s->w, key);
	if (sub)
		ref(s, sub);
	else
		types(s, scalar);
	jw_object_end(&s->w);
}

/* The forms of numbers and booleans that YAML loaders other than ours take for text. */
#define NUMBER_TEXT "^[-+]?0([oObBxX][0-9A-Fa-f_]+|[0-7_]+)$"
#define DIGITS_TEXT "^[-+]?[0-9][0-9A-Za-z_]*$"
#define BOOL_TEXT                                                                                  \
	"^([yYnN]|[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE])$"

static void value(struct schemas *s, const struct bind_field *f, const struct bind_schema *self)
{
	static const char *const integer[] = { "integer", "string", NULL };
	static const char *const boolean[] = { "boolean", "string", NULL };
	const struct bind_schema *sub = f->flags & BIND_RECURSE ? self : f->sub;
	switch (f->type) {
	case BIND_STR:
		types(s, scalar);
		break;
	case BIND_STRS:
		container(s, "array", "items", NULL);
		break;
	case BIND_KVS:
		container(s, "object", "additionalProperties", NULL);
		break;
	case BIND_LIST:
		container(s, "array", "items", sub);
		break;
	case BIND_MAP:
		container(s, "object", "additionalProperties", sub);
		break;
	case BIND_BOOL:
		types(s, boolean);
		jw_kstr(&s->w, "pattern", S(BOOL_TEXT));
		break;
	case BIND_UINT:
	case BIND_INT:
	case BIND_OPT_INT:
		types(s, integer);
		jw_kstr(&s->w, "pattern",
			f->flags & BIND_QUOTED ? S(DIGITS_TEXT) : S(NUMBER_TEXT));
		if (f->type == BIND_UINT)
			jw_kint(&s->w, "minimum", 0);
		break;
	case BIND_DURATION:
		types(s, integer);
		break;
	case BIND_STRUCT:
	case BIND_STRUCT_PTR:
		ref(s, sub);
		break;
	case BIND_NODE:
		jw_object(&s->w);
		break;
	}
	if (f->help)
		jw_kstr(&s->w, "description", str_of(f->help));
	jw_object_end(&s->w);
}

static void definition(struct schemas *s, const struct bind_schema *schema)
{
	jw_object(&s->w);
	jw_kstr(&s->w, "type", S("object"));
	jw_kbool(&s->w, "additionalProperties", schema->lax);
	jw_key(&s->w, "properties");
	jw_object(&s->w);
	bool required = false;
	for (const struct bind_field *f = schema->fields; f->key; f++) {
		jw_key(&s->w, f->key);
		value(s, f, schema);
		required |= f->flags & BIND_REQUIRED;
	}
	jw_object_end(&s->w);
	if (required) {
		jw_key(&s->w, "required");
		jw_array(&s->w);
		for (const struct bind_field *f = schema->fields; f->key; f++)
			if (f->flags & BIND_REQUIRED)
				jw_str(&s->w, str_of(f->key));
		jw_array_end(&s->w);
	}
	jw_object_end(&s->w);
}

void bind_json_schema(const struct bind_schema *schema, const char *title, struct buf *out)
{
	struct schemas s = { .arena = ARENA_INIT };
	jw_init(&s.w, out, 2);
	jw_object(&s.w);
	jw_kstr(&s.w, "$schema", S("https://json-schema.org/draft/2020-12/schema"));
	jw_kstr(&s.w, "title", str_of(title));
	jw_kstr(&s.w, "$ref", name_of(&s, schema, REF));
	jw_key(&s.w, "$defs");
	jw_object(&s.w);
	for (size_t i = 0; i < s.list.n; i++) {
		jw_key_str(&s.w, name_of(&s, s.list.v[i], ""));
		definition(&s, s.list.v[i]);
	}
	jw_object_end(&s.w);
	jw_object_end(&s.w);
	buf_addc(out, '\n');
	arena_release(&s.arena);
}
