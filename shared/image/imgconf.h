#pragma once

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/text/bind.h"

/* The image description: apko's configuration file, and the `environment` of a melange build
 * file. Plain data bound from YAML; apko 2.1 says what each key means. */

struct imgconf_key { /* contents.runtime_keyring[] */
	const struct ynode *at;
	struct ystr name, content;
};
struct imgconf_base { /* contents.baseimage */
	const struct ynode *at;
	struct ystr image, apkindex;
};
struct imgconf_user {
	const struct ynode *at;
	struct ystr username, shell, homedir;
	struct opt_int uid, gid;
};
struct imgconf_group {
	const struct ynode *at;
	struct ystr groupname;
	struct opt_int gid;
	struct ystrs members;
};
struct imgconf_path {
	const struct ynode *at;
	struct ystr path, type, source;
	struct opt_int uid, gid, permissions;
	bool recursive;
};
struct imgconf_layering {
	const struct ynode *at;
	struct ystr strategy;
	struct opt_int budget;
};
struct imgconf_cert {
	const struct ynode *at;
	struct ystr name, content;
};
struct imgconf_certs {
	const struct ynode *at;
	struct bind_list additional; /* struct imgconf_cert */
	struct ystrs providers;
};

struct imgconf {
	const struct ynode *at; /* NULL: made by the program */
	struct {
		struct ystrs keyring, repositories, build_repositories, runtime_repositories;
		struct ystrs packages;
		struct bind_list runtime_keyring; /* struct imgconf_key */
		struct imgconf_base *baseimage;
	} contents;
	struct {
		struct ystr type, command, shell_fragment;
		struct ykvs services;
	} entrypoint;
	struct ystr cmd, stop_signal, work_dir;
	struct {
		struct ystr run_as;
		struct bind_list users;  /* struct imgconf_user */
		struct bind_list groups; /* struct imgconf_group */
	} accounts;
	struct ystrs archs;
	struct ykvs environment, annotations;
	struct bind_list paths; /* struct imgconf_path */
	struct ystr vcs_url, include, format;
	struct ystrs volumes;
	struct imgconf_layering *layering;
	struct imgconf_certs *certificates;
};

extern const struct bind_schema imgconf_schema;

/* Loads and merges includes (apko 2.3; cycles are errors), fills defaults and validates. roots:
 * extra directories for the file and its includes, tried after the path as given; may be NULL.
 * ret_sources gets the bytes of the file and of each included file, in reading order, for the
 * lock file's checksum; may be NULL. */
bool imgconf_load(const char *path, const struct strs *roots, struct arena *a, struct imgconf *ret,
	struct strs *ret_sources, struct err *err) must_check;
/* Where a file or directory that a description names is: as given, else under the first root that
 * has it; as given too when none has. */
const char *imgconf_locate(struct str path, const struct strs *roots, struct arena *a);
/* Defaults and checks alone, for a configuration bound elsewhere. */
bool imgconf_finish(struct imgconf *c, struct arena *a, struct err *err) must_check;
/* A copy whose lists may be changed without touching the original. */
void imgconf_copy(const struct imgconf *c, struct arena *a, struct imgconf *ret);
/* /etc/apko.json: compact JSON of the per-architecture configuration (apko 3.5), no newline. */
bool imgconf_json(const struct imgconf *c, struct buf *out, struct err *err) must_check;
/* The same as YAML, for people: merged, with defaults, passwords hidden (apko 1.3, show-config). */
bool imgconf_yaml(const struct imgconf *c, struct buf *out, struct err *err) must_check;
