#include "shared/net/auth.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/buf.h"
#include "shared/base/num.h"
#include "shared/base/vec.h"
#include "shared/crypto/digest.h"
#include "shared/os/fd.h"

#define MAX_NETRC ((size_t)1 << 20)

static bool is_port(struct str s, uint16_t *ret_port)
{
	uint64_t n;

	if (!num_u64(s, 10, &n) || n == 0 || n > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)n;
	return true;
}

static struct str lower_copy(struct arena *a, struct str s)
{
	char *p = arena_strndup(a, s.p, s.n);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return str_n(p, s.n);
}

/* Text that goes into a header. */
static bool is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

/* "HOST" or "[IPV6]" and the ':' behind it off `rest`. */
static bool take_host(struct str *rest, struct str *host)
{
	if (!str_starts(*rest, S("[")))
		return str_cut(*rest, ':', host, rest) && host->n > 0;
	return str_cut(str_from(*rest, 1), ']', host, rest) && host->n > 0 &&
		str_skip(rest, S(":"));
}

bool auth_add_http_auth(struct auth *auth, struct str value, struct arena *a, struct err *err)
{
	struct auth_entry e = { 0 };
	struct str host, user, pass, port, more;

	if (!str_skip(&value, S("basic:")) || !take_host(&value, &host) ||
		!str_cut(value, ':', &user, &pass) || !is_clean(value)) {
		(void)err_set(err, EK_USAGE, "HTTP_AUTH is malformed");
		return err_hint(err, "it takes the form basic:HOST:USER:PASSWORD");
	}
	/* a port and two more parts */
	if (str_cut(pass, ':', &port, &more) && is_port(user, &e.port)) {
		user = port;
		pass = more;
	}
	e.host = lower_copy(a, host);
	e.cred.user = arena_str(a, user);
	e.cred.password = arena_str(a, pass);
	vec_push(a, auth, e);
	return true;
}

/* Next netrc word: separated by blanks, "quoted" with backslash escapes. A comment runs to the
 * end of its line. */
static bool netrc_word(struct str *rest, struct arena *a, struct str *ret)
{
	struct str line;
	char *p;
	size_t n = 0, i = 1;

	while (rest->n > 0 && strchr(" \t\r\n#", rest->p[0])) {
		if (rest->p[0] == '#')
			(void)str_cut(*rest, '\n', &line, rest);
		else
			*rest = str_from(*rest, 1);
	}
	if (!str_starts(*rest, S("\"")))
		return str_word(rest, ret);
	p = arena_alloc(a, rest->n);
	for (; i < rest->n && rest->p[i] != '"'; i++) {
		if (rest->p[i] == '\\' && i + 1 < rest->n)
			i++;
		p[n++] = rest->p[i];
	}
	*rest = str_from(*rest, i + 1);
	*ret = str_n(p, n);
	return true;
}

/* A macro begins in the line behind its name and runs to the first empty one. */
static void skip_macro(struct str *rest)
{
	struct str line;

	(void)str_cut(*rest, '\n', &line, rest);
	while (rest->n > 0) {
		(void)str_cut(*rest, '\n', &line, rest);
		if (str_trim(line).n == 0)
			return;
	}
}

bool auth_add_netrc(struct auth *auth, struct str text, const char *name, struct arena *a,
	struct err *err)
{
	struct auth_entry none = { 0 }, *e = &none;
	struct str word, val;

	while (netrc_word(&text, a, &word)) {
		if (str_is(word, "default")) {
			e = &none;
			continue;
		}
		if (!netrc_word(&text, a, &val))
			return err_set(err, EK_PARSE, "'%s': nothing behind the last word", name);
		if (!is_clean(val))
			return err_set(err, EK_PARSE, "'%s': control character in a value", name);
		if (str_is(word, "machine")) {
			struct auth_entry fresh = { .host = lower_copy(a, val) };

			vec_push(a, auth, fresh);
			e = &auth->v[auth->n - 1];
		} else if (str_is(word, "login")) {
			e->cred.user = arena_str(a, val);
		} else if (str_is(word, "password")) {
			e->cred.password = arena_str(a, val);
		} else if (str_is(word, "macdef")) {
			skip_macro(&text);
		} else if (!str_is(word, "account")) {
			return err_set(err, EK_PARSE, "'%s' is not a netrc file", name);
		}
	}
	return true;
}

static bool load_netrc(struct auth *auth, struct arena *a, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_NETRC);
	const char *path = getenv("NETRC"), *home = getenv("HOME");

	if (!path || !*path)
		path = home && *home ? arena_printf(a, "%s/.netrc", home) : NULL;
	if (!path || access(path, F_OK) != 0)
		return true;
	return file_read(path, &text, err) &&
		auth_add_netrc(auth, buf_str(&text), path, a, err);
}

bool auth_load(struct auth *auth, struct arena *a, struct err *err)
{
	const char *value = getenv("HTTP_AUTH");

	if (value && *value && !auth_add_http_auth(auth, str_of(value), a, err))
		return false;
	return load_netrc(auth, a, err);
}

bool auth_for(const struct auth *auth, const struct url *u, struct auth_cred *ret_cred)
{
	if (u->has_user) {
		*ret_cred = (struct auth_cred){ .user = u->user, .password = u->password };
		return true;
	}
	for (size_t i = 0; auth && i < auth->n; i++) {
		const struct auth_entry *e = &auth->v[i];

		if (!str_eq(e->host, u->host) || (e->port != 0 && e->port != url_port(u)))
			continue;
		*ret_cred = e->cred;
		return true;
	}
	return false;
}

char *auth_header(const struct auth_cred *cred, struct arena *a)
{
	struct str pair;

	if (cred->bearer.n > 0)
		return arena_printf(a, "Bearer %.*s", STR_ARG(cred->bearer));
	if (cred->user.n == 0 && cred->password.n == 0)
		return NULL;
	pair = arena_strf(a, "%.*s:%.*s", STR_ARG(cred->user), STR_ARG(cred->password));
	return arena_printf(a, "Basic %s", base64_encode(a, (const uint8_t *)pair.p, pair.n));
}
