#include "melange/plan/compile.h"

#include "melange/plan/outline.h"
#include "melange/plan/yamlout.h"
#include "shared/text/jwrite.h"

static void write_json(struct jwrite *w, const struct outline *o)
{
	switch (o->kind) {
	case OL_TEXT:
		jw_str(w, o->text);
		break;
	case OL_INT:
		jw_int(w, o->n);
		break;
	case OL_BOOL:
		jw_bool(w, o->n);
		break;
	case OL_NULL:
		jw_null(w);
		break;
	case OL_LIST:
		jw_array(w);
		for (size_t i = 0; i < o->n_items; i++)
			write_json(w, o->items[i].val);
		jw_array_end(w);
		break;
	case OL_MAP:
		jw_object(w);
		for (size_t i = 0; i < o->n_items; i++) {
			jw_key_str(w, o->items[i].key);
			write_json(w, o->items[i].val);
		}
		jw_object_end(w);
		break;
	}
}

static bool printed(const struct buf *out, struct err *err)
{
	return !out->over || err_set(err, EK_OTHER, "the compiled configuration is too large");
}

bool config_json(const struct config *compiled, struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct jwrite w;
	jw_init(&w, out, 0);
	write_json(&w, outline_config(compiled, OUTLINE_JSON, &a));
	buf_addc(out, '\n');
	return printed(out, err);
}

bool config_yaml(const struct config *compiled, struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	yaml_out(outline_config(compiled, OUTLINE_YAML, &a), out);
	return printed(out, err);
}
