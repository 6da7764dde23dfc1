#include "melange/query/gofmt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/text/utf8.h"

#define MAX_WIDTH 10000
#define MAX_OUT ((size_t)64 << 20)

/* One directive of a format; width and precision are -1 when not given. */
struct verb {
	char c;
	bool left, zero;
	long width, precision;
};
static const struct verb verb_v = { .c = 'v', .width = -1, .precision = -1 };

static void format(struct gval v, const struct verb *verb, bool nested, struct buf *out,
	struct arena *a);

/* Texts */

static bool printable(uint32_t cp)
{
	static const struct {
		uint32_t from, to;
	} hidden[] = {
		{ 0, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x1680, 0x1680 }, { 0x180e, 0x180e },
		{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 },
		{ 0xd800, 0xf8ff }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
		{ 0xe0000, 0x10ffff },
	};
	for (size_t i = 0; i < countof(hidden); i++)
		if (cp >= hidden[i].from && cp <= hidden[i].to)
			return false;
	return true;
}

static void quote_char(struct buf *out, struct str s, size_t n, uint32_t cp)
{
	static const char special[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	const char *known = n == 1 && s.p[0] ? strchr(special, s.p[0]) : NULL;
	if (n == 0)
		buf_printf(out, "\\x%02x", (unsigned char)s.p[0]);
	else if (known)
		buf_printf(out, "\\%c", letters[known - special]);
	else if (printable(cp))
		buf_add(out, s.p, n);
	else if (cp < 0x80)
		buf_printf(out, "\\x%02" PRIx32, cp);
	else
		buf_printf(out, cp < 0x10000 ? "\\u%04" PRIx32 : "\\U%08" PRIx32, cp);
}

static void quote(struct str s, struct buf *out)
{
	buf_addc(out, '"');
	while (s.n) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s, &cp);
		quote_char(out, s, n, cp);
		s = str_from(s, n ? n : 1);
	}
	buf_addc(out, '"');
}

/* Width counts characters, not bytes. */
static size_t characters(struct str s)
{
	size_t n = 0;
	for (uint32_t cp; s.n; n++) {
		size_t used = utf8_decode(s, &cp);
		s = str_from(s, used ? used : 1);
	}
	return n;
}

static void pad(struct str s, const struct verb *verb, struct buf *out)
{
	size_t have = characters(s);
	size_t n = verb->width > 0 && (size_t)verb->width > have ? (size_t)verb->width - have : 0;
	for (size_t i = 0; !verb->left && i < n; i++)
		buf_addc(out, verb->zero ? '0' : ' ');
	buf_addstr(out, s);
	for (size_t i = 0; verb->left && i < n; i++)
		buf_addc(out, ' ');
}

static void format_text(struct str s, const struct verb *verb, struct buf *out)
{
	size_t cut = 0;
	uint32_t cp;
	for (long i = 0; verb->precision >= 0 && i < verb->precision && cut < s.n; i++) {
		size_t n = utf8_decode(str_from(s, cut), &cp);
		cut += n ? n : 1;
	}
	if (verb->precision >= 0)
		s = str_sub(s, 0, cut);
	if (verb->c != 'q') {
		pad(s, verb, out);
		return;
	}
	auto_buf struct buf b = BUF_INIT(MAX_OUT);
	quote(s, &b);
	pad(buf_str(&b), verb, out);
}

/* Numbers */

/* time.Duration's text: "1h0m0s", "1.5s", "20ms". */
static void duration(int64_t ns, struct buf *out)
{
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	static const struct {
		uint64_t ns;
		const char *unit;
	} small[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "\u00b5s" }, { 1, "ns" } };
	buf_adds(out, ns < 0 ? "-" : "");
	if (u == 0) {
		buf_adds(out, "0s");
		return;
	}
	size_t unit = 0;
	while (u < small[unit].ns)
		unit++;
	if (unit == 0) {
		uint64_t minutes = u / 60000000000u;
		if (minutes >= 60)
			buf_printf(out, "%" PRIu64 "h", minutes / 60);
		if (minutes)
			buf_printf(out, "%" PRIu64 "m", minutes % 60);
		u %= 60000000000u;
	}
	buf_printf(out, "%" PRIu64, u / small[unit].ns);
	uint64_t rest = u % small[unit].ns;
	if (rest) {
		char digits[24];
		int width = unit == 0 ? 9 : unit == 1 ? 6 : 3;
		int n = snprintf(digits, sizeof(digits), "%0*" PRIu64, width, rest);
		while (n > 0 && digits[n - 1] == '0')
			n--;
		buf_printf(out, ".%.*s", n, digits);
	}
	buf_adds(out, small[unit].unit);
}

/* What Go prints for a value that its verb is not made for. */
static void misfit(struct gval v, const struct verb *verb, struct buf *out, struct arena *a)
{
	if (v.kind == GV_NONE || v.kind == GV_NIL) {
		buf_printf(out, "%%!%c(<nil>)", verb->c);
		return;
	}
	buf_printf(out, "%%!%c(%s=", verb->c, gval_type(v, a));
	format(v, &verb_v, true, out, a);
	buf_addc(out, ')');
}

static void format_number(struct gval v, const struct verb *verb, struct buf *out)
{
	auto_buf struct buf b = BUF_INIT(256);
	if (v.kind == GV_DURATION && verb->c != 'd')
		duration(v.i, &b);
	else if (v.kind == GV_UINT)
		buf_printf(&b, "%" PRIu64, v.u);
	else
		buf_printf(&b, "%" PRId64, v.i);
	struct str s = buf_str(&b);
	if (verb->zero && s.n && s.p[0] == '-' && !verb->left) {
		struct verb rest = *verb;
		buf_addc(out, '-');
		rest.width--;
		pad(str_from(s, 1), &rest, out);
	} else {
		pad(s, verb, out);
	}
}

/* Everything else */

static void format_struct(struct gval v, const struct verb *verb, bool nested, struct buf *out,
	struct arena *a)
{
	size_t next = 0;
	bool first = true;
	if (!v.p) {
		buf_adds(out, verb->c == 'v' || verb->c == 's' ? "<nil>" : "%!");
		return;
	}
	buf_adds(out, v.pointer && nested ? "&{" : "{");
	for (struct gfield f; (f = gval_field_at(v, &next, a)).name[0]; first = false) {
		buf_adds(out, first ? "" : " ");
		format(f.val, verb, true, out, a);
	}
	buf_addc(out, '}');
}

static void format_items(struct gval v, const struct verb *verb, struct buf *out, struct arena *a)
{
	size_t n = 0;
	struct strs keys = gval_keys(v, a);
	(void)gval_len(v, &n);
	buf_adds(out, v.kind == GV_KVS || v.kind == GV_MAP ? "map[" : "[");
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, i ? " " : "");
		if (keys.n) {
			format(gval_str(keys.v[i]), verb, true, out, a);
			buf_addc(out, ':');
		}
		format(keys.n ? gval_get(v, keys.v[i]) : gval_item(v, i), verb, true, out, a);
	}
	buf_addc(out, ']');
}

static void format(struct gval v, const struct verb *verb, bool nested, struct buf *out,
	struct arena *a)
{
	bool plain = verb->c == 'v';
	switch (v.kind) {
	case GV_NONE:
	case GV_NIL:
		plain ? buf_adds(out, "<nil>") : misfit(v, verb, out, a);
		return;
	case GV_BOOL:
		plain || verb->c == 't' ? pad(v.b ? S("true") : S("false"), verb, out)
					: misfit(v, verb, out, a);
		return;
	case GV_INT:
	case GV_UINT:
		plain || verb->c == 'd' ? format_number(v, verb, out) : misfit(v, verb, out, a);
		return;
	case GV_DURATION:
		plain || verb->c == 'd' || verb->c == 's' ? format_number(v, verb, out)
							  : misfit(v, verb, out, a);
		return;
	case GV_STR:
		plain || verb->c == 's' || verb->c == 'q' ? format_text(v.s, verb, out)
							  : misfit(v, verb, out, a);
		return;
	case GV_STRUCT:
		format_struct(v, verb, nested, out, a);
		return;
	case GV_STRS:
	case GV_KVS:
	case GV_LIST:
	case GV_MAP:
		format_items(v, verb, out, a);
		return;
	}
}

void gofmt_value(struct gval v, struct buf *out, struct arena *a)
{
	if (v.kind == GV_NONE)
		buf_adds(out, "<no value>");
	else
		format(v, &verb_v, false, out, a);
}

void gofmt_print(const struct gval *args, size_t n, bool line, struct buf *out, struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		if (i && (line || (args[i].kind != GV_STR && args[i - 1].kind != GV_STR)))
			buf_addc(out, ' ');
		format(args[i], &verb_v, true, out, a);
	}
	buf_adds(out, line ? "\n" : "");
}

static long digits(struct str *f)
{
	long n = -1;
	while (f->n && f->p[0] >= '0' && f->p[0] <= '9') {
		n = (n < 0 ? 0 : n) * 10 + (f->p[0] - '0');
		n = n > MAX_WIDTH ? MAX_WIDTH : n;
		*f = str_from(*f, 1);
	}
	return n;
}

/* What stands between '%' and the verb, and the verb. */
static struct verb directive(struct str *f)
{
	struct verb v = { .c = '\0', .width = -1, .precision = -1 };
	while (f->n && (f->p[0] == '-' || f->p[0] == '0')) {
		v.left = v.left || f->p[0] == '-';
		v.zero = v.zero || f->p[0] == '0';
		*f = str_from(*f, 1);
	}
	v.zero = v.zero && !v.left;
	v.width = digits(f);
	if (f->n && f->p[0] == '.') {
		*f = str_from(*f, 1);
		v.precision = digits(f);
		v.precision = v.precision < 0 ? 0 : v.precision;
	}
	if (f->n) {
		v.c = f->p[0];
		*f = str_from(*f, 1);
	}
	return v;
}

static void extra(const struct gval *args, size_t n, struct buf *out, struct arena *a)
{
	buf_adds(out, "%!(EXTRA ");
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s=", i ? ", " : "", gval_type(args[i], a));
		format(args[i], &verb_v, true, out, a);
	}
	buf_addc(out, ')');
}

void gofmt_printf(struct str f, const struct gval *args, size_t n, struct buf *out, struct arena *a)
{
	size_t used = 0;
	while (f.n) {
		long at = str_chr(f, '%');
		buf_addstr(out, str_sub(f, 0, at < 0 ? f.n : (size_t)at));
		if (at < 0)
			break;
		f = str_from(f, (size_t)at + 1);
		struct verb verb = directive(&f);
		if (verb.c == '\0')
			buf_adds(out, "%!(NOVERB)");
		else if (verb.c == '%')
			buf_addc(out, '%');
		else if (used == n)
			buf_printf(out, "%%!%c(MISSING)", verb.c);
		else if (strchr("vsdqt", verb.c))
			format(args[used++], &verb, true, out, a);
		else
			misfit(args[used++], &verb, out, a);
	}
	if (used < n)
		extra(args + used, n - used, out, a);
}
