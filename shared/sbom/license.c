#include "shared/sbom/license.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/compiler.h"
#include "shared/sbom/license_ids.h"

#define MAX_DEPTH 32

static int name_cmp(const void *key, const void *item)
{
	return str_cmp(*(const struct str *)key, str_of(*(const char *const *)item));
}

static bool known_id(struct str s)
{
	(void)str_chop(&s, S("+"));
	return (str_starts(s, S("LicenseRef-")) && s.n > 11) ||
		bsearch(&s, license_ids, license_nids, sizeof(license_ids[0]), name_cmp);
}

static bool known_exception(struct str s)
{
	return bsearch(&s, license_exceptions, license_nexceptions, sizeof(license_exceptions[0]),
		name_cmp);
}

/* The next word, or one parenthesis. */
static bool token(struct str *rest, struct str *ret)
{
	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t' || rest->p[0] == '\n'))
		*rest = str_from(*rest, 1);
	if (rest->n == 0)
		return false;
	size_t n = rest->p[0] == '(' || rest->p[0] == ')';
	while (n == 0 || (n < rest->n && rest->p[0] != '(' && rest->p[0] != ')' &&
			!strchr(" \t\n()", rest->p[n])))
		n++;
	*ret = str_sub(*rest, 0, n);
	*rest = str_from(*rest, n);
	return true;
}

static bool expression(struct str *rest, unsigned depth);

static bool term(struct str *rest, unsigned depth)
{
	struct str t;
	if (!token(rest, &t) || depth > MAX_DEPTH)
		return false;
	if (str_is(t, "("))
		return expression(rest, depth + 1) && token(rest, &t) && str_is(t, ")");
	if (!known_id(t))
		return false;
	struct str after = *rest;
	if (!token(&after, &t) || !str_is(t, "WITH"))
		return true;
	*rest = after;
	return token(rest, &t) && known_exception(t);
}

static bool expression(struct str *rest, unsigned depth)
{
	for (;;) {
		struct str t, after;
		if (!term(rest, depth))
			return false;
		after = *rest;
		if (!token(&after, &t) || !(str_is(t, "AND") || str_is(t, "OR")))
			return true;
		*rest = after;
	}
}

bool license_valid(struct str expr)
{
	struct str t;
	return expression(&expr, 0) && !token(&expr, &t);
}

bool license_has_or(struct str expr)
{
	struct str t;
	while (token(&expr, &t))
		if (str_is(t, "OR"))
			return true;
	return false;
}

struct str license_ref(struct str text, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 16);
	if (str_starts(text, S("LicenseRef-")))
		return text;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == ' ' || c == '_')
			buf_addc(&b, '-');
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '.' || c == '-')
			buf_addc(&b, c);
	}
	return b.n ? arena_strf(a, "LicenseRef-%s", b.p) : STR_NONE;
}
