#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* JSON values, read whole (the only user of jansson). Duplicate keys, trailing text, nesting over
 * 100 and texts over 64 MiB are errors. Values are arena memory, keys keep source order. */

enum jkind { JS_NULL, JS_BOOL, JS_INT, JS_REAL, JS_STR, JS_ARRAY, JS_OBJECT };

struct jval;
struct jmember {
	struct str key;
	struct jval *val;
};
struct jval {
	enum jkind kind;
	bool b;
	int64_t i;
	double real;
	struct str s;
	struct jval **items;	/* JS_ARRAY */
	struct jmember *members;/* JS_OBJECT */
	size_t n;
};

bool jread(struct str text, const char *name, struct arena *a, struct jval **ret_val,
	struct err *err) must_check;
/* Member of an object, NULL if absent or v is no object. */
const struct jval *jget(const struct jval *v, const char *key);
/* Text of a member, empty if absent or not a text. */
struct str jget_str(const struct jval *v, const char *key);
