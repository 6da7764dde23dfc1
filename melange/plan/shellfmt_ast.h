#pragma once

#include "shared/base/vec.h"

/* What shellfmt's parser makes and its printer reads: commands with the source lines (from 1)
 * that decide where the printed text breaks. Inside shellfmt only. Everything lives in the arena
 * of the parse; a missing part is NULL or has no items. */

struct sf_word;
struct sf_cmd;
struct sf_stmt;

struct sf_stmts {
	struct sf_stmt **v;
	size_t n, cap;
};

/* Arithmetic and [[ ]] conditions. */
enum sf_expr_kind {
	SF_OPERAND,	/* word */
	SF_UNARY,	/* op x */
	SF_POSTFIX,	/* x op */
	SF_INFIX,	/* x op y */
	SF_TERNARY,	/* x ? y : z */
	SF_PARENS,	/* ( x ) */
	SF_INDEXED,	/* word [ x ] */
};

struct sf_expr {
	enum sf_expr_kind kind;
	struct str op;
	struct sf_word *word;
	struct sf_expr *x, *y, *z;
	unsigned y_line;	/* of a condition: where y begins */
};

enum sf_part_kind {
	SF_TEXT,	/* text as written: literal, '...', $'...', $x */
	SF_DOUBLE,	/* text is the opening quote; inner */
	SF_PARAM,	/* ${...}: text is all up to the index or operator */
	SF_COMMAND,	/* $(...) and `...`: body */
	SF_PROCESS,	/* text is "<(" or ">("; body */
	SF_ARITH,	/* $((...)): x */
};

struct sf_part {
	enum sf_part_kind kind;
	struct str text;
	unsigned line, end_line;
	struct sf_word *inner;		/* SF_DOUBLE; SF_PARAM: behind the operator */
	struct sf_word *second;		/* SF_PARAM: the replacement */
	struct str op;			/* SF_PARAM */
	struct sf_expr *index;		/* SF_PARAM: [index] */
	struct sf_expr *x, *y;		/* SF_ARITH; SF_PARAM: offset and length */
	struct sf_stmts body;
};

struct sf_word {
	struct sf_part **v;
	size_t n, cap;
	unsigned line;
};

struct sf_words {
	struct sf_word **v;
	size_t n, cap;
};

struct sf_element {		/* of an array */
	struct sf_expr *index;
	struct sf_word *value;
	unsigned line;
};

struct sf_assign {
	struct str name;	/* none: an argument of `export` and the like */
	struct sf_expr *index;
	struct str op;		/* "=" or "+=" */
	struct sf_word *value;
	bool is_array;
	VEC(struct sf_element) elements;
	unsigned line, end_line;
};

struct sf_assigns {
	struct sf_assign **v;
	size_t n, cap;
};

struct sf_redir {
	struct str fd, op;
	struct sf_word *word;
	struct sf_word *body;		/* here-document */
	struct str delimiter;		/* the word unquoted */
	bool is_heredoc, strip_tabs, quoted;
	bool spans;			/* its word reaches over lines */
	size_t offset;			/* in the source, to order it among the arguments */
	unsigned line, body_end;
};

struct sf_redirs {
	struct sf_redir **v;
	size_t n, cap;
};

struct sf_case {
	struct sf_words patterns;
	struct sf_stmts body;
	struct str op;			/* ";;", ";&", ";;&" */
	unsigned line, op_line;
};

enum sf_cmd_kind {
	SF_SIMPLE,	/* assigns, words */
	SF_DECLARE,	/* text; assigns */
	SF_BINARY,	/* text is the operator; x, y */
	SF_BLOCK,	/* body */
	SF_SUBSHELL,	/* body */
	SF_IF,		/* cond, body, other (elif: SF_IF; else: SF_BLOCK) */
	SF_WHILE,	/* text; cond, body */
	SF_FOR,		/* text ("for", "select"), name; has_in, words, body */
	SF_FOR_ARITH,	/* e[0..2]; body */
	SF_CASE,	/* words[0], cases */
	SF_FUNCTION,	/* name, text ("function" or empty), has_parens; x */
	SF_TEST,	/* e[0] */
	SF_ARITHMETIC,	/* e[0] */
	SF_TIME,	/* text; x */
};

struct sf_cmd {
	enum sf_cmd_kind kind;
	struct str text, name;
	unsigned line;
	unsigned mid_line;		/* of `then`, `do`, `in`, the operator */
	unsigned end_line;		/* of the closing word */
	bool has_in, has_parens;
	size_t offsets[2];		/* SF_SIMPLE: where words[0] and words[1] begin */
	struct sf_assigns assigns;
	struct sf_words words;
	struct sf_stmts cond, body;
	struct sf_cmd *other;
	struct sf_stmt *x, *y;
	struct sf_expr *e[3];
	VEC(struct sf_case *) cases;
};

struct sf_stmt {
	struct sf_cmd *cmd;		/* NULL: redirections only */
	struct sf_redirs redirs;
	bool negated, background;
	unsigned line, end_line;
};
