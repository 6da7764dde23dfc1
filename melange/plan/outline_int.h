#pragma once

#include "melange/plan/outline.h"

/* What the parts of the outline's writer share. Private to outline*.c. */

/* Which form, and the arena. Structs come as nodes whose empty fields are left out or not as the two
 * forms of the existing tool do. */
struct ol {
	struct arena *a;
	bool json;
};

struct outline *ol_node(const struct ol *w, enum outline_kind kind);
struct outline *ol_map(const struct ol *w);
void ol_add(const struct ol *w, struct outline *to, const char *key, struct outline *val);
struct outline *ol_text(const struct ol *w, struct str s);
void ol_put(const struct ol *w, struct outline *to, const char *key, struct str s);
/* Left out when empty. */
void ol_opt(const struct ol *w, struct outline *to, const char *key, struct ystr s);
void ol_put_int(const struct ol *w, struct outline *to, const char *key, int64_t n);
void ol_put_bool(const struct ol *w, struct outline *to, const char *key, bool b);
void ol_opt_bool(const struct ol *w, struct outline *to, const char *key, bool b);
void ol_put_list(const struct ol *w, struct outline *to, const char *key,
	const struct ystrs *list);
void ol_opt_list(const struct ol *w, struct outline *to, const char *key,
	const struct ystrs *list);
struct outline *ol_kvs(const struct ol *w, const struct ykvs *kv);
void ol_opt_kvs(const struct ol *w, struct outline *to, const char *key, const struct ykvs *kv);
/* A nested struct: JSON shows an empty one as {}, YAML leaves it out. */
void ol_nested(const struct ol *w, struct outline *to, const char *key, struct outline *val);
/* Left out when empty in both. */
void ol_opt_nested(const struct ol *w, struct outline *to, const char *key, struct outline *val);

/* outline_env.c, outline_update.c */
struct outline *ol_environment(const struct ol *w, const struct imgconf *c);
struct outline *ol_update(const struct ol *w, const struct update *u);
