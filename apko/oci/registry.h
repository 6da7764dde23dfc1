#pragma once

#include "apko/oci/ref.h"
#include "shared/base/vec.h"
#include "shared/net/http.h"

/* One repository of a registry, spoken to as the distribution specification has it (apko 4.9):
 * how it is reached, and who we are there.
 *
 * https, but where the registry is this machine or of a private network, http too if https does
 * not answer. Credentials are those docker keeps; a token is fetched when the registry asks for
 * one, from https only (from http for a registry that is reached by it), never from another
 * machine of a private network. What a registry answers is bounded and not trusted. */

struct registry {
	struct http *http; /* borrowed */
	struct arena *arena;
	struct oci_ref ref;
	const char *base; /* "https://HOST/v2/REPO" */
	bool insecure;    /* reached by http */
	bool has_login;
	struct auth_cred login; /* as docker keeps it */
	struct auth_cred cred;  /* what requests bear */
	bool has_cred;
	struct strs scopes; /* of the token */
};

/* Reaches the registry. Everything lives in the arena. */
bool registry_open(struct http *http, const struct oci_ref *ref, struct arena *a,
	struct registry *ret, struct err *err) must_check;
/* Requests with credentials, several at once; a new token is fetched where one is asked for. 3xx
 * and 4xx are results. */
bool registry_do_all(
	struct registry *r, struct http_job *jobs, size_t n, struct err *err) must_check;
bool registry_do(struct registry *r, const struct http_req *req, struct http_resp *ret,
	struct err *err) must_check;
/* The error of an answer that is not what was hoped for: what was asked, the status, and what the
 * registry says about it. */
bool registry_refused(
	const struct registry *r, const char *what, const struct http_resp *resp, struct err *err);
/* Where an upload goes on: the answer's Location against its URL. It may not lead to a machine of
 * a private network, but for the registry's own, nor from https to http. */
bool registry_location(const struct registry *r, const struct http_resp *resp, char **ret_url,
	struct err *err) must_check;
