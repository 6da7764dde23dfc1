#pragma once

#include "shared/base/arena.h"
#include "shared/base/str.h"

/* Text to pointer, iterating in insertion order. Keys are borrowed: they must outlive the map.
 * Entries live in the arena given; the hash table itself is released by map_release. */

struct map_entry;
struct map {
	struct arena *arena;
	struct map_entry *head;	/* uthash's */
	size_t n;
};

#define auto_map cleanup_with(map_release)

void map_init(struct map *m, struct arena *arena);
void map_release(struct map *m);
void *map_get(const struct map *m, struct str key);	/* NULL if absent */
bool map_has(const struct map *m, struct str key);
/* Stores val under key; returns the value it replaced (the key keeps its place) or NULL. */
void *map_put(struct map *m, struct str key, void *val);
void *map_del(struct map *m, struct str key);	/* returns the value removed */
/* In insertion order: for (e = map_first(m); e; e = map_next(e)). */
struct map_entry *map_first(const struct map *m);
struct map_entry *map_next(const struct map_entry *e);
struct str map_key(const struct map_entry *e);
void *map_val(const struct map_entry *e);
