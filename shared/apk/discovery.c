#include "shared/apk/discovery.h"

#include <string.h>
#include "shared/apk/repo.h"
#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/crypto/digest.h"
#include "shared/net/http.h"
#include "shared/net/url.h"
#include "shared/os/path.h"
#include "shared/text/jread.h"

#define MAX_KEYS 64
#define MAX_NUMBER 2048 /* bytes of a modulus: 16384 bits */

const char discovery_alpine_releases[] = "https://alpinelinux.org/releases.json";

static struct str host_of(struct str url)
{
	struct str host, rest;
	long at = str_find(url, S("://"));
	if (at < 0)
		return STR_NONE;
	(void)str_cut(str_from(url, (size_t)at + 3), '/', &host, &rest);
	long user = str_rchr(host, '@');
	return user < 0 ? host : str_from(host, (size_t)user + 1);
}

struct str discovery_config_url(struct str repo, struct arena *a)
{
	while (str_chop(&repo, S("/")))
		;
	return arena_strf(a, "%.*s/apk-configuration", STR_ARG(repo));
}

bool discovery_jwks_uri(struct str json, struct str repo, struct arena *a, struct str *ret_uri,
	struct err *err)
{
	struct jval *doc;
	if (json.n > DISCOVERY_MAX_DOC)
		return err_set(err, EK_PARSE, "apk-configuration is too large");
	if (!jread(json, "apk-configuration", a, &doc, err))
		return false;
	struct str uri = jget_str(doc, "jwks_uri"), host = host_of(uri);
	for (size_t i = 0; i < uri.n; i++)
		if ((unsigned char)uri.p[i] <= ' ' || uri.p[i] == 0x7f || uri.p[i] == '\\')
			return err_set(err, EK_TRUST, "apk-configuration: bad 'jwks_uri'");
	if (!str_starts(uri, S("https://")) || !host.n || !str_eq(host, host_of(repo)))
		return err_set(err, EK_TRUST,
			"apk-configuration: 'jwks_uri' must be https and on the repository's host");
	*ret_uri = uri;
	return true;
}

static bool kid_ok(struct str kid)
{
	if (!kid.n || kid.n > 128 || kid.p[0] == '.')
		return false;
	for (size_t i = 0; i < kid.n; i++) {
		char c = kid.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '.' || c == '_' || c == '@' || c == '-'))
			return false;
	}
	return true;
}

/* Unpadded URL-safe base64 of a positive number, leading zeros taken off. */
static bool number(struct arena *a, struct str text, struct str *ret)
{
	while (str_chop(&text, S("=")))
		;
	if (!text.n || text.n > MAX_NUMBER * 4 / 3)
		return false;
	size_t n = (text.n + 3) / 4 * 4;
	char *b64 = arena_alloc(a, n + 1);
	for (size_t i = 0; i < n; i++) {
		char c = i < text.n ? text.p[i] : '=';
		b64[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	if (!base64_decode_any(a, str_n(b64, n), ret))
		return false;
	while (ret->n && !ret->p[0])
		*ret = str_from(*ret, 1);
	return ret->n > 0;
}

/* DER: tag, length, content. */
static void der(struct buf *out, unsigned char tag, struct str content)
{
	buf_addc(out, (char)tag);
	if (content.n < 0x80) {
		buf_addc(out, (char)content.n);
	} else if (content.n < 0x100) {
		buf_addc(out, (char)0x81);
		buf_addc(out, (char)content.n);
	} else {
		buf_addc(out, (char)0x82);
		buf_addc(out, (char)(content.n >> 8));
		buf_addc(out, (char)content.n);
	}
	buf_addstr(out, content);
}

static void der_integer(struct buf *out, struct str n)
{
	auto_buf struct buf value = BUF_INIT(MAX_NUMBER + 1);
	if ((unsigned char)n.p[0] & 0x80)
		buf_addc(&value, 0);
	buf_addstr(&value, n);
	der(out, 0x02, buf_str(&value));
}

/* SubjectPublicKeyInfo of an RSA key (RFC 8017, RFC 5280). */
static void public_der(struct str n, struct str e, struct buf *out)
{
	static const char algorithm[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05";
	auto_buf struct buf numbers = BUF_INIT(BUF_NOLIMIT), key = BUF_INIT(BUF_NOLIMIT);
	auto_buf struct buf body = BUF_INIT(BUF_NOLIMIT);
	der_integer(&numbers, n);
	der_integer(&numbers, e);
	buf_addc(&key, 0);
	der(&key, 0x30, buf_str(&numbers));
	buf_add(&body, algorithm, sizeof(algorithm)); /* its NUL is the length of the NULL */
	der(&body, 0x03, buf_str(&key));
	der(out, 0x30, buf_str(&body));
}

static void public_pem(struct arena *a, struct str n, struct str e, struct buf *out)
{
	auto_buf struct buf bytes = BUF_INIT(BUF_NOLIMIT);
	public_der(n, e, &bytes);
	struct str b64 = str_of(base64_encode(a, (const uint8_t *)bytes.p, bytes.n));
	buf_adds(out, "-----BEGIN PUBLIC KEY-----\n");
	for (; b64.n; b64 = str_from(b64, 64)) {
		buf_addstr(out, str_sub(b64, 0, 64));
		buf_addc(out, '\n');
	}
	buf_adds(out, "-----END PUBLIC KEY-----\n");
}

static bool add_jwk(struct keyring *k, const struct jval *jwk, const char *name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf pem = BUF_INIT(64u << 10);
	struct str n, e, kid = jget_str(jwk, "kid");
	if (!str_is(jget_str(jwk, "kty"), "RSA"))
		return err_set(err, EK_TRUST, "%s: not an RSA key", name);
	if (!kid_ok(kid))
		return err_set(err, EK_TRUST, "%s: bad key id '%.*s'", name, STR_ARG(kid));
	if (!number(&a, jget_str(jwk, "n"), &n) || !number(&a, jget_str(jwk, "e"), &e))
		return err_set(err, EK_TRUST, "%s: bad numbers of key '%.*s'", name, STR_ARG(kid));
	public_pem(&a, n, e, &pem);
	struct str file = arena_strf(&a, "%.*s.rsa.pub", STR_ARG(kid));
	if (keyring_find(k, file))
		return err_set(err, EK_TRUST, "%s: there is a key '%.*s'", name, STR_ARG(file));
	return keyring_add(k, file, buf_str(&pem), err);
}

bool discovery_add_jwks(struct keyring *k, struct str json, const char *name, size_t *ret_n,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct jval *doc;
	if (json.n > DISCOVERY_MAX_DOC)
		return err_set(err, EK_PARSE, "%s is too large", name);
	if (!jread(json, name, &a, &doc, err))
		return false;
	const struct jval *keys = jget(doc, "keys");
	size_t added = 0, n = keys && keys->kind == JS_ARRAY ? keys->n : 0;
	for (size_t i = 0; i < n && i < MAX_KEYS; i++) {
		auto_err struct err why = ERR_INIT;
		if (add_jwk(k, keys->items[i], name, &why))
			added++;
		else
			log_debug("key passed over: %s", why.msg);
	}
	*ret_n = added;
	return true;
}

bool discovery_alpine_branch(struct str repo, struct str *ret_branch)
{
	if (!str_skip(&repo, S("https://")) && !str_skip(&repo, S("http://")))
		return false;
	long component = str_rchr(repo, '/');
	if (component < 0 || (size_t)component + 1 == repo.n)
		return false;
	struct str dir = str_sub(repo, 0, (size_t)component);
	long branch = str_rchr(dir, '/');
	if (branch < 0 || (size_t)branch + 1 == dir.n)
		return false;
	struct str top = str_sub(dir, 0, (size_t)branch);
	if (!str_chop(&top, S("/alpine")) || !top.n)
		return false;
	*ret_branch = str_from(dir, (size_t)branch + 1);
	return true;
}

static const struct jval *find_branch(const struct jval *doc, struct str branch)
{
	const struct jval *list = jget(doc, "release_branches");
	for (size_t i = 0; list && list->kind == JS_ARRAY && i < list->n; i++)
		if (str_eq(jget_str(list->items[i], "rel_branch"), branch))
			return list->items[i];
	return NULL;
}

/* The document writes the '@' of a key's name as a blank, "%20". */
static struct str mend(struct str s, struct arena *a)
{
	auto_buf struct buf out = BUF_INIT(64u << 10);
	while (s.n) {
		if (str_skip(&s, S("%20"))) {
			buf_addc(&out, '@');
			continue;
		}
		buf_addc(&out, s.p[0]);
		s = str_from(s, 1);
	}
	return arena_str(a, buf_str(&out));
}

bool discovery_alpine_keys(struct str json, struct str branch, struct str arch, struct arena *a,
	struct discovery_url **ret_urls, size_t *ret_n, struct err *err)
{
	VEC(struct discovery_url) urls = { 0 };
	struct jval *doc;
	if (!jread(json, discovery_alpine_releases, a, &doc, err))
		return false;
	const struct jval *b = find_branch(doc, branch);
	const struct jval *keys = b ? jget(b, "keys") : NULL;
	char *arch_key = arena_strndup(a, arch.p, arch.n);
	const struct jval *list = keys ? jget(keys, arch_key) : NULL;
	for (size_t i = 0; list && list->kind == JS_ARRAY && i < list->n && i < MAX_KEYS; i++) {
		struct str url = mend(jget_str(list->items[i], "url"), a);
		struct str name = path_base(url);
		if (jget_str(list->items[i], "deprecated_since").n ||
			!str_starts(url, S("https://")) || !path_is_safe(name))
			continue;
		vec_push(a, &urls, (struct discovery_url){ url, name });
	}
	if (!urls.n)
		return err_set(err, EK_TRUST, "no keys for branch '%.*s' and architecture '%.*s' "
					      "in '%s'",
			STR_ARG(branch), STR_ARG(arch), discovery_alpine_releases);
	*ret_urls = urls.v;
	*ret_n = urls.n;
	return true;
}

/* A document of at most DISCOVERY_MAX_DOC bytes. Followed to another host, a key set would no
 * longer be of the repository's. */
static bool get(struct http *http, struct str url, bool stay, struct arena *a, struct buf *out,
	struct err *err)
{
	struct http_resp resp;
	struct http_req req = { .method = HTTP_GET, .url = arena_strndup(a, url.p, url.n),
		.to_buf = out, .max_bytes = DISCOVERY_MAX_DOC, .no_redirect = stay };
	if (!http_do(http, &req, a, &resp, err))
		return false;
	return resp.status == 200 ||
	       err_set(err, EK_NETWORK, "%s: unexpected status code %ld", resp.url, resp.status);
}

static bool announced(struct http *http, struct str repo, struct keyring *k, struct arena *a,
	struct err *err)
{
	auto_buf struct buf config = BUF_INIT(DISCOVERY_MAX_DOC);
	auto_buf struct buf set = BUF_INIT(DISCOVERY_MAX_DOC);
	struct str uri;
	size_t n = 0;
	if (!get(http, discovery_config_url(repo, a), false, a, &config, err) ||
		!discovery_jwks_uri(buf_str(&config), repo, a, &uri, err) ||
		!get(http, uri, true, a, &set, err) ||
		!discovery_add_jwks(k, buf_str(&set), url_redact(uri, a), &n, err))
		return false;
	for (size_t i = k->n - n; i < k->n; i++)
		k->v[i].url = arena_strf(k->arena, "%s/%.*s", url_redact(repo, a),
			STR_ARG(k->v[i].name));
	log_debug("%zu keys announced by %s", n, url_redact(repo, a));
	return true;
}

static bool alpine(struct http *http, struct str branch, struct str arch, struct keyring *k,
	struct arena *a, struct err *err)
{
	auto_buf struct buf doc = BUF_INIT(DISCOVERY_MAX_DOC);
	struct discovery_url *urls;
	size_t n;
	if (!get(http, str_of(discovery_alpine_releases), false, a, &doc, err) ||
		!discovery_alpine_keys(buf_str(&doc), branch, arch, a, &urls, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf pem = BUF_INIT(DISCOVERY_MAX_DOC);
		if (keyring_find(k, urls[i].name))
			continue;
		if (!get(http, urls[i].url, false, a, &pem, err) ||
			!keyring_add(k, urls[i].name, buf_str(&pem), err))
			return false;
		k->v[k->n - 1].url = arena_str(k->arena, urls[i].url);
	}
	return true;
}

/* An index that a line names lies in the directory of its architecture. */
static struct str repository_of(struct str url)
{
	int up = repo_is_index(url) ? 2 : 0;
	while (up-- && !str_ends(path_dir(url), S("/"))) /* else it is the host */
		url = path_dir(url);
	return url;
}

bool discovery_fetch(struct http *http, const struct strs *repos, struct str arch,
	struct keyring *k, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < repos->n; i++) {
		auto_err struct err why = ERR_INIT;
		struct repo_line l;
		struct str branch;
		if (!repo_line_parse(repos->v[i], &l, err))
			return false;
		if (l.is_local || http_is_offline(http))
			continue;
		l.url = repository_of(l.url);
		if (discovery_alpine_branch(l.url, &branch)) {
			if (!alpine(http, branch, arch, k, &a, err))
				return err_wrap(err, "keys of %s", url_redact(l.url, &a));
		} else if (!announced(http, l.url, k, &a, &why)) {
			log_debug("no keys announced by %s: %s", url_redact(l.url, &a), why.msg);
		}
	}
	return true;
}
