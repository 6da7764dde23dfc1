#pragma once

#include "apko/build/request.h"
#include "shared/base/opt.h"

/* The commands, one file each. */
extern const struct cmd cmd_build, cmd_clean, cmd_lock, cmd_resolve, cmd_show_config,
	cmd_show_packages, cmd_version;

/* Text to standard output, all of it or an error. */
bool cmd_print(struct str text, struct err *err) must_check;

/* Flags of the build-like commands (apko 1.2). */
#define RO(name, letter, type, field, def, arg, help)                                              \
	{ name, letter, OPT_##type, offsetof(struct apko_req, field), def, arg, help, 0 }
#define APKO_OPTS                                                                                  \
	RO("keyring-append", 'k', LIST, keys, "", "KEY", "more keys for repositories"),            \
	RO("build-repository-append", 'b', LIST, build_repos, "", "REPO",                          \
		"more repositories, not written into the image"),                                  \
	RO("repository-append", 'r', LIST, repos, "", "REPO",                                      \
		"more repositories, written into the image as well"),                              \
	RO("package-append", 'p', LIST, packages, "", "PKG", "more packages"),                     \
	RO("arch", 0, LIST, archs, "", "ARCH", "architectures; all of the configuration's"),       \
	RO("build-date", 0, STR, build_date, "", "TIME", "earliest time of the image, RFC 3339"),  \
	RO("include-paths", 0, LIST, include_paths, "", "DIR",                                     \
		"where the configuration and its includes are looked for as well"),                \
	RO("cache-dir", 0, STR, cache_dir, "", "DIR", "where packages and layers are kept"),       \
	RO("offline", 0, BOOL, offline, NULL, NULL, "a request to the network is an error"),       \
	RO("ignore-signatures", 0, BOOL, ignore_signatures, NULL, NULL,                            \
		"do not verify repository indexes"),                                               \
	RO("vcs", 0, BOOL, vcs, "true", NULL, "find out the configuration's git commit"),          \
	RO("max-apkindex-decompressed-size", 0, SIZE, max_index, "0", "SIZE",                      \
		"limit of an index; -1 for none"),                                                 \
	RO("max-apk-control-size", 0, SIZE, max_control, "0", "SIZE",                              \
		"limit of a control section"),                                                     \
	RO("max-apk-data-size", 0, SIZE, max_data, "0", "SIZE", "limit of a data section"),        \
	RO("max-http-response-size", 0, SIZE, max_http, "0", "SIZE", "limit of a download")
