#pragma once

#include "shared/apk/keyring.h"
#include "shared/apk/pkg.h"
#include "shared/base/buf.h"
#include "shared/store/store.h"

/* APKINDEX.tar.gz: reading (signature first, then size, then syntax; only verified bytes are
 * parsed), merging and writing. All texts live in the arena passed in. What is read may as well be
 * a Packages.adb of the v3 format: the bytes tell. */

#define INDEX_MAX_DESCRIPTION (64u << 10)

struct index_read_opts {
	const struct keyring *keys;	/* NULL: signatures are not looked at */
	const char *name;		/* for messages: path or redacted URL */
	uint64_t max_inflated;		/* 0 = 300 MiB */
};
/* Fills pkgs, n, description and digest of *ret (the rest is the caller's). Fails with EK_TRUST
 * when keys are given and no signature verifies. */
bool index_read(struct str bytes, const struct index_read_opts *opts, struct arena *a,
	struct apk_index *ret, struct err *err) must_check;
/* The same from a file (at most 256 MiB), with the packages packed (pack.h) instead of parsed. The
 * signature is verified unless it was with these keys and the file is untouched since (stamp.h);
 * store: where packs are kept by the digest that it verified, so that another reading of the same
 * bytes maps what was parsed before; NULL = nowhere. */
bool index_open(int fd, const struct index_read_opts *opts, struct store *store, struct arena *a,
	struct apk_index *ret, struct err *err) must_check;
/* Parses the text of an APKINDEX (or of a file of records in that form). The packages' texts are
 * slices of `text`, which must live as long as they do. Lines end in LF; a CR or NUL anywhere, a
 * repeated letter, a bad number, checksum or name, or a version or architecture unfit for a file
 * name fails with EK_PARSE; unknown letters are ignored, dependency lists are not looked into. */
bool index_parse(struct str text, const char *name, struct arena *a, struct apk_index *ret,
	struct err *err) must_check;
/* Puts pkgs over what is there: same name, version and arch is replaced in its place, others are
 * appended in the order given, as melange does and as its recorded indexes have it. */
void index_merge(struct apk_index *idx, const struct apk_pkg *pkgs, size_t n, struct arena *a);
/* The record of a package, in melange's letter order, with the blank line. */
void index_record(const struct apk_pkg *p, struct buf *out);
/* The whole APKINDEX.tar.gz: APKINDEX, DESCRIPTION; signed when key is not NULL. */
bool index_write(const struct apk_index *idx, const struct sigkey *key, const char *key_path,
	struct buf *out, struct err *err) must_check;
/* Signs an existing index file's bytes (prepends the member). */
bool index_sign(struct str bytes, const struct sigkey *key, const char *key_path,
	struct buf *out, struct err *err) must_check;
