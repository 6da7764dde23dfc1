#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* URLs of the form scheme://[user[:password]@]host[:port][/path][?query]. Strict: printable ASCII
 * without blanks and backslashes, at most URL_MAX bytes, a host of letters, digits, '-', '_', '.'
 * or a bracketed IPv6 address, a port of 1 to 65535. A fragment is dropped. */

#define URL_MAX 8192

struct url {
	struct str scheme;	/* lower case */
	struct str user, password;	/* percent-decoded; secrets */
	bool has_user;
	struct str host;	/* lower case, IPv6 without its brackets */
	uint16_t port;		/* 0: not written */
	struct str path;	/* as written, "/" when it was empty */
	struct str query;	/* behind '?', which has_query tells */
	bool has_query;
};

/* Messages show the URL redacted. Texts are the arena's. */
bool url_parse(struct str text, struct arena *a, struct url *ret_url, struct err *err) must_check;
/* Without userinfo: what is sent, stored and shown. */
char *url_text(const struct url *u, struct arena *a);
/* "scheme://host[:port]". */
char *url_origin(const struct url *u, struct arena *a);
/* "host" or "host:port" as written, IPv6 in brackets. */
char *url_authority(const struct url *u, struct arena *a);
/* The port written, or the scheme's own (80, 443); 0 for other schemes. */
uint16_t url_port(const struct url *u);
/* Same scheme, host and effective port. */
bool url_same_origin(const struct url *a, const struct url *b);
/* The host is an IP address (not a name) of a private, loopback, link-local or unspecified
 * range. */
bool url_is_private(const struct url *u);

/* Any text for a message: userinfo becomes "xxxxx". Works on what is no URL as well. */
char *url_redact(struct str text, struct arena *a);
/* Starts with http:// or https://, in any case. */
bool url_is_remote(struct str text);
/* A reference (absolute, //host, /path, relative, ?query) against a base. Dot segments are
 * resolved and never leave the root. */
bool url_join(const struct url *base, struct str ref, struct arena *a, struct url *ret_url,
	struct err *err) must_check;
/* base + "/" + rest with exactly one '/' between, a query of the base kept behind. Plain text
 * work, for repository URLs and paths alike. */
char *url_append(struct str base, struct str rest, struct arena *a);
/* Last part of the path ("" when it ends in '/'), without query and fragment; of a plain path
 * too. */
struct str url_last(struct str text);
