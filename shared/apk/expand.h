#pragma once

#include "shared/apk/pkg.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"
#include "shared/crypto/digest.h"
#include "shared/rootfs/tree.h"
#include "shared/store/pool.h"
#include "shared/store/store.h"

/* A package file of v2 or v3 taken apart and verified: signature, control section, uncompressed data tar in
 * the store, entry table. The chain checked is: expected checksum -> control section -> datahash
 * -> compressed data -> checksum of every file. What the store hands out was put there by this
 * module after those checks. */

struct apk_entry {
	struct str name;	/* usable (path_is_safe), no trailing slash */
	char type;		/* '0' '1' '2' '3' '4' '5' '6' */
	bool has_sha1;
	uint32_t mode;
	int64_t uid, gid, mtime;
	uint64_t size;
	uint64_t off;		/* of the content in the data tar */
	struct str link;
	struct str uname, gname;
	uint32_t major, minor;
	uint8_t sha1[20];	/* of content, or of a symlink's target */
	struct tree_xattr *xattrs;
	size_t n_xattrs;
};

struct apk_script {
	struct str name;	/* ".post-install" */
	struct str text;
	uint32_t mode;
};

struct apk_range {
	uint64_t start, end;	/* inclusive, within the .apk; end < start: absent */
};

/* Texts live in the arena given to apk_expand; data stays open until apk_file_close. */
struct apk_file {
	struct apk_pkg info;		/* from .PKGINFO; checksum filled in */
	const struct apk_pkg *pkg;	/* the index record it was got for; NULL = none */
	struct str control;		/* inflated control section (a tar without end); v3: the ADB */
	struct apk_script *scripts;	/* of the control section */
	size_t n_scripts;
	/* v3 only: what the installed database has as the hash of each entry. Entries then have the
	 * names of their owners (uname, gname) and no ids. */
	const uint8_t (*sums)[SHA1_SIZE];
	struct apk_entry *entries;	/* in archive order; of v3, hard links last */
	size_t n_entries;
	/* Uncompressed data tar, id = datahash in hex; of v3 the contents end to end, id = identity of
	 * the package. */
	struct blob data;
	uint64_t data_size;		/* bytes of it */
	struct apk_range sig_range, control_range, data_range;
	uint8_t sig_sha1[20], control_sha1[20], data_sha256[32];
};

struct keyring;
struct apk_limits {
	uint64_t max_control, max_data, max_entries;	/* 0 = 10 MiB, 16 GiB, 4,000,000 */
	bool stream;	/* never hold a data tar in memory: slower, the same result */
	/* What names one of these keys has to be signed with it; one right signature suffices.
	 * NULL: signatures are not looked at. Unsigned packages and those of unknown keys pass:
	 * it is the index that vouches for packages. */
	const struct keyring *keys;
};

/* Opens from the store by control checksum; false without error (err kind EK_NONE) when it is
 * not all there. */
bool apk_open_stored(struct store *st, const uint8_t *sum, uint8_t sum_n, struct arena *a,
	struct apk_file *ret, struct err *err) must_check;
/* Takes the .apk open at fd apart into the store. expect (may be NULL): checksum, name, version,
 * arch and file size that must agree. name is for messages. */
bool apk_expand(int fd, const char *name, const struct apk_pkg *expect,
	const struct apk_limits *lim, struct store *st, struct arena *a, struct apk_file *ret,
	struct err *err) must_check;
void apk_file_close(struct apk_file *f);

/* Unpacks the entries as a directory tree into the store (STORE_TREE, key = datahash, see
 * store_path) for use as a guest's files: permission bits only, times set, owners ours, no
 * devices, no extended attributes. Success when it is there already. Several threads may unpack
 * different packages at once. */
bool apk_unpack_tree(struct store *st, const struct apk_file *f, struct err *err) must_check;

/* Control section only (for `index`, `sign`): bounded, nothing stored. sha1 is its checksum.
 * Signature entries, if any, are left in sig_tar (inflated member). */
struct apk_control {
	struct apk_pkg info;
	struct str sig_tar, control_tar, control_gz;
	uint64_t sig_size, control_size;	/* compressed */
};
bool apk_read_control(int fd, const char *name, struct arena *a, struct apk_control *ret,
	struct err *err) must_check;

/* Gets every package: from the store, else from its local path or URL, several at once, largest
 * first; ret_files[i] belongs to pkgs[i]. */
struct http;
struct apk_fetch {
	struct store *store;
	struct pool *pool;
	struct http *http;	/* NULL: local repositories only */
	struct apk_limits limits;
};
bool apk_fetch_all(const struct apk_fetch *f, const struct apk_pkg *const *pkgs, size_t n,
	struct arena *a, struct apk_file *ret_files, struct err *err) must_check;
