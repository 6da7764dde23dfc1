#include "melange/plan/shellfmt_print.h"

void sf_deeper(struct sf_printer *p)
{
	bool counts = p->level <= p->last_level || p->levels.n == 0;
	if (counts) {
		p->level++;
	} else if (p->levels.v[p->levels.n - 1]) {
		/* two levels begun on one line indent only once */
		p->levels.v[p->levels.n - 1] = false;
		counts = true;
	}
	vec_push(p->a, &p->levels, counts);
}

void sf_shallower(struct sf_printer *p)
{
	if (p->levels.v[--p->levels.n])
		p->level--;
}

void sf_reach(struct sf_printer *p, unsigned line)
{
	if (p->line < line)
		p->line = line;
}

void sf_put(struct sf_printer *p, struct str text)
{
	buf_addstr(p->out, text);
}

void sf_puts(struct sf_printer *p, const char *text)
{
	buf_adds(p->out, text);
}

void sf_space(struct sf_printer *p)
{
	buf_addc(p->out, ' ');
	p->gap = SF_GAP_DONE;
}

void sf_space_if_due(struct sf_printer *p)
{
	if (p->gap == SF_GAP_DUE)
		sf_space(p);
}

void sf_token(struct sf_printer *p, struct str text)
{
	sf_space_if_due(p);
	sf_put(p, text);
	p->gap = SF_GAP_DUE;
}

bool sf_wants_break(const struct sf_printer *p, unsigned line)
{
	return p->break_must || p->break_due || p->line < line;
}

void sf_indent(struct sf_printer *p)
{
	p->last_level = p->level;
	for (unsigned k = 0; k < p->level; k++)
		buf_addc(p->out, '\t');
}

static void end_line(struct sf_printer *p)
{
	buf_addc(p->out, '\n');
	p->gap = SF_GAP_DONE;
	p->break_due = p->break_must = false;
}

void sf_break(struct sf_printer *p, unsigned line)
{
	sf_flush_heredocs(p);
	end_line(p);
	if (p->line < line)
		p->line++;
}

void sf_breaks(struct sf_printer *p, unsigned line)
{
	if (p->first_line) {
		p->first_line = false;
		return;
	}
	if (!sf_wants_break(p, line))
		return;
	sf_flush_heredocs(p);
	end_line(p);
	if (line > p->line + 1)
		buf_addc(p->out, '\n');
	p->line = line;
	sf_indent(p);
}

void sf_continue_line(struct sf_printer *p)
{
	sf_space_if_due(p);
	sf_puts(p, "\\\n");
	p->gap = SF_GAP_DONE;
	p->line++;
	sf_indent(p);
}

void sf_separated(struct sf_printer *p, const char *word, unsigned line)
{
	if (sf_wants_break(p, 0)) {
		sf_break(p, line);
		sf_indent(p);
	} else {
		if (!p->ended)
			buf_addc(p->out, ';');
		sf_space(p);
	}
	sf_reach(p, line);
	sf_puts(p, word);
	p->gap = SF_GAP_DUE;
}

void sf_closing(struct sf_printer *p, const char *word, unsigned line)
{
	if (sf_wants_break(p, line)) {
		sf_breaks(p, line);
	} else {
		if (!p->ended)
			buf_addc(p->out, ';');
		sf_space_if_due(p);
	}
	sf_puts(p, word);
	p->gap = SF_GAP_DUE;
}

void sf_close_paren(struct sf_printer *p, unsigned line)
{
	sf_breaks(p, line);
	buf_addc(p->out, ')');
	p->gap = SF_GAP_DUE;
}

/* The body of a <<- document, its first line at the given level and the others as they stand to
 * it, but no less deep. */
static void indented_body(struct sf_printer *p, const struct sf_redir *r, unsigned level)
{
	auto_buf struct buf plain = BUF_INIT(p->out->max);
	struct buf *out = p->out;
	p->out = &plain;
	const struct sf_word *body = r->body;
	bool continued = !r->quoted;
	for (size_t k = 0; k < body->n; k++) {
		size_t start = plain.n;
		sf_print_part(p, body->v[k]);
		sf_reach(p, body->v[k]->end_line);
		struct str part = str_from(buf_str(&plain), start);
		/* lines of commands have an indentation of their own, and a continued line's tabs
		 * belong to it */
		if (body->v[k]->kind == SF_TEXT ? continued && str_find(part, S("\\\n")) >= 0
				: str_chr(part, '\n') >= 0)
			p->refused = true;
	}
	p->out = out;
	out->over |= plain.over;
	struct str rest = buf_str(&plain), line;
	long change = 0;
	bool first = true;
	while (rest.n) {
		bool ended = str_cut(rest, '\n', &line, &rest);
		long tabs = 0;
		while (str_skip(&line, S("\t")))
			tabs++;
		if (line.n && first) {
			change = (long)level - tabs;
			first = false;
		}
		long indent = tabs + change > (long)level ? tabs + change : (long)level;
		for (long k = 0; line.n && k < indent; k++)
			buf_addc(out, '\t');
		buf_addstr(out, line);
		if (ended)
			buf_addc(out, '\n');
	}
}

void sf_flush_heredocs(struct sf_printer *p)
{
	struct sf_redirs due = p->heredocs;
	if (due.n == 0)
		return;
	p->heredocs = (struct sf_redirs){ 0 };
	/* the level may have changed already for the line to come */
	unsigned level = p->level;
	p->level = p->last_level;
	for (size_t k = 0; k < due.n; k++) {
		const struct sf_redir *r = due.v[k];
		end_line(p);
		p->line++;
		if (r->body && r->strip_tabs)
			indented_body(p, r, p->level + 1);
		else if (r->body)
			sf_print_parts(p, r->body);
		if (r->strip_tabs)
			sf_indent(p);
		sf_put(p, r->delimiter);
		p->line = r->body_end;
		p->gap = SF_GAP_NONE;
	}
	p->level = level;
	p->break_must = true;
}
