#pragma once

#include "melange/config/model.h"
#include "shared/base/err.h"

/* The build file as templates see it: Go names for the keys, a few methods (melange-config 5.7).
 * Values are small and passed by value; what they point to belongs to the configuration or to the
 * arena that made it. */

enum gkind {
	GV_NONE,	/* no value: a key that a map does not have */
	GV_NIL,		/* the word nil */
	GV_BOOL,
	GV_INT,
	GV_UINT,
	GV_DURATION,	/* nanoseconds, in i */
	GV_STR,
	GV_STRS,	/* const struct ystrs * */
	GV_KVS,		/* const struct ykvs * */
	GV_STRUCT,	/* of `schema`; p is NULL for a nil pointer */
	GV_LIST,	/* const struct bind_list * of `schema` */
	GV_MAP,		/* const struct bind_map * of `schema` */
};
struct gval {
	enum gkind kind;
	bool pointer;	/* GV_STRUCT that is behind a pointer in Go */
	const struct bind_schema *schema;
	const void *p;
	union {
		bool b;
		int64_t i;
		uint64_t u;
		struct str s;
	};
};

struct gval gval_str(struct str s);
struct gval gval_int(int64_t i);
struct gval gval_bool(bool b);
struct gval gval_config(const struct config *c);

/* What `if` and `and` ask: not false, 0, empty or nil. */
bool gval_true(struct gval v);
/* Go's name of the type: "string", "[]config.Pipeline". */
const char *gval_type(struct gval v, struct arena *a);
/* Elements of a list or map, bytes of a text; false for what has none. */
bool gval_len(struct gval v, size_t *ret);
/* The i-th element of a list. */
struct gval gval_item(struct gval list, size_t i);
/* The sorted keys of a map; none for anything else. */
struct strs gval_keys(struct gval v, struct arena *a);
/* The entry of a map: GV_NONE when there is none. */
struct gval gval_get(struct gval map, struct str key);
/* The value that `index` gives for a key a map does not have. */
struct gval gval_zero_entry(struct gval map);

/* Fields of a struct in the order they print; the name is empty behind the last. */
struct gfield {
	char name[32];
	struct gval val;
};
struct gfield gval_field_at(struct gval v, size_t *next, struct arena *a);
/* A field by its Go name. */
bool gval_field(struct gval v, struct str name, struct arena *a, struct gval *ret);
/* The names of a struct's fields and methods, for hints. */
struct strs gval_names(struct gval v, struct arena *a);

struct gmethod {
	const char *type, *name;
	unsigned nargs;	/* all of them texts */
	bool (*call)(const void *receiver, const struct str *args, struct arena *a,
		struct gval *ret, struct err *err);
};
const struct gmethod *gval_method(struct gval v, struct str name);
