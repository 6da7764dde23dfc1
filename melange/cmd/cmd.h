#pragma once

#include "shared/base/opt.h"

/* The commands, one file each: an option table, a request struct, one call. */

extern const struct cmd cmd_build, cmd_bump, cmd_compile, cmd_index, cmd_keygen,
	cmd_license_check, cmd_lint, cmd_package_version, cmd_pipelines, cmd_query, cmd_rebuild,
	cmd_scan, cmd_schema, cmd_sign, cmd_sign_index, cmd_source_get, cmd_source_pop, cmd_test, cmd_update_cache, cmd_version;

/* Text to standard output, all of it or an error. */
bool cmd_print(struct str text, struct err *err) must_check;
