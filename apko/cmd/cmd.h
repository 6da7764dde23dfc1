#pragma once

#include "apko/build/request.h"
#include "shared/base/opt.h"

/* The commands, one file each. */
extern const struct cmd cmd_build, cmd_build_cpio, cmd_build_minirootfs, cmd_clean, cmd_dot,
	cmd_install_keys, cmd_lock, cmd_login, cmd_publish, cmd_resolve, cmd_show_config, cmd_show_packages,
	cmd_version, cmd_why;

/* Text to standard output, all of it or an error. */
bool cmd_print(struct str text, struct err *err) must_check;

/* With --json a failure to resolve is told on standard output as well. Returns false. */
bool cmd_failed(const struct apko_req *req, struct err *err);

/* Flags of the build-like commands (apko 1.2). */
#define RO(name, letter, type, field, def, arg, help)                                              \
	{ name, letter, OPT_##type, offsetof(struct apko_req, field), def, arg, help, 0 }
#define APKO_COMMON_OPTS                                                                           \
	RO("keyring-append", 'k', LIST, keys, "", "KEY", "more keys for repositories"),            \
	RO("build-repository-append", 'b', LIST, build_repos, "", "REPO",                          \
		"more repositories, not written into the image"),                                  \
	RO("repository-append", 'r', LIST, repos, "", "REPO",                                      \
		"more repositories, written into the image as well"),                              \
	RO("package-append", 'p', LIST, packages, "", "PKG", "more packages"),                     \
	RO("include-paths", 0, LIST, include_paths, "", "DIR",                                     \
		"where the configuration, its includes and base images are looked for as well"),   \
	RO("cache-dir", 0, STR, cache_dir, "", "DIR", "where packages and layers are kept"),       \
	RO("offline", 0, BOOL, offline, NULL, NULL, "a request to the network is an error"),       \
	RO("ignore-signatures", 0, BOOL, ignore_signatures, NULL, NULL,                            \
		"do not verify repository indexes"),                                               \
	RO("max-apkindex-decompressed-size", 0, SIZE, max_index, "300MB", "SIZE",                  \
		"limit of an index; -1 for none"),                                                 \
	RO("max-apk-control-size", 0, SIZE, max_control, "10MB", "SIZE",                           \
		"limit of a control section; -1 for none"),                                        \
	RO("max-apk-data-size", 0, SIZE, max_data, "16GB", "SIZE",                                 \
		"limit of a data section; -1 for none"),                                           \
	RO("max-http-response-size", 0, SIZE, max_http, "8GB", "SIZE",                             \
		"limit of a download; -1 for none")
#define APKO_OPTS                                                                                  \
	RO("arch", 0, LIST, archs, "", "ARCH",                                                     \
		"architectures, host or all; those of the configuration if not given"),            \
	APKO_COMMON_OPTS
#define APKO_JSON_OPT(help) RO("json", 0, BOOL, json, NULL, NULL, help)
#define APKO_DATE_OPT                                                                              \
	RO("build-date", 0, STR, build_date, "", "TIME", "earliest time of the image, RFC 3339")
#define APKO_OWNERS_OPT                                                                            \
	RO("package-owners", 0, BOOL, package_owners, NULL, NULL,                                  \
		"keep the owners that packages record, instead of root")
/* Of what makes images. */
#define APKO_IMAGE_OPTS                                                                            \
	APKO_DATE_OPT,                                                                             \
	RO("lockfile", 0, STR, lockfile, "", "FILE",                                               \
		"install exactly what this lock file lists"),                                      \
	RO("vcs", 0, BOOL, vcs, "true", NULL,                                                      \
		"find out the git commit of the configuration"),                                   \
	RO("annotations", 0, LIST, annotations, "", "KEY:VALUE",                                   \
		"annotations of the image; they win over those of the configuration"),             \
	RO("format", 0, STR, format, "", "FORMAT",                                                 \
		"format of layers: tar; wins over that of the configuration"),                     \
	RO("sbom", 0, BOOL, sbom, "true", NULL, "write SBOMs"),                                    \
	RO("sbom-formats", 0, LIST, sbom_formats, "spdx", "FORMAT",                                \
		"formats of SBOMs; spdx is the one there is"),                                     \
	RO("sbom-path", 0, STR, sbom_path, "", "DIR",                                              \
		"where SBOMs go; if it is not given, build writes them to the working "            \
		"directory and publish does not write them"),                                      \
	APKO_OWNERS_OPT
bool image_opts_check(struct apko_req *r, struct err *err) must_check;
