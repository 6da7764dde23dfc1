#pragma once

#include "melange/query/tmpl.h"

/* The tree of a template, for its parser and evaluator. */

enum tnode_kind {
	/* what stands in a list */
	TN_TEXT,	/* str */
	TN_ACTION,	/* pipe */
	TN_IF,		/* pipe, list, else_list */
	TN_WITH,
	TN_RANGE,
	TN_BREAK,
	TN_CONTINUE,
	/* what stands in an action */
	TN_PIPE,	/* vars, assign; list of TN_COMMAND */
	TN_COMMAND,	/* list of operands */
	/* operands */
	TN_DOT,
	TN_CONST,	/* val */
	TN_FIELD,	/* names, of dot */
	TN_VAR,		/* str is its name with the '$'; names */
	TN_CHAIN,	/* pipe; names */
	TN_FUNC,	/* str */
};
struct tnode;
struct tnodes {
	struct tnode **v;
	size_t n, cap;
};
struct tnode {
	enum tnode_kind kind;
	size_t pos;		/* byte offset that messages name */
	struct str text;	/* as written, for messages */
	struct str str;
	struct gval val;
	struct strs names;
	struct strs vars;	/* of a pipe that declares or assigns */
	bool assign;
	struct tnode *pipe;
	struct tnodes list, else_list;
};
struct tmpl {
	struct str text;
	struct tnodes list;
};

#define TMPL_DEPTH 64		/* nested actions or parentheses */
#define TMPL_STEPS 5000000	/* nodes evaluated in one run */
#define TMPL_MEMORY ((size_t)512 << 20)

/* How many arguments a function takes; NULL when there is none of that name. */
struct tfunc {
	const char *name;
	unsigned least, most;	/* most 0: any number */
	bool (*call)(const struct gval *args, size_t n, struct arena *a, struct gval *ret,
		struct err *err);	/* NULL for and, or: the evaluator's */
};
const struct tfunc *tmpl_func(struct str name);
