#pragma once

#include <stdint.h>
#include "shared/apk/expand.h"
#include "shared/image/imgconf.h"
#include "shared/rootfs/tree.h"

/* Certificates and keys that the description adds to an image (apko 3.2 step 7, 3.6). bde is the
 * build date that what is written here bears.
 *
 * The checks report at the place in the description and need no image, so that a bad certificate
 * is known before anything is fetched; installing checks again. */

bool certs_check(const struct imgconf_certs *certs, struct diags *diags);
bool runtime_keys_check(const struct bind_list *keys, struct diags *diags);

/* Each certificate of `additional` to usr/local/share/ca-certificates, then, with those that
 * packages of `providers` have there (unreadable ones are passed over), onto the end of the
 * bundles and into the Java trust store that exist. certs NULL: nothing. files are the installed
 * packages; a node of the tree names its package as owner. Fails with EK_PARSE for a bad
 * certificate or trust store. */
bool certs_install(struct tree *t, const struct imgconf_certs *certs, const struct apk_file *files,
	size_t n, int64_t bde, struct err *err) must_check;
/* `.NAME.sha256` beside each bundle and trust store that exists, whoever made it. */
bool certs_checksums(struct tree *t, int64_t bde, struct err *err) must_check;
/* contents.runtime_keyring (struct imgconf_key) to etc/apk/keys, written anew as PEM. A name that
 * is there already is an error. */
bool runtime_keyring(
	struct tree *t, const struct bind_list *keys, int64_t bde, struct err *err) must_check;
