#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* YAML text as a tree of nodes, each with its position. Scalars keep their source text: nothing
 * is turned into a number or a boolean here. Aliases share the anchor's node; `<<` merges are
 * already applied (own keys win). All memory, the file name included, is the arena's.
 *
 * Checked while reading, all errors of one file reported together and sorted by position: UTF-8,
 * one document only, nesting <= 100, <= 100000 nodes after alias expansion, no anchor that holds
 * itself, no duplicate key. */

enum ykind { YN_NULL, YN_SCALAR, YN_SEQ, YN_MAP };

enum ystyle { YS_PLAIN, YS_SINGLE, YS_DOUBLE, YS_LITERAL, YS_FOLDED };

struct ypair {
	struct ynode *key;	/* always YN_SCALAR (or YN_NULL, read as "null") */
	struct ynode *val;
};

struct ynode {
	enum ykind kind;
	enum ystyle style;	/* of a scalar */
	struct pos pos;
	size_t off, end;	/* byte range in the source, for edits and token positions */
	struct str text;	/* YN_SCALAR (for YN_NULL the source text: "", "~", "null") */
	struct ynode **items;	/* YN_SEQ */
	struct ypair *pairs;	/* YN_MAP, in source order */
	size_t n;		/* items or pairs */
};

struct ydoc {
	const char *file;
	struct str src;		/* the whole source, for showing lines */
	struct ynode *root;	/* NULL for an empty file */
};

/* Parses text. `file` is copied. */
bool ydoc_parse(struct str text, const char *file, struct arena *a, struct ydoc *ret_doc,
	struct err *err) must_check;
bool ydoc_load(const char *path, struct arena *a, struct ydoc *ret_doc, struct err *err)
	must_check;
/* The value of a key of a map, NULL if absent or not a map. */
struct ynode *ynode_get(const struct ynode *map, const char *key);
/* The key's own node, NULL likewise. */
const struct ynode *ynode_key(const struct ynode *map, struct str key);
/* "a map", "a list", "a text", "nothing": for messages. */
const char *ynode_kind_name(const struct ynode *n);
/* Position of byte `at` of a scalar's text, when its style lets it be told (plain and quoted
 * scalars of one line, literal blocks); else the scalar's own position. */
struct pos ynode_pos_at(const struct ydoc *doc, const struct ynode *n, size_t at);

/* Problems: added in any order, reported once, sorted by position, each as
 * "file:line:col: message", the source line, a caret, then what notes and hints there are. */
struct diag {
	struct pos pos;
	const char *msg;	/* with optional "\nnote: ..." and "\nhint: ..." */
};
/* Put behind each message added while it is set. */
struct diag_note {
	const char *text;	/* borrowed until it is taken back */
	struct pos of;		/* what it tells of: not put behind messages about that very place;
				 * line 0: behind all */
	bool elsewhere;		/* only for places outside the first document */
	const struct diag_note *up;
};
struct diags {
	struct arena *arena;
	const struct ydoc *doc;	/* the first one, for source lines; may be NULL */
	VEC(const struct ydoc *) others;
	const struct diag_note *note;	/* set and taken back by the caller */
	VEC(struct diag) list;
	size_t dropped;		/* beyond what is kept: counted only */
};
/* Whether enough was found already that no work on suggestions pays. */
bool diags_many(const struct diags *d);
void diags_init(struct diags *d, struct arena *a, const struct ydoc *doc);
/* A further document that places may lie in; borrowed. Adding one twice is harmless. */
void diags_doc(struct diags *d, const struct ydoc *doc);
/* The document of a place, NULL when it is none of those known. */
const struct ydoc *diags_doc_of(const struct diags *d, struct pos pos);
void diags_add(struct diags *d, struct pos pos, const char *fmt, ...) printf_like(3, 4);
/* true when there are none; else err (EK_SOURCE) holds them all (at most 50, then "... N more"). */
bool diags_ok(const struct diags *d, struct err *err) must_check;
/* Parses text, adding what is wrong to diags; the document (which must outlive diags) is one of
 * theirs from then on. */
bool ydoc_parse_into(struct str text, const char *file, struct arena *a, struct ydoc *ret_doc,
	struct diags *diags) must_check;
