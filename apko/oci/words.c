#include "apko/oci/words.h"

#include <string.h>

#include "shared/base/buf.h"

struct splitting {
	struct str text;
	size_t at;
	const char *what;
	struct buf word;
	bool in_word;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The character behind a backslash, as it is. */
static bool escaped(struct splitting *s, struct err *err)
{
	if (++s->at == s->text.n)
		return err_set(err, EK_PARSE, "%s '%.*s' ends in a backslash", s->what,
			STR_ARG(s->text));
	buf_addc(&s->word, s->text.p[s->at]);
	return true;
}

static bool quoted(struct splitting *s, char quote, struct err *err)
{
	for (s->at++; s->at < s->text.n; s->at++) {
		char c = s->text.p[s->at];
		if (c == quote)
			return true;
		if (c != '\\' || quote == '\'')
			buf_addc(&s->word, c);
		else if (!escaped(s, err))
			return false;
	}
	return err_set(err, EK_PARSE, "unclosed quote in %s '%.*s'", s->what, STR_ARG(s->text));
}

static void end_word(struct splitting *s, struct arena *a, struct strs *out)
{
	if (s->in_word)
		strs_push(a, out, arena_str(a, buf_str(&s->word)));
	buf_clear(&s->word);
	s->in_word = false;
}

static void skip_comment(struct splitting *s)
{
	while (s->at < s->text.n && s->text.p[s->at] != '\n')
		s->at++;
}

bool oci_words(struct str text, const char *what, struct arena *a, struct strs *ret,
	struct err *err)
{
	struct splitting s = { .text = text, .what = what, .word = BUF_INIT(BUF_NOLIMIT) };
	struct strs out = { 0 };
	bool ok = true;
	for (; ok && s.at < text.n; s.at++) {
		char c = text.p[s.at];
		if (blank(c)) {
			end_word(&s, a, &out);
			continue;
		}
		if (c == '#' && !s.in_word) {
			skip_comment(&s);
			continue;
		}
		s.in_word = true;
		if (c == '\'' || c == '"')
			ok = quoted(&s, c, err);
		else if (c == '\\')
			ok = escaped(&s, err);
		else
			buf_addc(&s.word, c);
	}
	end_word(&s, a, &out);
	buf_release(&s.word);
	if (ok)
		*ret = out;
	return ok;
}
