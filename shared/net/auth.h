#pragma once

#include <stdbool.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/net/url.h"

/* Credentials by host. No message ever holds one. */

struct auth_cred {
	struct str user, password;	/* Basic, when user or password is not empty */
	struct str bearer;		/* or a token to send as it is */
	struct str identity;		/* registries: a refresh token to trade for a bearer */
};

/* What a process sends to ordinary servers. */
struct auth {
	struct auth_entry *v;
	size_t n, cap;
};
struct auth_entry {
	struct str host;	/* lower case */
	uint16_t port;		/* 0: any */
	struct auth_cred cred;
};

/* Reads HTTP_AUTH (basic:HOST:USER:PASS, or basic:HOST:PORT:USER:PASS where the part behind the
 * host is a port number and two more parts follow; the last part may hold colons; IPv6 hosts in
 * brackets) and the netrc file ($NETRC, else ~/.netrc; a file that is absent is no error). netrc's
 * `default` is not used: it would send a password to every server. */
bool auth_load(struct auth *auth, struct arena *a, struct err *err) must_check;
/* For tests and callers with texts of their own; `name` is for messages. */
bool auth_add_http_auth(struct auth *auth, struct str value, struct arena *a, struct err *err)
	must_check;
bool auth_add_netrc(struct auth *auth, struct str text, const char *name, struct arena *a,
	struct err *err) must_check;
/* First match: the URL's own userinfo, HTTP_AUTH, netrc. false: anonymous. */
bool auth_for(const struct auth *auth, const struct url *u, struct auth_cred *ret_cred);

/* Credentials of a registry (host[:port]) for a repository in it, as docker keeps them: the first
 * of $DOCKER_CONFIG/config.json or ~/.docker/config.json, $REGISTRY_AUTH_FILE,
 * $XDG_RUNTIME_DIR/containers/auth.json, $XDG_CONFIG_HOME (or ~/.config)/containers/auth.json
 * that exists and has some; keys registry/repo, then registry; credHelpers, credsStore, auths.
 * Then GITHUB_TOKEN for ghcr. ret_found false: anonymous. A credential program that fails, other
 * than by not knowing the registry, is an error. */
bool auth_registry(struct str registry, struct str repo, struct arena *a, bool *ret_found,
	struct auth_cred *ret_cred, struct err *err) must_check;
/* The value of an Authorization header, NULL for empty credentials. Arena memory. */
char *auth_header(const struct auth_cred *cred, struct arena *a);
