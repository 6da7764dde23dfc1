#pragma once

#include "shared/apk/keyring.h"
#include "shared/base/vec.h"

/* Keys that repositories announce themselves (apk-format 5.2). First the documents, without I/O,
 * then their fetching. Every document is hostile: sizes and counts are bounded, names checked, what is not an RSA key
 * is passed over. */

#define DISCOVERY_MAX_DOC ((size_t)1 << 20)

/* "https://HOST/.../apk-configuration": where repository `repo` announces its key set. */
struct str discovery_config_url(struct str repo, struct arena *a);
/* The `jwks_uri` of that document; it must be https and of the same host as the repository.
 * EK_TRUST otherwise. */
bool discovery_jwks_uri(struct str json, struct str repo, struct arena *a, struct str *ret_uri,
	struct err *err) must_check;
/* Adds each RSA key of a key set that has a fit `kid`, as KID.rsa.pub; ret_n counts them. */
bool discovery_add_jwks(struct keyring *k, struct str json, const char *name, size_t *ret_n,
	struct err *err) must_check;

/* Whether `repo` is of the form https?://.../alpine/BRANCH/COMPONENT; gives the branch. */
bool discovery_alpine_branch(struct str repo, struct str *ret_branch);
extern const char discovery_alpine_releases[];	/* URL of the document read below */
struct discovery_url {
	struct str url, name;	/* where the key is, and its name in the keyring */
};
/* The keys in force for a branch and architecture by the releases document. None is EK_TRUST. */
bool discovery_alpine_keys(struct str json, struct str branch, struct str arch, struct arena *a,
	struct discovery_url **ret_urls, size_t *ret_n, struct err *err) must_check;

struct http;
/* Adds the keys of repositories (lines as repo.h has them) that are remote. Those of Alpine must
 * be found (offline they are not looked for); what others announce, or fail to, is only logged at
 * debug. Keys of a name that the keyring has already are left out. */
bool discovery_fetch(struct http *http, const struct strs *repos, struct str arch,
	struct keyring *k, struct err *err) must_check;
