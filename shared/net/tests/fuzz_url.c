#include <stdint.h>
#include <stdlib.h>
#include "shared/net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is a URL, the second a reference. What parses, and what joins, is written and
 * parses to the same again. */
static void check(const struct url *u, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct str text = str_of(url_text(u, a));
	struct url again;

	(void)url_is_private(u);
	(void)url_last(text);
	if (text.n > URL_MAX)
		return;
	if (!url_parse(text, a, &again, &err) || again.has_user || !url_same_origin(u, &again) ||
		!str_eq(u->path, again.path) || !str_eq(u->query, again.query))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct str first, second;
	struct url u, joined;

	(void)str_cut(str_n((const char *)data, size), '\n', &first, &second);
	(void)url_redact(first, &a);
	(void)url_append(first, second, &a);
	if (!url_parse(first, &a, &u, &err))
		return 0;
	check(&u, &a);
	if (url_join(&u, second, &a, &joined, &err))
		check(&joined, &a);
	return 0;
}
