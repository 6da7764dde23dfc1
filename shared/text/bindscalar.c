#include "shared/text/bindscalar.h"

#include "shared/base/num.h"

/* Longest text shown in a message. */
#define SHOWN(s) STR_ARG(str_sub((s), 0, 60))

bool bind_bool(const struct ynode *n, const char *what, bool *out, struct diags *d)
{
	static const char *const words[2][11] = {
		{ "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF" },
		{ "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON" },
	};

	for (size_t i = 0; i < countof(words[0]); i++) {
		for (int b = 0; b < 2; b++) {
			if (!str_is(n->text, words[b][i]))
				continue;
			*out = b;
			return true;
		}
	}
	diags_add(d, n->pos, "%s must be true or false, found '%.*s'", what,
		SHOWN(n->text));
	return false;
}

/* Base of an integer's text, its prefix taken off. "08" and "09" are decimal, as YAML reads
 * them. */
static unsigned take_base(struct str *s)
{
	static const struct {
		struct str prefix;
		unsigned base;
	} forms[] = {
		{ { "0x", 2 }, 16 }, { { "0X", 2 }, 16 }, { { "0o", 2 }, 8 },
		{ { "0O", 2 }, 8 }, { { "0b", 2 }, 2 }, { { "0B", 2 }, 2 },
	};

	for (size_t i = 0; i < countof(forms); i++)
		if (str_skip(s, forms[i].prefix))
			return forms[i].base;
	if (s->n > 1 && s->p[0] == '0' && str_chr(*s, '8') < 0 && str_chr(*s, '9') < 0)
		return 8;
	return 10;
}

/* The form of an integer; `digits` gets the text without '_' (at most its size). */
static bool split_int(struct str s, char *digits, size_t size, bool *ret_neg, uint64_t *ret_n)
{
	struct str bare = { digits, 0 };
	unsigned base;

	*ret_neg = str_skip(&s, S("-"));
	if (!*ret_neg)
		(void)str_skip(&s, S("+"));
	if (s.n == 0 || s.p[0] < '0' || s.p[0] > '9')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '_')
			continue;
		if (bare.n == size)
			return false;
		digits[bare.n++] = s.p[i];
	}
	base = take_base(&bare);
	return num_u64(bare, base, ret_n);
}

/* An integer's sign and size; false for what is no integer. */
static bool read_int(const struct ynode *n, bool quoted, bool *ret_neg, uint64_t *ret_n)
{
	char digits[80];
	bool in_quotes = n->style == YS_SINGLE || n->style == YS_DOUBLE;

	return (n->style == YS_PLAIN || (quoted && in_quotes)) &&
		split_int(n->text, digits, sizeof(digits), ret_neg, ret_n);
}

static bool out_of_range(const struct ynode *n, const char *what, struct diags *d)
{
	diags_add(d, n->pos, "%s: '%.*s' is out of range", what, SHOWN(n->text));
	return false;
}

static bool no_int(const struct ynode *n, const char *what, const char *kind, struct diags *d)
{
	bool quoted = n->style == YS_SINGLE || n->style == YS_DOUBLE;

	diags_add(d, n->pos, "%s must be %s, found %s'%.*s'%s", what, kind,
		quoted ? "the quoted text " : "", SHOWN(n->text),
		quoted ? "\nhint: remove the quotes" : "");
	return false;
}

bool bind_int(const struct ynode *n, const char *what, bool quoted, int64_t *out, struct diags *d)
{
	uint64_t size;
	bool neg;

	if (!read_int(n, quoted, &neg, &size))
		return no_int(n, what, "an integer", d);
	if (size > (uint64_t)INT64_MAX + neg)
		return out_of_range(n, what, d);
	*out = neg && size > 0 ? -(int64_t)(size - 1) - 1 : (int64_t)size;
	return true;
}

bool bind_uint(const struct ynode *n, const char *what, uint64_t *out, struct diags *d)
{
	uint64_t size;
	bool neg;

	if (!read_int(n, false, &neg, &size) || (neg && size > 0))
		return no_int(n, what, "a non-negative integer", d);
	*out = size;
	return true;
}

bool bind_duration(const struct ynode *n, const char *what, int64_t *out, struct diags *d)
{
	int64_t sec, ns;

	if (num_i64(n->text, &sec)) {
		if (__builtin_mul_overflow(sec, (int64_t)1000000000, &ns))
			return out_of_range(n, what, d);
	} else if (!num_duration(n->text, &ns)) {
		diags_add(d, n->pos, "%s: expected a duration such as 30m or seconds, found '%.*s'",
			what, SHOWN(n->text));
		return false;
	}
	*out = ns;
	return true;
}
