#include "melange/plan/yamlout.h"

#include "shared/text/ywrite.h"

/* The existing printer loses the first line break of a block that starts with one. */
static struct str recorded(struct str s)
{
	bool leading = s.n > 1 && s.p[0] == '\n' && str_trim(s).n;
	return leading ? str_from(s, 1) : s;
}

static void write(struct ywrite *w, const struct outline *o)
{
	switch (o->kind) {
	case OL_TEXT:
		yw_str(w, recorded(o->text));
		break;
	case OL_INT:
		yw_int(w, o->n);
		break;
	case OL_BOOL:
		yw_bool(w, o->n);
		break;
	case OL_NULL:
		yw_null(w);
		break;
	case OL_LIST:
		yw_list(w);
		for (size_t i = 0; i < o->n_items; i++)
			write(w, o->items[i].val);
		yw_list_end(w);
		break;
	case OL_MAP:
		yw_map(w);
		for (size_t i = 0; i < o->n_items; i++) {
			yw_key_str(w, o->items[i].key);
			write(w, o->items[i].val);
		}
		yw_map_end(w);
		break;
	}
}

void yaml_out(const struct outline *o, struct buf *out)
{
	struct ywrite w;
	yw_init(&w, out, 2);
	write(&w, o);
}
