#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/map.h"
#include "shared/base/vec.h"
#include "shared/text/ynode.h"

/* Nodes to structs by schema table. Tables are const data: `{ "name", BIND_STR, offsetof(...) }`.
 * Unknown keys, wrong types and bad numbers are added to diags (with the nearest known key as a
 * hint), not returned one by one. What is absent or null leaves the field as it was (zero). */

/* A text with the place it came from; `at` is NULL for texts the program made. */
struct ystr {
	struct str s;
	const struct ynode *at;
};
struct ystrs {
	struct ystr *v;
	size_t n, cap;
};
/* Free keys with text values, in source order. */
struct ykv {
	struct str key;
	struct ystr val;
};
struct ykvs {
	struct ykv *v;
	size_t n, cap;
};
const struct ystr *ykvs_get(const struct ykvs *kv, struct str key);
/* The texts alone. */
struct strs ystrs_texts(struct arena *a, const struct ystrs *in);
void ystrs_sort_unique(struct ystrs *list);
void ykvs_set(struct arena *a, struct ykvs *kv, struct str key, struct ystr val);

enum bind_type {
	BIND_STR,	/* struct ystr: source text of any scalar */
	BIND_STRS,	/* struct ystrs; null items are dropped */
	BIND_KVS,	/* struct ykvs; a null value is "" */
	BIND_BOOL,	/* bool: YAML 1.1 words; quoted "true"/"false" as well */
	BIND_INT,	/* int64_t: decimal, 0x, 0o17, 017, 0b1, '_' separators; floats are errors */
	BIND_UINT,	/* uint64_t, same forms */
	BIND_OPT_INT,	/* struct opt_int: as BIND_INT, remembers that it was written */
	BIND_DURATION,	/* int64_t ns: Go duration text or bare integer seconds */
	BIND_STRUCT,	/* embedded struct, by `sub` */
	BIND_STRUCT_PTR,/* pointer to struct, NULL when absent */
	BIND_LIST,	/* struct bind_list of `sub` structs (null: empty) */
	BIND_MAP,	/* struct bind_map: free keys to `sub` structs */
	BIND_NODE,	/* const struct ynode *, untouched */
};

struct opt_int {
	int64_t n;
	bool set;
};
/* Elements are contiguous: ((struct x *)l.v)[i]. */
struct bind_list {
	void *v;
	size_t n;
};
struct bind_map_item {
	struct str key;
	const struct ynode *at;
	void *val;
};
struct bind_map {
	struct bind_map_item *v;
	size_t n;
};

struct bind_schema;
struct bind_field {
	const char *key;
	enum bind_type type;
	size_t offset;
	const struct bind_schema *sub;
	const char *help;	/* for the JSON schema; may be NULL */
	unsigned flags;
};
enum bind_flag {
	BIND_REQUIRED = 1 << 0,
	BIND_RECURSE = 1 << 1,	/* sub is the schema itself (self-referencing table) */
	BIND_QUOTED = 1 << 2,	/* BIND_INT, BIND_OPT_INT: the digits may be quoted */
	BIND_INPUTS = 1 << 3,	/* BIND_KVS: messages call the keys inputs */
};
struct bind_schema {
	const char *name;	/* for messages: "package" */
	size_t size;
	const struct bind_field *fields;	/* ends with a NULL key */
	size_t node_offset;	/* of a `const struct ynode *` that gets the struct's node, or
				 * BIND_NO_NODE */
	bool lax;		/* unknown keys are ignored */
};
#define BIND_NO_NODE ((size_t)-1)

/* Fills *out (zeroed by the caller) from a map node (NULL or YN_NULL: nothing). */
void bind_struct(const struct bind_schema *schema, const struct ynode *node, void *out,
	struct arena *a, struct diags *diags);
