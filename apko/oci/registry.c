#include "apko/oci/registry.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "apko/oci/challenge.h"
#include "shared/net/url.h"
#include "shared/text/jread.h"

#define MAX_TOKEN (1u << 20)
#define MAX_SCOPES 8
#define PING_NS (5 * 1000000000ll)

/* Saying what went wrong */

bool registry_refused(
	const struct registry *r, const char *what, const struct http_resp *resp, struct err *err)
{
	auto_err struct err ignored = ERR_INIT;
	auto_buf struct buf said = BUF_INIT(4096);
	struct jval *v = NULL;
	const struct jval *errors = jread(resp->error_body, "answer", r->arena, &v, &ignored)
					    ? jget(v, "errors")
					    : NULL;
	for (size_t i = 0; errors && errors->kind == JS_ARRAY && i < errors->n; i++) {
		struct str code = jget_str(errors->items[i], "code");
		struct str message = jget_str(errors->items[i], "message");
		buf_printf(&said, ": %.*s%s%.*s", STR_ARG(code), code.n && message.n ? ": " : "",
			STR_ARG(message));
	}
	for (size_t i = 0; i < said.n; i++)
		if (iscntrl((unsigned char)said.p[i]))
			said.p[i] = ' ';
	(void)err_set(err, resp->status == 401 || resp->status == 403 ? EK_TRUST : EK_NETWORK,
		"registry '%.*s': %s: status %ld%.*s", STR_ARG(r->ref.registry), what, resp->status,
		STR_ARG(buf_str(&said)));
	if (resp->status != 401 && resp->status != 403)
		return false;
	return err_hint(err, "store credentials that may write to '%.*s' with 'apko login %.*s'",
		STR_ARG(r->ref.repo), STR_ARG(r->ref.registry));
}

/* Tokens */

static void add_escaped(struct buf *b, const char *key, struct str value)
{
	buf_printf(b, "%s%s=", b->n ? "&" : "", key);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (isalnum(c) || strchr("-_.~", c))
			buf_addc(b, (char)c);
		else
			buf_printf(b, "%%%02X", c);
	}
}

static void add_scope(struct registry *r, struct str scope)
{
	if (scope.n && !strs_has(&r->scopes, scope) && r->scopes.n < MAX_SCOPES)
		strs_push(r->arena, &r->scopes, arena_str(r->arena, scope));
}

static void add_scopes(const struct registry *r, struct buf *form)
{
	for (size_t i = 0; i < r->scopes.n; i++)
		add_escaped(form, "scope", r->scopes.v[i]);
}

static bool realm_ok(const struct registry *r, struct str realm, struct err *err)
{
	struct url u, own;
	if (!url_parse(realm, r->arena, &u, err) ||
		!url_parse(str_of(r->base), r->arena, &own, err))
		return false;
	bool scheme = str_is(u.scheme, "https") || (r->insecure && str_is(u.scheme, "http"));
	if (scheme && (!url_is_private(&u) || str_eq(u.host, own.host)))
		return true;
	return err_set(err, EK_TRUST, "registry '%.*s' sends us for a token to '%s'",
		STR_ARG(r->ref.registry), url_text(&u, r->arena));
}

static bool take_token(struct registry *r, struct str json, struct err *err)
{
	struct jval *v;
	if (!jread(json, "token", r->arena, &v, err))
		return err_wrap(err, "registry '%.*s'", STR_ARG(r->ref.registry));
	struct str token = jget_str(v, "token");
	if (token.n == 0)
		token = jget_str(v, "access_token");
	if (token.n == 0)
		return err_set(
			err, EK_TRUST, "registry '%.*s' gave no token", STR_ARG(r->ref.registry));
	r->cred = (struct auth_cred){.bearer = token};
	r->has_cred = true;
	return true;
}

static bool ask_token(struct registry *r, const struct challenge *c, bool refresh, long *ret_status,
	struct err *err)
{
	static const char *const form_type[] = {
		"Content-Type: application/x-www-form-urlencoded", NULL};
	auto_buf struct buf form = BUF_INIT(64u << 10), body = BUF_INIT(MAX_TOKEN);
	struct http_req req = {.url = arena_strndup(r->arena, c->realm.p, c->realm.n),
		.to_buf = &body,
		.any_status = true,
		.anonymous = true};
	struct http_resp resp;
	add_scopes(r, &form);
	add_escaped(&form, "service", c->service);
	if (refresh) {
		add_escaped(&form, "grant_type", S("refresh_token"));
		add_escaped(&form, "client_id", S("apko"));
		add_escaped(&form, "refresh_token", r->login.identity);
		req.method = HTTP_POST;
		req.headers = form_type;
		req.body = buf_str(&form);
		req.repeatable = true;
	} else {
		bool query = str_chr(c->realm, '?') >= 0;
		req.url = arena_printf(r->arena, "%s%c%s", req.url, query ? '&' : '?', form.p);
		req.anonymous = r->login.user.n == 0 && r->login.password.n == 0;
		req.cred = req.anonymous ? NULL : &r->login;
	}
	if (!http_do(r->http, &req, r->arena, &resp, err))
		return false;
	*ret_status = resp.status;
	if (resp.status == 200)
		return take_token(r, buf_str(&body), err);
	return registry_refused(r, "asking for a token", &resp, err);
}

/* Answers a challenge: from here on requests bear credentials. */
static bool authenticate(struct registry *r, const struct http_resp *resp, struct err *err)
{
	struct challenge c;
	long status = 0;
	struct str header = http_header(resp, "www-authenticate");
	if (!challenge_parse(header, &c))
		return err_set(err, EK_TRUST,
			"registry '%.*s' asks for credentials in no known way",
			STR_ARG(r->ref.registry));
	if (c.scheme.n == 5 && strncasecmp(c.scheme.p, "Basic", 5) == 0) {
		r->cred = r->login;
		r->has_cred = r->has_login;
		return r->has_login || registry_refused(r, "authentication", resp, err);
	}
	if (r->login.bearer.n) {
		r->cred = r->login;
		r->has_cred = true;
		return true;
	}
	add_scope(r, arena_strf(r->arena, "repository:%.*s:push,pull", STR_ARG(r->ref.repo)));
	add_scope(r, c.scope);
	if (!realm_ok(r, c.realm, err))
		return false;
	if (!r->login.identity.n)
		return ask_token(r, &c, false, &status, err);
	return ask_token(r, &c, true, &status, err) ||
	       ((status == 404 || status == 405) && ask_token(r, &c, false, &status, err));
}

/* Requests */

static void bear(const struct registry *r, struct http_req *req)
{
	req->any_status = true;
	req->cred = r->has_cred ? &r->cred : NULL;
	req->anonymous = !r->has_cred;
}

/* Those that were refused once more, with new credentials. */
static bool do_again(struct registry *r, struct http_job *jobs, size_t n, struct err *err)
{
	struct http_job *again = arena_array(r->arena, struct http_job, n + 1);
	size_t m = 0;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].resp.status != 401)
			continue;
		if (m == 0 && !authenticate(r, &jobs[i].resp, err))
			return false;
		again[m] = jobs[i];
		bear(r, &again[m++].req);
	}
	if (m == 0)
		return true;
	if (!http_do_all(r->http, again, m, r->arena, err))
		return false;
	for (size_t i = 0, k = 0; i < n; i++)
		if (jobs[i].resp.status == 401)
			jobs[i].resp = again[k++].resp;
	return true;
}

bool registry_do_all(struct registry *r, struct http_job *jobs, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		bear(r, &jobs[i].req);
	return http_do_all(r->http, jobs, n, r->arena, err) && do_again(r, jobs, n, err);
}

bool registry_do(
	struct registry *r, const struct http_req *req, struct http_resp *ret, struct err *err)
{
	struct http_job job = {.req = *req};
	if (!registry_do_all(r, &job, 1, err))
		return false;
	*ret = job.resp;
	return true;
}

bool registry_location(
	const struct registry *r, const struct http_resp *resp, char **ret_url, struct err *err)
{
	struct str text = http_header(resp, "location");
	struct url from, to;
	if (!text.n)
		return err_set(err, EK_NETWORK, "registry '%.*s' does not say where to upload to",
			STR_ARG(r->ref.registry));
	if (!url_parse(str_of(resp->url), r->arena, &from, err) ||
		!url_join(&from, text, r->arena, &to, err))
		return false;
	if ((url_is_private(&to) && !str_eq(to.host, from.host)) ||
		(str_is(from.scheme, "https") && !str_is(to.scheme, "https")))
		return err_set(err, EK_TRUST, "registry '%.*s' sends an upload to '%s'",
			STR_ARG(r->ref.registry), url_text(&to, r->arena));
	*ret_url = url_text(&to, r->arena);
	return true;
}

/* Reaching it */

static bool ping(struct registry *r, struct http *http, const char *scheme, struct http_resp *resp,
	struct err *err)
{
	const struct http_req req = {
		.url = arena_printf(r->arena, "%s://%.*s/v2/", scheme, STR_ARG(r->ref.registry)),
		.any_status = true,
		.anonymous = true};
	r->base = arena_printf(r->arena, "%s%.*s", req.url, STR_ARG(r->ref.repo));
	return http_do(http, &req, r->arena, resp, err);
}

static bool may_be_insecure(const struct registry *r)
{
	auto_err struct err ignored = ERR_INIT;
	struct url u;
	if (!url_parse(str_of(arena_printf(r->arena, "http://%.*s/", STR_ARG(r->ref.registry))),
		    r->arena, &u, &ignored))
		return false;
	return url_is_private(&u) || str_is(u.host, "localhost") ||
	       str_ends(u.host, S(".localhost"));
}

static bool ping_either(struct registry *r, struct http_resp *resp, struct err *err)
{
	const struct http_opts once = {
		.user_agent = "apko/" PROJECT_VERSION, .attempts = 1, .connect_ns = PING_NS};
	if (!may_be_insecure(r))
		return ping(r, r->http, "https", resp, err);
	auto_http struct http *http = http_new(&once, err);
	auto_err struct err why = ERR_INIT;
	if (!http)
		return false;
	if (ping(r, http, "https", resp, &why))
		return true;
	r->insecure = true;
	if (ping(r, http, "http", resp, err))
		return true;
	return err_set(err, EK_NETWORK, "neither https nor http: %s; %s", why.msg, err->msg);
}

bool registry_open(struct http *http, const struct oci_ref *ref, struct arena *a,
	struct registry *ret, struct err *err)
{
	struct registry r = {.http = http, .arena = a, .ref = *ref};
	struct http_resp resp;
	if (http_is_offline(http))
		return err_set(err, EK_NETWORK,
			"registry '%.*s': the network may not be used (--offline)",
			STR_ARG(ref->registry));
	if (!auth_registry(ref->registry, ref->repo, a, &r.has_login, &r.login, err) ||
		!ping_either(&r, &resp, err))
		return err_wrap(err, "registry '%.*s'", STR_ARG(ref->registry));
	if (resp.status == 401 && !authenticate(&r, &resp, err))
		return false;
	if (resp.status != 200 && resp.status != 401)
		return registry_refused(&r, "asking for its version", &resp, err);
	*ret = r;
	return true;
}
