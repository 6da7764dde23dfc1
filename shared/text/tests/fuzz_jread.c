#include <stdlib.h>
#include "shared/text/jread.h"
#include "shared/text/jwrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(struct jwrite *w, const struct jval *v)
{
	if (v->kind == JS_OBJECT) {
		jw_object(w);
		for (size_t i = 0; i < v->n; i++) {
			jw_key_str(w, v->members[i].key);
			write_value(w, v->members[i].val);
		}
		jw_object_end(w);
	} else if (v->kind == JS_ARRAY) {
		jw_array(w);
		for (size_t i = 0; i < v->n; i++)
			write_value(w, v->items[i]);
		jw_array_end(w);
	} else if (v->kind == JS_STR) {
		jw_str(w, v->s);
	} else if (v->kind == JS_INT) {
		jw_int(w, v->i);
	} else if (v->kind == JS_BOOL) {
		jw_bool(w, v->b);
	} else {
		jw_null(w);
	}
}

/* What was read is written, and that reads and writes the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf one = BUF_INIT(BUF_NOLIMIT), two = BUF_INIT(BUF_NOLIMIT);
	struct jwrite w;
	struct jval *v;

	if (!jread(str_n((const char *)data, size), "f", &a, &v, &err))
		return 0;
	jw_init(&w, &one, 2);
	write_value(&w, v);
	if (!jread(buf_str(&one), "f", &a, &v, &err))
		abort();
	jw_init(&w, &two, 2);
	write_value(&w, v);
	if (!str_eq(buf_str(&one), buf_str(&two)))
		abort();
	return 0;
}
