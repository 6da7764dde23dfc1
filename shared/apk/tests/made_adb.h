#pragma once

#include "shared/apk/adbfile.h"
#include "shared/base/buf.h"
#include "shared/crypto/sigkey.h"

/* A writer of v3 files for tests: values first, then objects that refer to them, then blocks. It
 * is small rather than clever: nothing is shared, and mistakes can be made on purpose. */

struct made_adb {
	uint32_t schema;
	struct buf payload;	/* starts with the head, whose root made_adb_root sets */
	struct buf blocks;	/* what comes behind the ADB block */
};
void made_adb_init(struct made_adb *m, uint32_t schema);
void made_adb_release(struct made_adb *m);
#define auto_made_adb cleanup_with(made_adb_release)

/* Value words. An empty object is null, and trailing nulls are left out. */
uint32_t made_blob(struct made_adb *m, struct str s);
uint32_t made_text(struct made_adb *m, const char *s);	/* NULL: null */
uint32_t made_int(struct made_adb *m, uint64_t n);
uint32_t made_obj(struct made_adb *m, const uint32_t *values, size_t n);
#define made_list(m, ...)                                                                          \
	made_obj((m), (const uint32_t[]){ __VA_ARGS__ },                                           \
		sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
uint32_t made_dep(struct made_adb *m, const char *name, const char *version, unsigned match);
uint32_t made_acl(struct made_adb *m, unsigned mode, const char *user, const char *group);
/* A regular file with its hash, and the acl 0644 root:root unless another is given. */
uint32_t made_file(struct made_adb *m, const char *name, const char *content, uint32_t acl);
uint32_t made_file_of(struct made_adb *m, const char *name, struct str content, uint32_t acl);
uint32_t made_link(struct made_adb *m, const char *name, unsigned kind, struct str target);
void made_adb_root(struct made_adb *m, uint32_t value);

/* Blocks, in the order of the calls. The signature is of the ADB as it is now. */
void made_block(struct made_adb *m, unsigned type, struct str payload);
void made_sig(struct made_adb *m, const struct sigkey *key);
/* The same with a signature made elsewhere: `sign` gets the SHA-512 of what is signed. */
void made_sig_by(struct made_adb *m, const uint8_t id[SIGKEY_ID_SIZE],
	void (*sign)(void *ctx, const uint8_t md[SHA512_SIZE], struct buf *out), void *ctx);
void made_data(struct made_adb *m, uint32_t path, uint32_t file, const char *content);
void made_bytes(struct made_adb *m, uint32_t path, uint32_t file, struct str content);

enum made_comp { MADE_PLAIN, MADE_DEFLATE, MADE_NONE, MADE_RAW, MADE_ZSTD };
/* The file: ADB block, then the others. MADE_NONE and MADE_RAW are `ADBc` with algorithms 0, 1. */
void made_adb_file(const struct made_adb *m, enum made_comp comp, struct buf *out);
/* Full identity of the ADB. */
void made_adb_id(const struct made_adb *m, uint8_t ret_sha256[SHA256_SIZE]);
