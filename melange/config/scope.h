#pragma once

#include "shared/base/map.h"
#include "shared/text/bind.h"

/* Variables and substitution (melange-config 2). `${{NAME}}` and `$<<NAME>>` are the same thing.
 * Values are expanded on demand, at most 16 deep; a variable that is being expanded is looked up
 * in the enclosing scopes instead, so that an input may forward its parent's of the same name;
 * where none is left it is a cycle, and an error. */

struct scope {
	const struct scope *parent;
	struct map vars;	/* name to struct var */
	struct arena *arena;
	size_t *budget;		/* bytes that expansion may still make; shared with the parents */
};
void scope_init(struct scope *s, const struct scope *parent, struct arena *a);
void scope_release(struct scope *s);
/* Defines or replaces a variable of this scope; value is borrowed and may hold tokens. */
void scope_set(struct scope *s, struct str name, struct ystr value);
/* name given as printf text, value as text of the program */
void scope_set_text(struct scope *s, const char *name, struct str value);
bool scope_has(const struct scope *s, struct str name);

enum subst_mode {
	SUBST_LAX,	/* unknown variables, malformed tokens and those with blanks stay as text */
	SUBST_TRY,	/* the same, but blanks may stand around the name */
	SUBST_STRICT,	/* they are errors */
	SUBST_COND,	/* strict, for `if`: a value outside quotes is put in double quotes */
	SUBST_COND_TRY,	/* the same, but what is unknown yet stays */
};
struct subst_frame;
struct subst {
	const struct scope *scope;
	struct arena *arena;
	struct diags *diags;
	enum subst_mode mode;
	const char *where;	/* "dependencies": where variables of compilation are not known yet;
				 * NULL: they are */
	const struct subst_frame *frame;	/* variables being expanded; NULL from callers */
};
/* The text with its variables replaced; problems go to diags (then the text comes back as far as
 * it got). Texts without tokens come back as they are, not copied. */
struct ystr subst(const struct subst *x, struct ystr in);
void subst_list(const struct subst *x, const struct ystrs *in, struct ystrs *ret);
void subst_kvs(const struct subst *x, const struct ykvs *in, struct ykvs *ret);
/* Takes bytes off what all expansions together may make (256 MiB for a file, whatever nests in
 * whatever); false when that is used up, which is reported once. */
enum { SUBST_STEP = 4096 };	/* what a step, or a subpackage of a range, costs */
bool subst_charge(const struct subst *x, size_t bytes) must_check;
/* Whether a token starts at byte `at`; then its value ("" with the problem added) and its end. */
bool subst_token(const struct subst *x, struct ystr in, size_t at, struct str *ret_value,
	size_t *ret_end);
bool subst_is_token(struct str text, size_t at);
/* Whether any token is left in a text. */
bool subst_any(struct str text);
/* Where byte `at` of a text, which may already be substituted, stands in the file its node came
 * from; bytes of a value stand at its token. The node's own place when it cannot be told. */
struct pos subst_pos(const struct diags *d, struct ystr in, size_t at);
