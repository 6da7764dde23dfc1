#pragma once

#include "shared/apk/pkginfo.h"
#include "shared/crypto/sigkey.h"
#include "shared/rootfs/tree.h"
#include "shared/store/pool.h"

/* Sections into a signed .apk: signature, control, data, each one gzip member (apk-format 1).
 *
 * Entries are cut into runs of about 1 MiB of archive, big files into pieces of 1 MiB; runs and
 * pieces are read, hashed and deflated on the pool and joined in order, so that the bytes depend
 * on the input alone, never on the number of threads. A bounded number of them is in memory at
 * any time. The package appears under its name when it is complete. */

struct pkgwrite_entry {
	struct str name;		/* no leading or trailing slash; parents come first */
	char type;			/* tar type, '0' to '6' */
	uint32_t mode;			/* permission and special bits */
	int64_t uid, gid;
	struct str uname, gname;
	struct str link;		/* of '1' (an earlier name) and '2' */
	uint32_t major, minor;		/* of '3' and '4' */
	const struct tree_xattr *xattrs;
	size_t n_xattrs;
	/* Content of '0', and of '1' for its checksum: `bytes`, or, when that is NULL, the regular
	 * file at `path` beneath dirfd, which must be of this size. */
	uint64_t size;
	const char *bytes;
	int dirfd;
	const char *path;
};

struct pkgwrite_control {
	struct str name;		/* ".melange.yaml" */
	uint32_t mode;
	struct str bytes;
};

struct pkgwrite {
	const struct pkgwrite_entry *entries;	/* of the data section, in archive order */
	size_t n;
	int64_t mtime;				/* of every entry of every section */
	/* Of .PKGINFO, the first control entry; installed_size and datahash are put in here. */
	const struct apk_pkg *info;
	const struct pkginfo_extra *extra;
	const struct pkgwrite_control *control;	/* the entries after it, in archive order */
	size_t n_control;
	const struct sigkey *key;		/* NULL: no signature section */
	const char *key_path;
	struct pool *pool;
	const char *path;			/* of the .apk, mode 0644 */
};

/* What an index record needs beyond `info`. */
struct pkgwrite_result {
	uint64_t installed_size;	/* bytes of regular files, and lengths of link targets */
	uint64_t file_size;
	uint8_t checksum[20];		/* SHA-1 of the control section */
	char datahash[65];		/* hex */
};

/* Installed size of the entries: each inode once. */
uint64_t pkgwrite_size(const struct pkgwrite_entry *entries, size_t n);
/* Fails when a content cannot be read or is not of the size given, naming it. */
bool pkgwrite(const struct pkgwrite *w, struct pkgwrite_result *ret, struct err *err) must_check;
/* One control-like archive (entries owned by root, no end blocks) as a gzip member: the control
 * section, and the body of an attestation file. */
bool pkgwrite_control(const struct pkgwrite_control *files, size_t n, int64_t mtime,
	struct buf *out, struct err *err) must_check;
