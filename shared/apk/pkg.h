#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/compiler.h"
#include "shared/base/str.h"

/* What is known of a package, from an index record, a .PKGINFO or an installed database. Texts
 * live in the arena of whoever read it. The lists are kept as written, items separated by single
 * blanks ("so:libc.so.6 bash>=5"), and parsed by dep.h when needed. */

struct apk_index;
struct apk_made;
struct pack;

struct apk_pkg {
	struct str name, version, arch;
	struct str desc, url, license, origin, maintainer, commit;
	struct str depends, provides, replaces, install_if;
	struct str triggers;		/* of a package file only */
	struct str tags;		/* v3 only */
	struct str datahash;		/* .PKGINFO only: hex */
	uint64_t installed_size;	/* bytes */
	uint64_t file_size;		/* bytes of the .apk; 0 = unknown */
	int64_t build_time;		/* seconds; 0 = unknown */
	int64_t provider_priority;
	int64_t replaces_priority;
	uint8_t checksum[32];		/* of the control section */
	uint8_t checksum_n;		/* 20 = SHA-1 (Q1), 32 = SHA-256 (Q2), 0 = none */
	const struct apk_index *index;	/* NULL unless from an index */
	uint32_t order;			/* position in the index */
	const char *unusable;		/* why it must not be chosen; NULL = usable */
};

/* A repository's index for one architecture, verified. */
struct apk_index {
	struct str repo;	/* repository as configured: URL or path, without @tag and arch */
	struct str base;	/* where packages are: REPO/ARCH, no trailing slash */
	struct str file;	/* path or URL it was read from, without userinfo; may be empty */
	struct str arch;	/* apk architecture */
	struct str tag;		/* pin without '@'; empty = none */
	bool is_local;		/* base is a path */
	struct str description;
	/* Of a v3 index: where packages are below repo, or beside an index that repo names. Empty = the
	 * default. */
	struct str pkgname_spec;
	struct apk_pkg *pkgs;	/* in file order; NULL of one that is packed: apk_index_pkg */
	size_t n;
	const struct pack *pack;	/* index_open only */
	struct apk_made *made;		/* of a packed one: packages looked at */
	/* Identity for caches: made of the digest that the signature verified, else the SHA-256 of
	 * the file. */
	uint8_t digest[32];
};
struct apk_indexes {
	struct apk_index **v;	/* in repository order */
	size_t n, cap;
};

/* A package of an index by its place in the file, for as long as the index lives. */
const struct apk_pkg *apk_index_pkg(const struct apk_index *idx, size_t i);
/* "NAME-VERSION" */
struct str apk_pkg_nv(const struct apk_pkg *p, struct arena *a);
/* "Q1..." or "Q2...", empty if unknown */
struct str apk_pkg_q(const struct apk_pkg *p, struct arena *a);
bool apk_q_parse(struct str text, uint8_t ret_sum[32], uint8_t *ret_n);
/* File of a package by a v3 index's pkgname-spec: `${name}`, `${version}`, `${arch}`, `${hash}` in
 * it are replaced, `${name:3}` by the first three characters. A relative path, or a URL. False when
 * the spec is malformed or leads elsewhere. */
bool apk_pkg_file(const struct apk_pkg *p, struct str spec, struct arena *a, struct str *ret)
	must_check;
/* Where the .apk is, path or URL: BASE/NAME-VERSION.apk, or as the index says otherwise. */
struct str apk_pkg_url(const struct apk_pkg *p, struct arena *a);
/* Where it may be if not there, as apk-tools 3 has packages without architecture; empty = nowhere. */
struct str apk_pkg_second_url(const struct apk_pkg *p, struct arena *a);
/* Package names: [A-Za-z0-9._+-], first alphanumeric (row 56 of apk-format 8). */
bool apk_name_ok(struct str name);
