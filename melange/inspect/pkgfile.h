#pragma once

#include "shared/apk/filetree.h"
#include "shared/apk/keyring.h"
#include "shared/net/http.h"

/* A built package, named by path or http(s) URL, verified in itself and taken apart for looking at
 * what it holds. */

struct pkgfiles {
	struct arena *arena;
	struct store *store;
	struct keyring keys;	/* those that signatures must be of, where they name one */
	struct auth auth;
	struct http *http;
};
#define auto_pkgfiles cleanup_with(pkgfiles_release)
/* store_dir NULL: the user's. key_paths may be NULL. */
bool pkgfiles_init(struct pkgfiles *p, const char *store_dir, const struct strs *key_paths,
	struct arena *a, struct err *err) must_check;
void pkgfiles_release(struct pkgfiles *p);

struct pkgfile {
	struct apk_file file;
	struct tree tree;
	bool there;
};
/* EK_NOTFOUND when nothing is there. *ret is zero or closed before. */
bool pkgfile_open(struct pkgfiles *p, const char *where, struct pkgfile *ret, struct err *err)
	must_check;
void pkgfile_close(struct pkgfile *f);
/* A file of the control section; an error without it. */
bool pkgfile_control(const struct pkgfile *f, const char *name, struct str *ret, struct err *err)
	must_check;
