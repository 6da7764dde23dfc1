#include "melange/config/envfile.h"

#include "shared/base/buf.h"
#include "shared/os/fd.h"
#include "shared/text/utf8.h"

#define MAX_FILE (1u << 20)

struct reader {
	struct str rest;
	struct arena *a;
	struct ykvs *out;
	const char *file;
	int line;
};

static bool is_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '.';
}

static bool problem(const struct reader *r, const char *what, struct err *err)
{
	struct pos at = { .file = r->file, .line = r->line };
	(void)err_at(err, at, "%s\nhint: lines are KEY=VALUE", what);
	err->kind = EK_SOURCE;
	return false;
}

/* The name is broken off by something other than '=' or ':'. */
static bool unexpected(const struct reader *r, struct str line, struct err *err)
{
	uint32_t cp;
	struct pos at = { r->file, r->line, 1 };
	for (struct str s = line; s.n && s.p < r->rest.p; at.col++) {
		size_t n = utf8_decode(s, &cp);
		s = str_from(s, n ? n : 1);
	}
	size_t n = r->rest.n && r->rest.p[0] != '\n' ? utf8_decode(r->rest, &cp) : 0;
	(void)err_at(err, at, "unexpected character%s%.*s%s in a variable name\n"
		"hint: lines are KEY=VALUE", n ? " '" : "", (int)n, r->rest.p ? r->rest.p : "",
		n ? "'" : "");
	err->kind = EK_SOURCE;
	return false;
}

static void add_var(const struct reader *r, struct str name, struct buf *out)
{
	const struct ystr *v = ykvs_get(r->out, name);
	if (v)
		buf_addstr(out, v->s);
}

/* $NAME and ${NAME}, NAME of A-Z, 0-9 and '_'; "\$" is a dollar; "$(" stays. */
static struct str expand(const struct reader *r, struct str in)
{
	auto_buf struct buf out = BUF_INIT(MAX_FILE);
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\\' && i + 1 < in.n && in.p[i + 1] == '$') {
			buf_addc(&out, '$');
			i++;
			continue;
		}
		bool braced = in.p[i] == '$' && i + 1 < in.n && in.p[i + 1] == '{';
		size_t start = i + 1 + braced, end = start;
		while (in.p[i] == '$' && end < in.n && ((in.p[end] >= 'A' && in.p[end] <= 'Z') ||
				(in.p[end] >= '0' && in.p[end] <= '9') || in.p[end] == '_'))
			end++;
		bool closed = !braced || (end < in.n && in.p[end] == '}');
		if (in.p[i] != '$' || end == start || !closed) {
			buf_addc(&out, in.p[i]);
			continue;
		}
		add_var(r, str_sub(in, start, end - start), &out);
		i = end - 1 + braced;
	}
	return arena_str(r->a, buf_str(&out));
}

static struct str unescape(const struct reader *r, struct str in)
{
	auto_buf struct buf out = BUF_INIT(MAX_FILE);
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '\\' && i + 1 < in.n && in.p[i + 1] != '$') {
			c = in.p[++i];
			c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		}
		buf_addc(&out, c);
	}
	return arena_str(r->a, buf_str(&out));
}

/* A quoted value may span lines; `rest` starts at the quote. */
static bool quoted(struct reader *r, struct str *ret, struct err *err)
{
	char quote = r->rest.p[0];
	size_t i = 1;
	while (i < r->rest.n && r->rest.p[i] != quote)
		i += quote == '"' && r->rest.p[i] == '\\' && i + 1 < r->rest.n ? 2 : 1;
	if (i >= r->rest.n)
		return problem(r, "the quoted value is not closed", err);
	struct str text = str_sub(r->rest, 1, i - 1);
	*ret = quote == '\'' ? text : expand(r, unescape(r, text));
	for (size_t k = 0; k < i; k++)
		r->line += r->rest.p[k] == '\n';
	r->rest = str_from(r->rest, i + 1);
	struct str line;
	(void)str_cut(r->rest, '\n', &line, &r->rest);
	line = str_trim(line);
	if (line.n && line.p[0] != '#')
		return problem(r, "there is text behind the quoted value", err);
	return true;
}

static struct str plain(struct reader *r)
{
	struct str line;
	(void)str_cut(r->rest, '\n', &line, &r->rest);
	long comment = str_find(line, S(" #"));
	if (comment >= 0)
		line = str_sub(line, 0, (size_t)comment);
	return expand(r, str_trim(line));
}

static bool one_line(struct reader *r, struct err *err)
{
	struct str line, after;
	(void)str_cut(r->rest, '\n', &line, &after);
	struct str text = str_trim(line);
	if (text.n == 0 || text.p[0] == '#') {
		r->rest = after;
		return true;
	}
	r->rest = str_from(r->rest, (size_t)(text.p - line.p));
	if (str_skip(&r->rest, S("export ")))
		while (r->rest.n && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
			r->rest = str_from(r->rest, 1);
	size_t n = 0;
	while (n < r->rest.n && is_key(r->rest.p[n]))
		n++;
	struct str key = str_sub(r->rest, 0, n), value;
	r->rest = str_from(r->rest, n);
	while (r->rest.n && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
		r->rest = str_from(r->rest, 1);
	if (n == 0 || !(str_skip(&r->rest, S("=")) || str_skip(&r->rest, S(":"))))
		return unexpected(r, line, err);
	while (r->rest.n && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
		r->rest = str_from(r->rest, 1);
	if (r->rest.n && (r->rest.p[0] == '"' || r->rest.p[0] == '\'')) {
		if (!quoted(r, &value, err))
			return false;
	} else {
		value = plain(r);
	}
	ykvs_set(r->a, r->out, arena_str(r->a, key), (struct ystr){ arena_str(r->a, value), NULL });
	return true;
}

bool envfile_load(const char *path, struct arena *a, struct ykvs *ret, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(MAX_FILE);
	if (!file_read(path, &b, err))
		return false;
	struct reader r = { .rest = arena_str(a, buf_str(&b)), .a = a, .out = ret,
		.file = arena_strdup(a, path) };
	while (r.rest.n) {
		r.line++;
		if (!one_line(&r, err))
			return false;
	}
	return true;
}
