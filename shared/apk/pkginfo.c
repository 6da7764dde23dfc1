#include "shared/apk/pkginfo.h"

#include <string.h>
#include "shared/base/map.h"
#include "shared/base/num.h"
#include "shared/base/vec.h"
#include "shared/crypto/digest.h"

#define MAX_PKGINFO (8u << 20)

enum type { T_STR, T_WORD, T_LIST, T_U64, T_TIME, T_PRIORITY };

static const struct field {
	const char *key;
	enum type type;
	size_t offset;
} fields[] = {
	{ "pkgname", T_WORD, offsetof(struct apk_pkg, name) },
	{ "pkgver", T_WORD, offsetof(struct apk_pkg, version) },
	{ "arch", T_WORD, offsetof(struct apk_pkg, arch) },
	{ "pkgdesc", T_STR, offsetof(struct apk_pkg, desc) },
	{ "url", T_STR, offsetof(struct apk_pkg, url) },
	{ "license", T_STR, offsetof(struct apk_pkg, license) },
	{ "origin", T_STR, offsetof(struct apk_pkg, origin) },
	{ "maintainer", T_STR, offsetof(struct apk_pkg, maintainer) },
	{ "commit", T_STR, offsetof(struct apk_pkg, commit) },
	{ "datahash", T_STR, offsetof(struct apk_pkg, datahash) },
	{ "depend", T_LIST, offsetof(struct apk_pkg, depends) },
	{ "provides", T_LIST, offsetof(struct apk_pkg, provides) },
	{ "replaces", T_LIST, offsetof(struct apk_pkg, replaces) },
	{ "install_if", T_LIST, offsetof(struct apk_pkg, install_if) },
	{ "triggers", T_LIST, offsetof(struct apk_pkg, triggers) },
	{ "size", T_U64, offsetof(struct apk_pkg, installed_size) },
	{ "builddate", T_TIME, offsetof(struct apk_pkg, build_time) },
	{ "provider_priority", T_PRIORITY, offsetof(struct apk_pkg, provider_priority) },
	{ "replaces_priority", T_PRIORITY, offsetof(struct apk_pkg, replaces_priority) },
};

struct parse {
	const char *name;
	struct arena *a;
	struct apk_pkg pkg;
	struct strs lists[countof(fields)];
	struct err *err;
};

static const struct field *find_field(struct str key)
{
	for (size_t i = 0; i < countof(fields); i++)
		if (str_is(key, fields[i].key))
			return &fields[i];
	return NULL;
}

static bool bad_value(const struct parse *p, const struct field *f, struct str value)
{
	return err_set(p->err, EK_PARSE, "%s: bad value '%.*s' of '%s'", p->name, STR_ARG(value),
		f->key);
}

static bool parse_time(struct str value, int64_t *ret)
{
	return value.n && value.p[0] != '+' && num_i64(value, ret);
}

static bool parse_priority(struct str value, int64_t *ret)
{
	uint64_t n;
	if (!num_u64(value, 10, &n) || n > INT64_MAX)
		return false;
	*ret = (int64_t)n;
	return true;
}

/* Fit for a file name and a line of an index: no blank, '/' or control character. */
static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/' || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool set_field(struct parse *p, const struct field *f, struct str value)
{
	void *at = (char *)&p->pkg + f->offset;
	struct str *s = at;
	struct str rest = value, word;
	bool ok = true;
	switch (f->type) {
	case T_WORD:
		ok = is_word(value);
		*s = value;
		break;
	case T_STR:
		if (s != &p->pkg.license || !s->n)
			*s = value;
		break;
	case T_LIST:
		while (str_word(&rest, &word))
			strs_push(p->a, &p->lists[f - fields], word);
		break;
	case T_U64:
		ok = num_u64(value, 10, at);
		break;
	case T_TIME:
		ok = parse_time(value, at);
		break;
	case T_PRIORITY:
		ok = parse_priority(value, at);
		break;
	}
	return ok ? true : bad_value(p, f, value);
}

static bool parse_line(struct parse *p, struct str line)
{
	if (str_starts(line, S("#")))
		return true;
	long sep = str_find(line, S(" = "));
	if (sep < 0)
		return true;
	struct str value = str_trim(str_from(line, (size_t)sep + 3));
	for (size_t i = 0; i < value.n; i++)
		if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return err_set(p->err, EK_PARSE, "%s: control character in '%.*s'",
				p->name, (int)sep, line.p);
	const struct field *f = find_field(str_sub(line, 0, (size_t)sep));
	return f ? set_field(p, f, value) : true;
}

/* Items joined by blanks, equal ones once. */
static struct str join(const struct strs *list, struct arena *a)
{
	auto_map struct map seen;
	map_init(&seen, a);
	size_t total = 0;
	for (size_t i = 0; i < list->n; i++)
		total += list->v[i].n + 1;
	if (!total)
		return STR_NONE;
	char *out = arena_alloc(a, total);
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++) {
		struct str item = list->v[i];
		if (map_put(&seen, item, &seen))
			continue;
		if (n)
			out[n++] = ' ';
		memcpy(out + n, item.p, item.n);
		n += item.n;
	}
	return str_n(out, n);
}

static bool check(const struct parse *p)
{
	const struct apk_pkg *pkg = &p->pkg;
	uint8_t md[SHA256_SIZE];
	if (!apk_name_ok(pkg->name))
		return err_set(p->err, EK_PARSE, "%s: '%.*s' is not a package name", p->name,
			STR_ARG(pkg->name));
	if (!pkg->version.n)
		return err_set(p->err, EK_PARSE, "%s: no 'pkgver'", p->name);
	if (pkg->datahash.n && !hex_decode(pkg->datahash, md, sizeof(md)))
		return err_set(p->err, EK_PARSE, "%s: malformed datahash '%.*s'", p->name,
			STR_ARG(pkg->datahash));
	return true;
}

bool pkginfo_parse(struct str text, const char *name, struct arena *a, struct apk_pkg *ret,
	struct err *err)
{
	struct parse p = { .name = name, .a = a, .err = err };
	if (text.n > MAX_PKGINFO)
		return err_set(err, EK_PARSE, "%s: size limit exceeded: limit is %u bytes", name,
			MAX_PKGINFO);
	/* the fields are to outlive the caller's text */
	struct str rest = arena_str(a, text), line;
	while (str_next(&rest, '\n', &line))
		if (!parse_line(&p, line))
			return false;
	for (size_t i = 0; i < countof(fields); i++)
		if (fields[i].type == T_LIST)
			*(struct str *)((char *)&p.pkg + fields[i].offset) = join(&p.lists[i], a);
	if (!check(&p))
		return false;
	*ret = p.pkg;
	return true;
}

/* A value with each run of control characters folded to one blank, none at the ends. */
static void add_value(struct buf *out, struct str value)
{
	bool gap = false, any = false;
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (c < ' ' || c == 0x7f) {
			gap = true;
			continue;
		}
		if (gap && any)
			buf_addc(out, ' ');
		gap = false;
		any = true;
		buf_addc(out, (char)c);
	}
}

static void add_line(struct buf *out, const char *key, struct str value)
{
	buf_adds(out, key);
	buf_adds(out, " = ");
	add_value(out, value);
	buf_addc(out, '\n');
}

static void add_list(struct buf *out, const char *key, struct str list, const struct strs *items)
{
	struct str item;
	for (size_t i = 0; items && i < items->n; i++)
		add_line(out, key, items->v[i]);
	while (!items && str_word(&list, &item))
		add_line(out, key, item);
}

static void add_licenses(struct buf *out, struct str list)
{
	while (list.n) {
		struct str item, rest;
		(void)str_cut(list, '\n', &item, &rest);
		add_line(out, "license", item);
		list = rest;
	}
}

static void add_triggers(struct buf *out, struct str list)
{
	struct str item;
	if (!list.n)
		return;
	buf_adds(out, "triggers = ");
	while (str_word(&list, &item)) {
		add_value(out, item);
		buf_addc(out, ' ');
	}
	buf_addc(out, '\n');
}

void pkginfo_write(const struct apk_pkg *p, const struct pkginfo_extra *x, struct buf *out)
{
	buf_adds(out, "# Generated by melange\n");
	add_line(out, "pkgname", p->name);
	add_line(out, "pkgver", p->version);
	add_line(out, "arch", p->arch);
	buf_printf(out, "size = %llu\n", (unsigned long long)p->installed_size);
	add_line(out, "origin", p->origin);
	add_line(out, "pkgdesc", p->desc);
	add_line(out, "url", p->url);
	add_line(out, "commit", p->commit);
	if (x->namespace_.n)
		add_line(out, "maintainer", x->namespace_);
	if (p->build_time)
		buf_printf(out, "builddate = %lld\n", (long long)p->build_time);
	add_licenses(out, x->licenses);
	add_list(out, "depend", p->depends, x->depends);
	add_list(out, "provides", p->provides, x->provides);
	add_list(out, "replaces", p->replaces, x->replaces);
	add_list(out, "# vendored", x->vendored, NULL);
	if (x->provider_priority)
		add_line(out, "provider_priority", *x->provider_priority);
	if (x->replaces_priority)
		add_line(out, "replaces_priority", *x->replaces_priority);
	add_triggers(out, p->triggers);
	add_line(out, "datahash", p->datahash);
}
