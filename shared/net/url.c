#include "shared/net/url.h"

#include <arpa/inet.h>
#include <string.h>
#include "shared/base/buf.h"
#include "shared/base/num.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static struct str lower_str(struct arena *a, struct str s)
{
	char *p = arena_strndup(a, s.p, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = lower(p[i]);
	return str_n(p, s.n);
}

static bool only_of(struct str s, const char *chars)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(chars, s.p[i]))
			return false;
	return s.n > 0;
}

static bool fail(struct str text, const char *why, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;

	return err_set(err, EK_PARSE, "'%s' is not a usable URL: %s",
		url_redact(str_sub(text, 0, 200), &scratch), why);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
		lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

/* false for a broken escape or one that makes a control character. */
static bool decode(struct arena *a, struct str s, struct str *ret)
{
	char *p = arena_strndup(a, s.p, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int c = (unsigned char)s.p[i];

		if (c == '%') {
			int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
			int lo = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = hi << 4 | lo;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return false;
		p[n++] = (char)c;
	}
	p[n] = '\0';
	*ret = str_n(p, n);
	return true;
}

static const char *check_chars(struct str text)
{
	if (text.n > URL_MAX)
		return "it is too long";
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f || text.p[i] == '\\')
			return "blanks, backslashes and characters other than ASCII must be escaped";
	return NULL;
}

static const char *parse_userinfo(struct str s, struct arena *a, struct url *u)
{
	struct str user, password;

	(void)str_cut(s, ':', &user, &password);
	u->has_user = true;
	if (!decode(a, user, &u->user) || !decode(a, password, &u->password))
		return "its userinfo is malformed";
	return NULL;
}

static bool is_ipv6(struct str host)
{
	struct in6_addr addr;
	char text[64];

	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

static const char *parse_host(struct str s, struct arena *a, struct url *u)
{
	struct str host, port = STR_NONE;
	uint64_t n;

	if (str_starts(s, S("["))) {
		if (!str_cut(str_from(s, 1), ']', &host, &port) || !is_ipv6(host) ||
			(port.n > 0 && !str_skip(&port, S(":"))))
			return "its IPv6 address is malformed";
	} else {
		(void)str_cut(s, ':', &host, &port);
		if (host.n > 253 || !only_of(host, "abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") || host.p[0] == '-')
			return "its host is malformed";
	}
	if (port.n > 0) {
		if (!num_u64(port, 10, &n) || n == 0 || n > UINT16_MAX)
			return "its port is not a number from 1 to 65535";
		u->port = (uint16_t)n;
	}
	u->host = lower_str(a, host);
	return NULL;
}

static const char *parse_scheme(struct str s, struct arena *a, struct url *u)
{
	u->scheme = lower_str(a, s);
	if (s.n > 32 || !only_of(u->scheme, "abcdefghijklmnopqrstuvwxyz0123456789+.-") ||
		u->scheme.p[0] < 'a')
		return "its scheme is malformed";
	return NULL;
}

/* Path and query, behind the host. */
static void parse_rest(struct str s, struct arena *a, struct url *u)
{
	struct str path, query, fragment;

	(void)str_cut(s, '#', &s, &fragment);
	u->has_query = str_cut(s, '?', &path, &query);
	u->path = arena_str(a, path.n > 0 ? path : S("/"));
	u->query = arena_str(a, query);
}

/* The end of the authority that starts s. */
static size_t authority_end(struct str s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] != '/' && s.p[i] != '?' && s.p[i] != '#')
		i++;
	return i;
}

bool url_parse(struct str text, struct arena *a, struct url *ret_url, struct err *err)
{
	struct url u = { 0 };
	struct str rest, authority;
	const char *why = check_chars(text);
	long at = str_find(text, S("://"));
	long userinfo;

	if (why)
		return fail(text, why, err);
	if (at < 1)
		return fail(text, "it does not start with a scheme such as 'https://'", err);
	rest = str_from(text, (size_t)at + 3);
	authority = str_sub(rest, 0, authority_end(rest));
	rest = str_from(rest, authority.n);
	why = parse_scheme(str_sub(text, 0, (size_t)at), a, &u);
	userinfo = str_rchr(authority, '@');
	if (!why && userinfo >= 0) {
		why = parse_userinfo(str_sub(authority, 0, (size_t)userinfo), a, &u);
		authority = str_from(authority, (size_t)userinfo + 1);
	}
	if (!why)
		why = parse_host(authority, a, &u);
	if (why)
		return fail(text, why, err);
	parse_rest(rest, a, &u);
	*ret_url = u;
	return true;
}

char *url_authority(const struct url *u, struct arena *a)
{
	bool v6 = str_chr(u->host, ':') >= 0;
	char *host = arena_printf(a, v6 ? "[%.*s]" : "%.*s", STR_ARG(u->host));

	return u->port ? arena_printf(a, "%s:%u", host, u->port) : host;
}

char *url_origin(const struct url *u, struct arena *a)
{
	return arena_printf(a, "%.*s://%s", STR_ARG(u->scheme), url_authority(u, a));
}

char *url_text(const struct url *u, struct arena *a)
{
	return arena_printf(a, "%s%.*s%s%.*s", url_origin(u, a), STR_ARG(u->path),
		u->has_query ? "?" : "", STR_ARG(u->query));
}

uint16_t url_port(const struct url *u)
{
	if (u->port)
		return u->port;
	return str_is(u->scheme, "https") ? 443 : str_is(u->scheme, "http") ? 80 : 0;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return str_eq(a->scheme, b->scheme) && str_eq(a->host, b->host) &&
		url_port(a) == url_port(b);
}

static bool private_v4(const unsigned char *b)
{
	return b[0] == 0 || b[0] == 10 || b[0] == 127 || (b[0] == 169 && b[1] == 254) ||
		(b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
		(b[0] == 100 && (b[1] & 0xc0) == 64);
}

static bool private_v6(const unsigned char *b)
{
	static const unsigned char zero[15], mapped[12] = { [10] = 0xff, [11] = 0xff };

	return (memcmp(b, zero, 15) == 0 && b[15] <= 1) || (b[0] & 0xfe) == 0xfc ||
		(b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
		(memcmp(b, mapped, 12) == 0 && private_v4(b + 12));
}

bool url_is_private(const struct url *u)
{
	struct in6_addr v6;
	struct in_addr v4;
	char text[64];

	if (u->host.n >= sizeof(text))
		return false;
	memcpy(text, u->host.p, u->host.n);
	text[u->host.n] = '\0';
	if (inet_pton(AF_INET6, text, &v6) == 1)
		return private_v6(v6.s6_addr);
	/* inet_aton also reads the short and octal forms that resolvers take */
	return inet_aton(text, &v4) && private_v4((const unsigned char *)&v4.s_addr);
}

/* Offset of the '@' that ends the userinfo, -1 if none. A password with a bare '/' in it makes no
 * URL, but is still a password. */
static long userinfo_end(struct str rest)
{
	struct str authority = str_sub(rest, 0, authority_end(rest)), host, port;
	long at = str_rchr(authority, '@');

	if (at < 0 && str_cut(authority, ':', &host, &port) && port.n > 0 &&
		!only_of(port, "0123456789") && !str_starts(authority, S("[")))
		return str_rchr(rest, '@');
	return at;
}

char *url_redact(struct str text, struct arena *a)
{
	long at = str_find(text, S("://"));
	struct str rest;
	long userinfo;

	if (at < 0)
		return arena_strndup(a, text.p, text.n);
	rest = str_from(text, (size_t)at + 3);
	userinfo = userinfo_end(rest);
	if (userinfo < 0)
		return arena_strndup(a, text.p, text.n);
	return arena_printf(a, "%.*s://xxxxx%.*s", (int)at, text.p,
		STR_ARG(str_from(rest, (size_t)userinfo)));
}

bool url_is_remote(struct str text)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < countof(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (text.n > n && strncasecmp(text.p, schemes[i], n) == 0)
			return true;
	}
	return false;
}

/* Resolves "." and ".." of an absolute path; ".." at the root stays there. */
static struct str remove_dots(struct str path, struct arena *a)
{
	auto_buf struct buf out = BUF_INIT(URL_MAX * 2);
	struct str rest = str_from(path, 1), part;
	bool last_is_dir = false;

	while (str_next(&rest, '/', &part)) {
		last_is_dir = str_is(part, ".") || str_is(part, "..");
		if (str_is(part, "..")) {
			long at = str_rchr(buf_str(&out), '/');

			out.n = at > 0 ? (size_t)at : 0;
		} else if (!last_is_dir) {
			buf_addc(&out, '/');
			buf_addstr(&out, part);
		}
	}
	if (last_is_dir || out.n == 0)
		buf_addc(&out, '/');
	return arena_str(a, buf_str(&out));
}

/* The path of a relative reference: beside the last part of the base's. */
static struct str merge_path(const struct url *base, struct str path, struct arena *a)
{
	long at = str_rchr(base->path, '/');

	if (str_starts(path, S("/")))
		return remove_dots(path, a);
	return remove_dots(arena_strf(a, "%.*s/%.*s", (int)(at > 0 ? at : 0), base->path.p,
		STR_ARG(path)), a);
}

static bool has_scheme(struct str ref)
{
	for (size_t i = 0; i < ref.n; i++) {
		if (ref.p[i] == ':')
			return i > 0;
		if (ref.p[i] == '/' || ref.p[i] == '?' || ref.p[i] == '#')
			return false;
	}
	return false;
}

bool url_join(const struct url *base, struct str ref, struct arena *a, struct url *ret_url,
	struct err *err)
{
	struct url u = *base;
	const char *why = check_chars(ref);
	struct url rel = { 0 };
	struct str fragment;

	if (why)
		return fail(ref, why, err);
	if (has_scheme(ref))
		return url_parse(ref, a, ret_url, err);
	if (str_starts(ref, S("//")))
		return url_parse(arena_strf(a, "%.*s:%.*s", STR_ARG(base->scheme), STR_ARG(ref)), a,
			ret_url, err);
	(void)str_cut(ref, '#', &ref, &fragment);
	parse_rest(ref, a, &rel);
	if (ref.n > 0 && ref.p[0] != '?') {
		u.path = merge_path(base, rel.path, a);
		u.has_query = false;
		u.query = STR_NONE;
	}
	if (rel.has_query) {
		u.has_query = true;
		u.query = rel.query;
	}
	*ret_url = u;
	return true;
}

char *url_append(struct str base, struct str rest, struct arena *a)
{
	struct str path, query;
	bool has_query = url_is_remote(base) && str_cut(base, '?', &path, &query);

	if (!has_query) {
		path = base;
		query = STR_NONE;
	}
	while (str_chop(&path, S("/")))
		continue;
	while (str_skip(&rest, S("/")))
		continue;
	return arena_printf(a, "%.*s/%.*s%s%.*s", STR_ARG(path), STR_ARG(rest),
		has_query ? "?" : "", STR_ARG(query));
}

struct str url_last(struct str text)
{
	struct str after;
	long at = str_find(text, S("://"));

	if (at >= 0) {
		(void)str_cut(text, '#', &text, &after);
		(void)str_cut(text, '?', &text, &after);
		text = str_from(text, (size_t)at + 3);
		if (str_chr(text, '/') < 0)
			return STR_NONE;
	}
	return str_from(text, (size_t)(str_rchr(text, '/') + 1));
}
