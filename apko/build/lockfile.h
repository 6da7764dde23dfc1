#pragma once

#include "apko/build/request.h"
#include "shared/apk/expand.h"
#include "shared/base/buf.h"
#include "shared/image/resolve.h"

/* The lock file (apko 6): which packages, by checksum, an image is made of on each architecture,
 * and which configuration it was made for. */

struct lock_key {
	struct str name, url, content;
};
struct lock_repo {
	struct str name, url, arch;
};
struct lock_pkg {
	struct str name, url, version, arch, checksum;
	const struct apk_file *file; /* for the ranges; only written */
};
struct lockfile {
	const char *path;
	struct str config_name, config_checksum; /* empty: not recorded */
	VEC(struct lock_key) keyring;
	VEC(struct lock_repo) build_repos, runtime_repos, repos;
	VEC(struct lock_pkg) pkgs; /* arch by arch, in install order */
};

/* "sha256-BASE64" of the configuration's files one after another. */
struct str lockfile_checksum(const struct strs *sources, struct arena *a);
/* Sorted by name, each once; architectures one after the other, each with all its lines. */
void lockfile_add_keys(
	struct lockfile *l, const struct keyring *keys, const struct strs *urls, struct arena *a);
/* found: the indexes that were read, which say where they were. */
void lockfile_add_repos(struct lockfile *l, const struct imgconf *c, const struct apk_arch *arch,
	const struct apk_indexes *found, struct arena *a);
/* Indented JSON with a line end. */
void lockfile_write(const struct lockfile *l, struct arena *a, struct buf *out);

/* EK_PARSE when it is no lock file of this version. Texts live in the arena. What an entry lacks
 * is found when it is used. */
bool lockfile_read(
	const char *path, struct arena *a, struct lockfile *ret, struct err *err) must_check;
/* The same of a text; path is for messages. */
bool lockfile_parse(struct str text, const char *path, struct arena *a, struct lockfile *ret,
	struct err *err) must_check;
/* It was made of these sources; one that does not record its configuration only gets a warning. */
bool lockfile_check(const struct lockfile *l, const char *config, const struct strs *sources,
	struct arena *a, struct err *err) must_check;
/* The packages of an architecture, in file order, as records that can be fetched. conf: its
 * repositories may hold the credentials that the file leaves out. EK_NOTFOUND when the file is
 * not for the architecture. */
bool lockfile_solution(const struct lockfile *l, const struct imgconf *conf,
	const struct apk_arch *arch, struct arena *a, struct image_solution *ret,
	struct err *err) must_check;
