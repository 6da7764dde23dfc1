#include "shared/apk/dep.h"

#include "shared/apk/pkg.h"
#include "shared/base/vec.h"

/* What a character may be part of. */
enum { OP = 1, NAME = 2, PIN = 4, VERSION = 8 };
#define GRAPHIC (NAME | VERSION)
#define WORD (NAME | VERSION | PIN)
static const uint8_t classes[256] = {
	['!'] = VERSION,
	['"' ... ','] = GRAPHIC,
	['-' ... '.'] = WORD,
	['/'] = GRAPHIC,
	['0' ... '9'] = WORD,
	[':' ... ';'] = GRAPHIC,
	['<' ... '>'] = OP | VERSION,
	['?'] = GRAPHIC,
	['A' ... 'Z'] = WORD,
	['[' ... '^'] = GRAPHIC,
	['_'] = WORD,
	['`'] = GRAPHIC,
	['a' ... 'z'] = WORD,
	['{' ... '}'] = GRAPHIC,
	['~'] = OP | VERSION,
	[0x80 ... 0xff] = GRAPHIC,
};

static struct str take(struct str *s, unsigned class)
{
	size_t n = 0;
	while (n < s->n && (classes[(unsigned char)s->p[n]] & class))
		n++;
	struct str run = str_n(s->p, n);
	*s = str_from(*s, n);
	return run;
}

static bool bad(struct str text, const char *why, struct err *err)
{
	return err_set(err, EK_PARSE, "'%.*s' is not a valid dependency: %s", STR_ARG(text), why);
}

static bool take_pin(struct str *rest, struct apk_dep *d, struct err *err)
{
	if (!rest->n || rest->p[0] != '@')
		return true;
	*rest = str_from(*rest, 1);
	if (d->pin.n)
		return bad(d->text, "two repository tags", err);
	d->pin = take(rest, PIN);
	return d->pin.n ? true : bad(d->text, "empty repository tag", err);
}

/* A run of operator characters is their union, as apk reads it. */
static bool take_op(struct str *rest, struct apk_dep *d, struct err *err)
{
	struct str run = take(rest, OP);
	for (size_t i = 0; i < run.n; i++) {
		switch (run.p[i]) {
		case '<':
			d->op |= APK_OP_LT;
			break;
		case '>':
			d->op |= APK_OP_GT;
			break;
		case '=':
			d->op |= APK_OP_EQ;
			break;
		default:
			d->op |= APK_OP_FUZZY | APK_OP_EQ;
		}
	}
	d->checksum = str_is(run, "><");
	if ((d->op & APK_OP_LT) && (d->op & APK_OP_GT) && !d->checksum)
		return bad(d->text, "unknown operator", err);
	if (run.n > 3)
		return bad(d->text, "unknown operator", err);
	return true;
}

/* ...-rDIGITS */
static bool has_revision(struct str v)
{
	size_t n = v.n;
	while (n && v.p[n - 1] >= '0' && v.p[n - 1] <= '9')
		n--;
	return n < v.n && n >= 2 && v.p[n - 1] == 'r' && v.p[n - 2] == '-';
}

static bool take_version(struct str *rest, struct apk_dep *d, bool lax, struct arena *a,
	struct err *err)
{
	struct str v = take(rest, VERSION);
	if (!v.n)
		return bad(d->text, "no version after the operator", err);
	if (d->checksum) {
		uint8_t sum[32], n;
		d->version = v;
		return apk_q_parse(v, sum, &n) ? true : bad(d->text, "bad checksum", err);
	}
	if (!lax && !apk_version_valid(v))
		return bad(d->text, "invalid version", err);
	/* A bare soname version sorts below every package version. */
	if (str_starts(d->name, S("so:")) && !has_revision(v))
		v = arena_strf(a, "0.%.*s", STR_ARG(v));
	d->version = v;
	return true;
}

static bool parse(struct str text, bool lax, struct arena *a, struct apk_dep *ret,
	struct err *err)
{
	struct apk_dep d = { .text = text };
	struct str rest = text;
	d.conflict = str_skip(&rest, S("!"));
	d.name = take(&rest, NAME);
	if (!d.name.n)
		return bad(text, "no name", err);
	if (!take_pin(&rest, &d, err) || !take_op(&rest, &d, err))
		return false;
	if (d.op && !take_version(&rest, &d, lax, a, err))
		return false;
	if (!take_pin(&rest, &d, err))
		return false;
	if (rest.n)
		return bad(text, "format is name(@tag)([<>~=]version)", err);
	*ret = d;
	return true;
}

static bool parse_list(struct str list, bool lax, struct arena *a, struct apk_deps *ret,
	struct err *err)
{
	struct apk_deps out = { 0 };
	struct str word;
	while (str_word(&list, &word)) {
		struct apk_dep d;
		if (!parse(word, lax, a, &d, err))
			return false;
		vec_push(a, &out, d);
	}
	*ret = out;
	return true;
}

bool apk_dep_parse(struct str text, struct arena *a, struct apk_dep *ret, struct err *err)
{
	return parse(text, false, a, ret, err);
}

bool apk_deps_parse(struct str list, struct arena *a, struct apk_deps *ret, struct err *err)
{
	return parse_list(list, false, a, ret, err);
}

bool apk_provide_parse(struct str text, struct arena *a, struct apk_dep *ret, struct err *err)
{
	return parse(text, true, a, ret, err);
}

bool apk_provides_parse(struct str list, struct arena *a, struct apk_deps *ret, struct err *err)
{
	return parse_list(list, true, a, ret, err);
}
