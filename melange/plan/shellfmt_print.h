#pragma once

#include "melange/plan/shellfmt_ast.h"
#include "shared/base/buf.h"

/* The printer behind shellfmt. It walks the commands and keeps the source line it has reached:
 * what begins on a later line than that is put on a new line, so the author's breaks stay where
 * the layout allows them. */

enum sf_gap {
	SF_GAP_NONE,	/* the next token may follow directly */
	SF_GAP_DONE,	/* a blank or line start was just written */
	SF_GAP_DUE,	/* a blank must come before the next token */
};

struct sf_printer {
	struct buf *out;
	struct arena *a;
	unsigned line;
	enum sf_gap gap;
	bool break_due;		/* the next statement begins a line */
	bool break_must;	/* so does whatever comes next */
	bool first_line;
	bool ended;		/* the statement just printed ended in & or ;; */
	bool in_chain;		/* right of an operator whose line was continued */
	unsigned level, last_level;
	VEC(bool) levels;	/* for each sf_deeper, whether it counted */
	struct sf_redirs heredocs;
	bool refused;		/* no layout is certain */
};

/* shellfmt_print.c */
bool sf_print_statement(struct buf *out, struct arena *a, struct sf_stmt *s) must_check;
void sf_print_nested(struct sf_printer *p, const struct sf_stmts *list, unsigned closing);

/* shellfmt_layout.c */
void sf_deeper(struct sf_printer *p);
void sf_shallower(struct sf_printer *p);
void sf_reach(struct sf_printer *p, unsigned line);	/* never goes back */
void sf_put(struct sf_printer *p, struct str text);
void sf_puts(struct sf_printer *p, const char *text);
void sf_space(struct sf_printer *p);
void sf_space_if_due(struct sf_printer *p);
/* A token with a blank before it where due, and a blank due behind it. */
void sf_token(struct sf_printer *p, struct str text);
bool sf_wants_break(const struct sf_printer *p, unsigned line);
void sf_indent(struct sf_printer *p);
void sf_break(struct sf_printer *p, unsigned line);
/* A break if wanted, and a blank line where the source has any. */
void sf_breaks(struct sf_printer *p, unsigned line);
void sf_continue_line(struct sf_printer *p);
void sf_separated(struct sf_printer *p, const char *word, unsigned line);	/* `; word` */
void sf_closing(struct sf_printer *p, const char *word, unsigned line);
void sf_close_paren(struct sf_printer *p, unsigned line);
void sf_flush_heredocs(struct sf_printer *p);

/* shellfmt_print_word.c */
void sf_print_word(struct sf_printer *p, const struct sf_word *w);
void sf_print_words(struct sf_printer *p, struct sf_word *const *v, size_t n);
void sf_print_expr(struct sf_printer *p, const struct sf_expr *e, bool compact);
void sf_print_test(struct sf_printer *p, const struct sf_expr *e);
void sf_print_assigns(struct sf_printer *p, const struct sf_assigns *list);
/* What stands between an opening parenthesis, already printed, and its end, on these lines. */
void sf_print_in_parens(struct sf_printer *p, const struct sf_stmts *list, unsigned open,
	unsigned closing);
void sf_print_part(struct sf_printer *p, const struct sf_part *part);
void sf_print_parts(struct sf_printer *p, const struct sf_word *w);	/* of no word: nothing */
