#pragma once

#include "shared/apk/adbfile.h"
#include "shared/apk/enttab.h"
#include "shared/apk/expand.h"

/* Package metadata of the v3 format, in the forms that v2 packages have here. Everything that
 * rows of apk-format 8 refuse of v2 is refused: unfit names, paths given twice or beneath a link,
 * hard links to nothing, devices of unknown kinds. Texts are copied to the arena. */

/* Fields of a pkginfo object; checksum is what `hashes` holds, if it holds 20 or 32 bytes. Fails
 * with EK_PARSE where a text is not fit for the records made of it. */
bool adb_info(const struct adb_obj *o, const char *name, struct arena *a, struct apk_pkg *ret,
	struct err *err) must_check;

/* The content of a regular file, to come in a data block. */
struct adb_content {
	uint32_t path, file;	/* numbers in the ADB */
	size_t entry;
	uint8_t sha256[SHA256_SIZE];
};
struct adb_pkg {
	struct apk_pkg info;
	struct apk_script *scripts;	/* in the order that the database has them */
	size_t n_scripts;
	struct apk_entry *entries;	/* hard links last; off is where contents lie end to end */
	struct tar_paxes *paxes;	/* of each: extended attributes as v2 has them */
	size_t n_entries;
	uint8_t (*sums)[SHA1_SIZE];	/* of each entry, as the database has it; 160 bits of SHA-256 */
	size_t *targets;		/* of each hard link: the entry it leads to */
	struct adb_content *contents;	/* in the order of the data blocks */
	size_t n_contents;
	uint64_t data_size;		/* bytes of all contents */
};
/* Of a package's ADB that was checked. info.checksum becomes the identity, cut to 20 bytes;
 * info.datahash the whole of it, in hex. */
bool adb_pkg_parse(const struct adb_head *h, const char *name, uint64_t max_entries,
	struct arena *a, struct adb_pkg *ret, struct err *err) must_check;
/* Reads the data blocks to the end of the file: every content in order, none else, each as its
 * SHA-256 has it. out (-1 = nowhere) gets the contents end to end; *ret_crc is their CRC-32, and
 * sha1 of the entries that of their contents, also of hard links. */
bool adb_pkg_data(struct adb_file *f, const struct adb_head *h, struct adb_pkg *p, int out,
	uint32_t *ret_crc, struct err *err) must_check;

/* Everything that can be verified of the file open at fd. keys NULL: signatures are not asked
 * for; else somebody of the keyring has to have signed, before any data is looked at. */
bool adb_verify(int fd, const char *name, const struct keyring *keys, struct err *err) must_check;
