#include "apko/oci/challenge.h"

#include <stddef.h>
#include <strings.h>

#include "shared/base/compiler.h"

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
	{"realm", offsetof(struct challenge, realm)},
	{"service", offsetof(struct challenge, service)},
	{"scope", offsetof(struct challenge, scope)},
};

static bool same_word(struct str a, const char *b)
{
	return a.n == str_of(b).n && strncasecmp(a.p, b, a.n) == 0;
}

static bool take_value(struct str *rest, struct str *ret)
{
	if (!str_skip(rest, S("\""))) {
		long end = str_chr(*rest, ',');
		*ret = str_trim(str_sub(*rest, 0, end < 0 ? rest->n : (size_t)end));
		*rest = str_from(*rest, end < 0 ? rest->n : (size_t)end);
		return ret->n > 0;
	}
	long end = str_chr(*rest, '"');
	if (end < 0)
		return false;
	*ret = str_sub(*rest, 0, (size_t)end);
	*rest = str_from(*rest, (size_t)end + 1);
	return str_chr(*ret, '\\') < 0;
}

static bool take_field(struct str *rest, struct challenge *c)
{
	struct str key, after, value;
	if (!str_cut(*rest, '=', &key, &after) || !take_value(&after, &value))
		return false;
	for (size_t i = 0; i < countof(fields); i++)
		if (same_word(str_trim(key), fields[i].key))
			*(struct str *)((char *)c + fields[i].offset) = value;
	*rest = str_trim(after);
	return rest->n == 0 || str_skip(rest, S(","));
}

bool challenge_parse(struct str header, struct challenge *ret)
{
	struct challenge c = {0};
	struct str rest = str_trim(header);
	if (!str_word(&rest, &c.scheme))
		return false;
	for (rest = str_trim(rest); rest.n; rest = str_trim(rest))
		if (!take_field(&rest, &c))
			return false;
	*ret = c;
	return true;
}
