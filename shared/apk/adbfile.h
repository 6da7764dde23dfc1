#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/apk/adb.h"
#include "shared/apk/keyring.h"
#include "shared/archive/stream.h"

/* ADB files (apk-format 7.1, 7.4): their compression, blocks and signatures. Read as a stream, so
 * that of a package only the ADB itself is held in memory. */

/* The uncompressed bytes of an ADB file. What follows the compressed data is an error. So is its
 * end before time, but for raw deflate, which other readers take up to the last whole block: there
 * is no byte less in it then, and what is read is verified all the same. */
struct adb_source {
	struct source src;
	struct source *from;
	const char *name;	/* for messages */
	struct adb_inflate *state;
};
bool adb_source_open(struct adb_source *s, struct source *from, const char *name,
	struct err *err) must_check;
void adb_source_close(struct adb_source *s);
#define auto_adb_source cleanup_with(adb_source_close)

enum adb_block_type { ADB_BLOCK_ADB, ADB_BLOCK_SIG, ADB_BLOCK_DATA };
struct adb_block {
	enum adb_block_type type;
	uint64_t size;		/* of its payload */
};
/* One ADB block, then signatures, then data: any other order is an error. */
struct adb_file {
	struct source *from;	/* uncompressed */
	const char *name;
	uint32_t schema;
	bool began;
	enum adb_block_type last;
	uint64_t left;		/* of the current block's payload */
	unsigned pad;
};
bool adb_file_begin(struct adb_file *f, struct source *from, const char *name, struct err *err)
	must_check;
/* 1: the next block; 0: the end; -1: err set. Unread bytes of the last one are skipped. */
int adb_file_next(struct adb_file *f, struct adb_block *ret, struct err *err) must_check;
/* n bytes of the current block, which has them (else EK_PARSE). */
bool adb_file_read(struct adb_file *f, void *p, size_t n, struct err *err) must_check;

/* Everything in front of the data: the ADB, not yet checked (adb.h) since nothing is looked into
 * that is not vouched for, and what its signatures are worth. */
struct adb_head {
	struct adb adb;			/* in the arena */
	uint8_t sha256[SHA256_SIZE];	/* of a package's payload: its identity */
	uint8_t sha512[SHA512_SIZE];
	size_t n_sigs, n_known;		/* signatures; those that name a key of the keyring */
	const struct keyring_key *signer;	/* whose signature is right; NULL = nobody's */
	bool more;			/* `next` is a data block to be read */
	struct adb_block next;
};
/* keys NULL: signatures are counted only. An ADB of more than max bytes is refused. */
bool adb_head_read(struct adb_file *f, const struct keyring *keys, uint64_t max, struct arena *a,
	struct adb_head *ret, struct err *err) must_check;
/* Fails with EK_TRUST unless somebody of the keyring signed. */
bool adb_head_trusted(const struct adb_head *h, const char *name, struct err *err) must_check;

#define ADB_SIG_MAX (16u << 10)
#define ADB_SIG_HEAD 18		/* versions and key id in front of the signature */
/* Whose signature the block is over the ADB with that digest; NULL = nobody's. *ret_known: it
 * names a key of the keyring. */
const struct keyring_key *adb_sig_verify(const struct keyring *keys, uint32_t schema,
	const uint8_t sha512[SHA512_SIZE], struct str block, bool *ret_known);
