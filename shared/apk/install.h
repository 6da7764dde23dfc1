#pragma once

#include "shared/apk/expand.h"
#include "shared/apk/keyring.h"
#include "shared/apk/owners.h"
#include "shared/base/vec.h"
#include "shared/rootfs/tree.h"

/* Packages into a tree, as apko does it (apk-format 6): initial file system, extraction with the
 * overwrite rules, the installed database, scripts, triggers. With a v3 package among them the scripts
 * are in scripts.tar.gz under the names that apk-tools 3 has for them, else in scripts.tar. */

struct install_base {
	struct str arch;		/* apk name */
	const struct strs *world;	/* sorted atoms */
	const struct strs *repositories;/* lines, sorted */
	const struct keyring *keys;	/* copied to etc/apk/keys */
};
/* Directories, devices, etc/apk and an empty database. */
bool install_init(struct tree *t, const struct install_base *b, struct err *err) must_check;

struct install_opts {
	bool header_owners;	/* uid and gid of package entries instead of 0:0 */
	bool devices;		/* allow device and fifo entries */
	int64_t script_time;	/* mtime of scripts.tar members */
	bool keep_dir_bits;	/* special bits of package directories stay; of v3, sticky ones do */
	/* Accounts that the image gets besides those in the tree: v3 packages name owners, and have
	 * them whatever header_owners says. */
	struct owner_ids users, groups;
};
/* One installed package's part of the database, kept for layers. */
struct install_record {
	const struct apk_file *file;
	struct str text;	/* its record with the blank line */
};
struct install_result {
	struct install_record *records;	/* in install order */
	size_t n;
};
/* In order; a package whose name is installed already is skipped. A database that is
 * in the tree already (of a base image) is appended to. */
bool install_packages(struct tree *t, const struct apk_file *files, size_t n,
	const struct install_opts *opts, struct arena *a, struct install_result *ret,
	struct err *err) must_check;
/* After the packages (apk-format 6.1): lib/apk leads to usr/lib/apk. merged_lib: a base image's
 * package provides `merged-lib`, so that a missing lib becomes a link to usr/lib. */
bool install_link_db(struct tree *t, bool merged_lib, struct err *err) must_check;
