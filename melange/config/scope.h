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
};
void scope_init(struct scope *s, const struct scope *parent, struct arena *a);
void scope_release(struct scope *s);
/* Defines or replaces a variable of this scope; value is borrowed and may hold tokens. */
void scope_set(struct scope *s, struct str name, struct ystr value);
/* name given as printf text, value as text of the program */
void scope_set_text(struct scope *s, const char *name, struct str value);
bool scope_has(const struct scope *s, struct str name);

enum subst_mode {
	SUBST_LAX,	/* unknown variables and malformed tokens stay as text */
	SUBST_STRICT,	/* they are errors */
	SUBST_COND,	/* strict, for `if`: a value outside quotes is put in double quotes */
};
struct subst {
	const struct scope *scope;
	struct arena *arena;
	const struct ydoc *doc;	/* for positions inside texts; may be NULL */
	struct diags *diags;
	enum subst_mode mode;
};
/* The text with its variables replaced; problems go to diags (then the text comes back as far as
 * it got). Texts without tokens come back as they are, not copied. */
struct ystr subst(const struct subst *x, struct ystr in);
void subst_list(const struct subst *x, const struct ystrs *in, struct ystrs *ret);
void subst_kvs(const struct subst *x, const struct ykvs *in, struct ykvs *ret);
