#include "melange/plan/shellfmt_parse.h"

#include <string.h>

void sf_fail(struct sf_parser *p)
{
	p->failed = true;
	p->i = p->text.n;
}

bool sf_enter(struct sf_parser *p)
{
	if (p->depth >= SF_MAX_DEPTH)
		sf_fail(p);
	p->depth++;
	return !p->failed;
}

char sf_peek(const struct sf_parser *p, size_t ahead)
{
	/* behind a failure the place may lie beyond the end */
	return p->i < p->text.n && ahead < p->text.n - p->i ? p->text.p[p->i + ahead] : 0;
}

bool sf_looks(const struct sf_parser *p, const char *text)
{
	return str_starts(str_from(p->text, p->i), str_of(text));
}

bool sf_take(struct sf_parser *p, const char *text)
{
	if (!sf_looks(p, text))
		return false;
	p->i += strlen(text);
	return true;
}

void sf_expect(struct sf_parser *p, const char *text)
{
	if (!sf_take(p, text))
		sf_fail(p);
}

bool sf_ends_word(char c)
{
	return c == 0 || strchr(" \t\n;&|<>()", c);
}

bool sf_looks_word(const struct sf_parser *p, const char *word)
{
	return sf_looks(p, word) && sf_ends_word(sf_peek(p, strlen(word)));
}

bool sf_take_word(struct sf_parser *p, const char *word)
{
	return sf_looks_word(p, word) && sf_take(p, word);
}

void sf_blanks(struct sf_parser *p)
{
	if (p->i > p->blank_end)
		p->last_line = p->line;
	for (;;) {
		char c = sf_peek(p, 0);
		if (c == ' ' || c == '\t') {
			p->i++;
		} else if (c == '\\' && sf_peek(p, 1) == '\n') {
			p->i += 2;
			p->line++;
		} else if (c == '#') {
			while (p->i < p->text.n && p->text.p[p->i] != '\n')
				p->i++;
		} else {
			break;
		}
	}
	p->blank_end = p->i;
}

void sf_newlines(struct sf_parser *p)
{
	sf_blanks(p);
	while (sf_peek(p, 0) == '\n') {
		p->i++;
		p->line++;
		sf_heredoc_bodies(p);
		p->blank_end = p->i;
		sf_blanks(p);
	}
}

bool sf_is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_';
}

size_t sf_name_length(const struct sf_parser *p, size_t ahead)
{
	char first = sf_peek(p, ahead);
	size_t n = 0;
	if (first >= '0' && first <= '9')
		return 0;
	while (sf_is_name(sf_peek(p, ahead + n)))
		n++;
	return n;
}
