#include "shared/apk/adb.h"

#include "shared/base/compiler.h"

static const struct adb_type string = { .kind = ADB_STRING };
static const struct adb_type text = { .kind = ADB_TEXT };
static const struct adb_type bytes = { .kind = ADB_HEX };
static const struct adb_type xattr = { .kind = ADB_XATTR };
static const struct adb_type integer = { .kind = ADB_INT };
static const struct adb_type octal = { .kind = ADB_OCTAL };

#define ARRAY_OF(type) { .kind = ADB_ARRAY, .item = &(type) }
#define OBJECT_OF(list) { .kind = ADB_OBJECT, .fields = (list), .n = countof(list) }

static const struct adb_type strings = ARRAY_OF(string);
static const struct adb_type xattrs = ARRAY_OF(xattr);

static const struct adb_field dep_fields[] = {
	{ "name", &string }, { "version", &string }, { "match", &integer },
};
static const struct adb_type dep = {
	.kind = ADB_DEP, .fields = dep_fields, .n = countof(dep_fields),
};
static const struct adb_type deps = ARRAY_OF(dep);

static const struct adb_field info_fields[] = {
	{ "name", &string }, { "version", &string }, { "hashes", &bytes },
	{ "description", &string }, { "arch", &string }, { "license", &string },
	{ "origin", &string }, { "maintainer", &string }, { "url", &string },
	{ "repo-commit", &bytes }, { "build-time", &integer }, { "installed-size", &integer },
	{ "file-size", &integer }, { "provider-priority", &integer }, { "depends", &deps },
	{ "provides", &deps }, { "replaces", &deps }, { "install-if", &deps },
	{ "recommends", &deps }, { "layer", &integer }, { "tags", &strings },
};
static const struct adb_type info = OBJECT_OF(info_fields);
static const struct adb_type infos = ARRAY_OF(info);

static const struct adb_field acl_fields[] = {
	{ "mode", &octal }, { "user", &string }, { "group", &string }, { "xattrs", &xattrs },
};
static const struct adb_type acl = OBJECT_OF(acl_fields);

static const struct adb_field file_fields[] = {
	{ "name", &string }, { "acl", &acl }, { "size", &integer }, { "mtime", &integer },
	{ "hash", &bytes }, { "target", &bytes },
};
static const struct adb_type file = OBJECT_OF(file_fields);
static const struct adb_type files = ARRAY_OF(file);

static const struct adb_field dir_fields[] = {
	{ "name", &string }, { "acl", &acl }, { "files", &files },
};
static const struct adb_type dir = OBJECT_OF(dir_fields);
static const struct adb_type dirs = ARRAY_OF(dir);

static const struct adb_field script_fields[] = {
	{ "trigger", &text }, { "pre-install", &text }, { "post-install", &text },
	{ "pre-deinstall", &text }, { "post-deinstall", &text }, { "pre-upgrade", &text },
	{ "post-upgrade", &text },
};
static const struct adb_type scripts = OBJECT_OF(script_fields);

static const struct adb_field package_fields[] = {
	{ "info", &info }, { "paths", &dirs }, { "scripts", &scripts }, { "triggers", &strings },
	{ "replaces-priority", &integer },
};
static const struct adb_type package = OBJECT_OF(package_fields);

static const struct adb_field index_fields[] = {
	{ "description", &string }, { "packages", &infos }, { "pkgname-spec", &string },
};
static const struct adb_type index_type = OBJECT_OF(index_fields);

static const struct adb_type package_blocks = {
	.kind = ADB_BLOCKS, .schema = ADB_SCHEMA_PACKAGE,
};
static const struct adb_type packages_blocks = ARRAY_OF(package_blocks);
static const struct adb_field installed_fields[] = {
	{ "packages", &packages_blocks },
};
static const struct adb_type installed = OBJECT_OF(installed_fields);

static const struct {
	uint32_t schema;
	const struct adb_type *type;
} schemas[] = {
	{ ADB_SCHEMA_PACKAGE, &package },
	{ ADB_SCHEMA_INDEX, &index_type },
	{ ADB_SCHEMA_INSTALLED, &installed },
};

const struct adb_type *adb_root_type(uint32_t schema)
{
	for (size_t i = 0; i < countof(schemas); i++)
		if (schemas[i].schema == schema)
			return schemas[i].type;
	return NULL;
}
