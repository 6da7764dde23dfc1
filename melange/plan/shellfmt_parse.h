#pragma once

#include "melange/plan/shellfmt_ast.h"

/* The parser behind shellfmt. A failure is sticky: `failed` is set and every function returns
 * at once, NULL where it returns a pointer. */

#define SF_MAX_DEPTH 120
/* Operands of one chain of && and |, or of operators in an expression: each is a level of calls
 * for who walks the tree. */
#define SF_MAX_CHAIN 100

struct sf_parser {
	struct str text;
	size_t i;
	unsigned line;
	size_t blank_end;	/* where the last skipped blanks ended */
	unsigned last_line;	/* where the last token ended */
	unsigned depth;
	bool failed;
	struct sf_redirs heredocs;	/* announced, their bodies not read yet */
	struct arena *a;
};

/* Where a word stands, which decides what ends it and what is special in it. */
enum sf_where {
	SF_PLAIN,	/* between blanks */
	SF_QUOTED,	/* "..." */
	SF_BRACED,	/* ${x:-...}, up to } */
	SF_BRACED_QUOTED,	/* the same inside "..." or a here-document */
	SF_PATTERN,	/* ${x/...}, up to / or } */
	SF_PATTERN_QUOTED,
	SF_HEREDOC,	/* a body, up to the end of the text */
	SF_OPERATORS,	/* an operand in arithmetic */
	SF_REGEX,	/* right of =~ */
};

/* shellfmt_parse.c */
bool sf_parse(struct str text, struct arena *a, unsigned depth, unsigned line,
	struct sf_stmts *ret) must_check;
void sf_statements(struct sf_parser *p, struct sf_stmts *list);
struct sf_cmd *sf_cmd_new(struct sf_parser *p, enum sf_cmd_kind kind);
struct sf_stmt *sf_stmt_new(struct sf_parser *p, struct sf_cmd *cmd);

/* shellfmt_simple.c */
struct sf_stmt *sf_simple_command(struct sf_parser *p);
/* A redirection into the list, if one stands here. */
bool sf_redirection(struct sf_parser *p, struct sf_redirs *list);

/* shellfmt_word.c: a word or NULL where none stands. */
struct sf_word *sf_word(struct sf_parser *p, enum sf_where where);
void sf_heredoc_bodies(struct sf_parser *p);

/* shellfmt_expr.c */
struct sf_expr *sf_arithmetic(struct sf_parser *p);	/* up to what cannot belong to it */
struct sf_expr *sf_condition(struct sf_parser *p);	/* up to ]] */

/* shellfmt_lex.c */
void sf_fail(struct sf_parser *p);
bool sf_enter(struct sf_parser *p);	/* one level deeper; leave with p->depth-- */
char sf_peek(const struct sf_parser *p, size_t ahead);
bool sf_looks(const struct sf_parser *p, const char *text);
bool sf_take(struct sf_parser *p, const char *text);
/* Takes the text or fails. */
void sf_expect(struct sf_parser *p, const char *text);
/* Whether a word of just this text stands here. */
bool sf_looks_word(const struct sf_parser *p, const char *word);
bool sf_take_word(struct sf_parser *p, const char *word);
void sf_blanks(struct sf_parser *p);	/* blanks, continued lines, a comment */
void sf_newlines(struct sf_parser *p);	/* those and line ends, with the here-documents due */
bool sf_is_name(char c);
size_t sf_name_length(const struct sf_parser *p, size_t ahead);
bool sf_ends_word(char c);
