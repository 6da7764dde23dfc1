#include "shared/apk/index_int.h"

#include <string.h>
#include "shared/base/num.h"
#include "shared/base/vec.h"

#define MAX_LINE (1u << 20)
#define MAX_PACKAGES 2000000

/* The text of an index: lines, fields, records. */

struct parse {
	struct str text;
	const char *name;	/* for messages */
	struct err *err;
	struct apk_pkg pkg;	/* the record being read */
	uint64_t seen;		/* its letters, one bit each */
	const char *record;	/* where it starts */
	size_t n;		/* records before it */
	void (*take)(void *ctx, const struct apk_pkg *p, struct str record);
	void *ctx;
};

static bool fail_at(const struct parse *p, const char *at, const char *what, struct str value)
{
	size_t line = 1;
	const char *c = p->text.p;
	while ((c = memchr(c, '\n', (size_t)(at - c)))) {
		line++;
		c++;
	}
	if (value.n > 200)
		value.n = 200;
	return err_set(p->err, EK_PARSE, "%s:%zu: %s '%.*s'", p->name, line, what, STR_ARG(value));
}

static bool number(struct str s, uint64_t *ret)
{
	uint64_t n = 0;
	if (!s.n || s.n > 19)
		return num_u64(s, 10, ret);
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)((unsigned char)s.p[i] - '0');
		if (d > 9)
			return false;
		n = n * 10 + d;
	}
	*ret = n;
	return true;
}

static bool signed_number(struct str s, bool negative_too, int64_t *ret)
{
	bool minus = negative_too && str_skip(&s, S("-"));
	uint64_t n;
	if (!number(s, &n) || n > INT64_MAX)
		return false;
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

/* Fit for a file name: no '/', blank or control character. */
static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/' || s.p[i] == 0x7f)
			return false;
	return true;
}

/* What is wrong with the value, NULL if nothing. */
static const char *set_field(struct apk_pkg *p, char letter, struct str v)
{
	switch (letter) {
	case 'C':
		return apk_q_parse(v, p->checksum, &p->checksum_n) ? NULL : "malformed checksum";
	case 'P':
		p->name = v;
		return apk_name_ok(v) ? NULL : "bad package name";
	case 'V':
		p->version = v;
		return v.n && is_word(v) ? NULL : "bad version";
	case 'A':
		p->arch = v;
		return is_word(v) ? NULL : "bad architecture";
	case 'S':
		return number(v, &p->file_size) ? NULL : "cannot parse size field";
	case 'I':
		return number(v, &p->installed_size) ? NULL : "cannot parse installed size field";
	case 't':
		return signed_number(v, true, &p->build_time) ? NULL
							      : "cannot parse build time field";
	case 'k':
		return signed_number(v, false, &p->provider_priority)
			       ? NULL
			       : "cannot parse provider priority field";
	case 'T':
		p->desc = v;
		return NULL;
	case 'U':
		p->url = v;
		return NULL;
	case 'L':
		p->license = v;
		return NULL;
	case 'o':
		p->origin = v;
		return NULL;
	case 'm':
		p->maintainer = v;
		return NULL;
	case 'c':
		p->commit = v;
		return NULL;
	case 'D':
		p->depends = v;
		return NULL;
	case 'p':
		p->provides = v;
		return NULL;
	case 'r':
		p->replaces = v;
		return NULL;
	case 'i':
		p->install_if = v;
		return NULL;
	default:
		return NULL;
	}
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool parse_line(struct parse *p, const char *line, size_t n)
{
	if (n < 2 || line[1] != ':' || !is_letter(line[0]))
		return fail_at(p, line, "cannot parse line: expected \":\" not found:",
			str_n(line, n));
	if (n > MAX_LINE)
		return fail_at(p, line, "line is too long:", str_n(line, 2));
	uint64_t bit = (uint64_t)1 << (line[0] - 'A');
	if (p->seen & bit)
		return fail_at(p, line, "repeated field", str_n(line, 1));
	if (!p->seen)
		p->record = line;
	p->seen |= bit;
	const char *wrong = set_field(&p->pkg, line[0], str_n(line + 2, n - 2));
	return wrong ? fail_at(p, line, wrong, str_n(line + 2, n - 2)) : true;
}

/* The record is complete: nothing that it must have is missing. */
static bool check_record(const struct parse *p)
{
	if (!p->pkg.name.n)
		return fail_at(p, p->record, "record without field", S("P"));
	if (!p->pkg.version.n)
		return fail_at(p, p->record, "no version of", p->pkg.name);
	if (!p->pkg.checksum_n)
		return fail_at(p, p->record, "no checksum of", p->pkg.name);
	return true;
}

static bool end_record(struct parse *p, const char *end)
{
	if (!p->seen)
		return true;
	if (!check_record(p))
		return false;
	if (p->n++ == MAX_PACKAGES)
		return fail_at(p, p->record, "too many packages at", p->pkg.name);
	p->take(p->ctx, &p->pkg, str_n(p->record, (size_t)(end - p->record)));
	memset(&p->pkg, 0, sizeof(p->pkg));
	p->seen = 0;
	return true;
}

/* CR ends no line here, and a NUL would cut texts short wherever they are used as C strings. */
static bool check_bytes(const struct parse *p)
{
	const char *at = memchr(p->text.p, '\r', p->text.n);
	if (at)
		return fail_at(p, at, "carriage return in an index: lines must end in", S("\\n"));
	at = memchr(p->text.p, '\0', p->text.n);
	return at ? fail_at(p, at, "NUL in an index", STR_NONE) : true;
}

static bool parse_text(struct parse *p)
{
	const char *at = p->text.p, *end = p->text.n ? p->text.p + p->text.n : p->text.p;
	if (p->text.n && !check_bytes(p))
		return false;
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at);
		if (n ? !parse_line(p, at, n) : !end_record(p, at))
			return false;
		at += n + (nl != NULL);
	}
	return end_record(p, at);
}

struct pkgs {
	struct apk_pkg *v;
	size_t n, cap;
	const struct apk_index *idx;
	struct arena *a;
};

static void push(void *ctx, const struct apk_pkg *p, struct str record)
{
	struct pkgs *list = ctx;
	(void)record;
	vec_push(list->a, list, *p);
	list->v[list->n - 1].order = (uint32_t)list->n - 1;
	list->v[list->n - 1].index = list->idx;
}

bool index_parse(struct str text, const char *name, struct arena *a, struct apk_index *ret,
	struct err *err)
{
	/* records of real indexes are 350 to 550 bytes; untouched room costs nothing */
	struct pkgs list = { .cap = text.n / 300 + 16, .idx = ret, .a = a };
	struct parse p = { .text = text, .name = name, .err = err, .take = push, .ctx = &list };
	list.v = arena_array(a, struct apk_pkg, list.cap);
	if (!parse_text(&p))
		return false;
	ret->pkgs = list.v;
	ret->n = list.n;
	return true;
}

static void pack_one(void *ctx, const struct apk_pkg *p, struct str record)
{
	pack_add(ctx, p, record);
}

const struct pack *index_pack_text(struct str text, struct str description, const char *name,
	struct arena *a, struct err *err)
{
	struct parse p = { .text = text, .name = name, .err = err, .take = pack_one };
	struct pack_build *b = pack_begin(text);
	p.ctx = b;
	if (parse_text(&p))
		return pack_end(b, description, a, err);
	pack_abort(b);
	return NULL;
}

void index_read_record(struct str record, struct apk_pkg *ret)
{
	struct str line;
	while (str_next(&record, '\n', &line))
		if (line.n > 1)
			(void)set_field(ret, line.p[0], str_from(line, 2));
}
