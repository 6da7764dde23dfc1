#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/str.h"

/* The payload of an ADB block (apk-format 7.2): a heap of little-endian values, each a 32-bit
 * word of kind and number or offset, and what the schemas (7.3) say of them.
 *
 * adb_check walks everything that the schema reaches, once: each offset, length and alignment
 * within the payload, children in front of what refers to them (so that there are no cycles),
 * kinds as the schema has them, at most 64 levels, and a bound on the values visited, so that
 * shared parts cannot multiply. Only what passed it may be given to the readers below, which do
 * not fail. Slots beyond those that the schema knows are of later versions and not looked into. */

#define ADB_SCHEMA_PACKAGE 0x676b6370u
#define ADB_SCHEMA_INDEX 0x78646e69u
#define ADB_SCHEMA_INSTALLED 0x00626469u

struct adb {
	uint32_t schema;
	struct str payload;	/* borrowed */
};

enum adb_kind {
	ADB_STRING,
	ADB_TEXT,	/* a string of several lines */
	ADB_HEX,	/* bytes */
	ADB_XATTR,	/* name, NUL, value */
	ADB_INT,
	ADB_OCTAL,
	ADB_DEP,	/* an object that reads as an atom */
	ADB_OBJECT,
	ADB_ARRAY,
	ADB_BLOCKS,	/* an ADB of its own, as blocks without a file header */
};
struct adb_field;
struct adb_type {
	enum adb_kind kind;
	const struct adb_type *item;	/* of an array */
	uint32_t schema;		/* of blocks */
	const struct adb_field *fields;	/* of an object: number 1 is the first */
	size_t n;
};
struct adb_field {
	const char *name;
	const struct adb_type *type;
};
/* The root type of a schema, NULL if unknown. */
const struct adb_type *adb_root_type(uint32_t schema);

enum { ADB_DEP_NAME = 1, ADB_DEP_VERSION, ADB_DEP_MATCH };
enum {
	ADB_PI_NAME = 1, ADB_PI_VERSION, ADB_PI_HASHES, ADB_PI_DESCRIPTION, ADB_PI_ARCH,
	ADB_PI_LICENSE, ADB_PI_ORIGIN, ADB_PI_MAINTAINER, ADB_PI_URL, ADB_PI_COMMIT,
	ADB_PI_BUILD_TIME, ADB_PI_INSTALLED_SIZE, ADB_PI_FILE_SIZE, ADB_PI_PROVIDER_PRIORITY,
	ADB_PI_DEPENDS, ADB_PI_PROVIDES, ADB_PI_REPLACES, ADB_PI_INSTALL_IF, ADB_PI_RECOMMENDS,
	ADB_PI_LAYER, ADB_PI_TAGS,
};
enum { ADB_ACL_MODE = 1, ADB_ACL_USER, ADB_ACL_GROUP, ADB_ACL_XATTRS };
enum { ADB_FILE_NAME = 1, ADB_FILE_ACL, ADB_FILE_SIZE, ADB_FILE_MTIME, ADB_FILE_HASHES,
	ADB_FILE_TARGET };
enum { ADB_DIR_NAME = 1, ADB_DIR_ACL, ADB_DIR_FILES };
enum { ADB_PKG_INFO = 1, ADB_PKG_PATHS, ADB_PKG_SCRIPTS, ADB_PKG_TRIGGERS,
	ADB_PKG_REPLACES_PRIORITY };
enum { ADB_INDEX_DESCRIPTION = 1, ADB_INDEX_PACKAGES, ADB_INDEX_PKGNAME_SPEC };

/* Compatibility version, root and all below. An unknown schema fails, too. EK_PARSE. */
bool adb_check(const struct adb *db, const char *name, struct err *err) must_check;
/* The two version bytes, without a check. */
void adb_versions(const struct adb *db, unsigned *ret_compat, unsigned *ret_version);

/* An object or array: slots 1 to n - 1; those that are not there read as null. */
struct adb_obj {
	const struct adb *db;
	uint32_t at;	/* of the slot count in the payload */
	uint32_t n;	/* slots, the count included; 1 = empty */
};
struct adb_obj adb_root(const struct adb *db);
uint32_t adb_slot(const struct adb_obj *o, uint32_t i);		/* the value word; 0 = null */
struct adb_obj adb_obj(const struct adb_obj *o, uint32_t i);
uint64_t adb_int(const struct adb_obj *o, uint32_t i);		/* 0 if null */
/* STR_NONE (p NULL) if null; borrowed from the payload. */
struct str adb_blob(const struct adb_obj *o, uint32_t i);

/* "name>=1", "!name", arena text; what the format has no word for is written with "?". */
struct str adb_dep_text(const struct adb_obj *dep, struct arena *a);
