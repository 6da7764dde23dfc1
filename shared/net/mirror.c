#include "shared/net/mirror.h"

static bool check(struct str text, struct arena *a, struct err *err)
{
	struct url u;
	if (!url_is_remote(text))
		return err_set(err, EK_USAGE, "'%s' is no http or https URL", url_redact(text, a));
	return url_parse(text, a, &u, err);
}

static bool parse_one(struct str word, struct arena *a, struct mirrors *ret, struct err *err)
{
	long at = str_find(word, S("=http"));
	struct mirror m;
	if (at < 0) {
		err_set(err, EK_USAGE, "'%s' is not of the form FROM=TO", url_redact(word, a));
		return err_wrap(err, "APK_MIRRORS");
	}
	m.from = str_sub(word, 0, (size_t)at);
	m.to = str_from(word, (size_t)at + 1);
	if (!check(m.from, a, err) || !check(m.to, a, err))
		return err_wrap(err, "APK_MIRRORS");
	(void)str_chop(&m.from, S("/"));
	(void)str_chop(&m.to, S("/"));
	vec_push(a, ret, m);
	return true;
}

bool mirrors_parse(struct str list, struct arena *a, struct mirrors *ret, struct err *err)
{
	struct str words = arena_str(a, list), word;
	for (size_t i = 0; i < words.n; i++)
		if (words.p[i] == ',')
			((char *)words.p)[i] = ' ';
	while (str_word(&words, &word))
		if (!parse_one(word, a, ret, err))
			return false;
	return true;
}

bool mirrors_next(const struct mirrors *m, const struct url *u, size_t *at, struct arena *a,
	struct url *ret)
{
	struct str text = str_of(url_text(u, a)), rest;
	while (*at < m->n) {
		const struct mirror *one = &m->v[(*at)++];
		auto_err struct err ignored = ERR_INIT;
		rest = text;
		if (str_skip(&rest, one->from) && (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '?') &&
			url_parse(arena_strf(a, "%.*s%.*s", STR_ARG(one->to), STR_ARG(rest)), a, ret,
				&ignored))
			return true;
	}
	return false;
}
