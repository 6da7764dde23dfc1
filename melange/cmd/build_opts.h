#pragma once

#include "melange/config/load.h"
#include "melange/plan/compile.h"
#include "melange/sandbox/sandbox.h"
#include "shared/base/opt.h"

/* The flags of `build`, most of which `compile` takes as well (melange-build 1.1). */

struct build_opts {
	struct strs archs, pipeline_dirs, env_files, build_options, keys, repos, packages;
	struct strs lint_require, lint_warn;
	const char *pipeline_dir, *vars_file, *build_date, *workspace_dir, *source_dir, *cache_dir,
		*apk_cache_dir, *signing_key, *out_dir, *dependency_log, *namespace_, *libc,
		*runner, *cpu, *cpumodel, *memory, *disk, *git_commit, *git_repo_url,
		*license, *rootfs, *trace;
	int64_t timeout;
	bool generate_index, empty_workspace, strip_origin_name, ignore_signatures, create_build_log,
		persist_lint, debug, interactive, rm, provenance,
		no_network;
	bool debug_runner, cache_source, cleanup, fail_on_lint_warning;	/* without effect */
};

#define BO(name, letter, type, field, def, arg, help)                                              \
	{ name, letter, OPT_##type, offsetof(struct build_opts, field), def, arg, help, 0 }
/* Accepted because existing command lines have them; nothing in this runner answers to them. */
#define BO_NO_EFFECT(name, field, def)                                                             \
	{ name, 0, OPT_BOOL, offsetof(struct build_opts, field), def, NULL,                        \
		"has no effect with this runner", OPT_HIDDEN }
#define BUILD_OPTS                                                                                 \
	BO("arch", 0, LIST, archs, "", "ARCH", "architectures to build for"),                      \
	BO("build-date", 0, STR, build_date, "", "TIME", "time of all files, RFC 3339"),           \
	BO("workspace-dir", 0, STR, workspace_dir, "", "DIR",                                      \
		"where the workspace is made; a temporary directory by default"),                  \
	BO("source-dir", 0, STR, source_dir, "", "DIR",                                            \
		"sources copied into the workspace; the build file's directory by default"),       \
	BO("pipeline-dir", 0, STR, pipeline_dir, "", "DIR", "where `uses` is looked up first"),    \
	BO("pipeline-dirs", 0, LIST, pipeline_dirs, "", "DIR", "more such directories"),           \
	BO("cache-dir", 0, STR, cache_dir, "./melange-cache/", "DIR",                              \
		"shown as /var/cache/melange when it exists"),                                     \
	BO("apk-cache-dir", 0, STR, apk_cache_dir, "", "DIR", "where packages are kept"),          \
	BO("signing-key", 0, STR, signing_key, "", "FILE", "key for packages and the index"),      \
	BO("env-file", 0, LIST, env_files, "", "FILE", "KEY=VALUE files for the environment"),     \
	BO("vars-file", 0, STR, vars_file, "", "FILE", "YAML map laid over vars"),                 \
	BO("generate-index", 0, BOOL, generate_index, "true", NULL, "update the index"),           \
	BO("empty-workspace", 0, BOOL, empty_workspace, NULL, NULL, "copy no sources"),            \
	BO("strip-origin-name", 0, BOOL, strip_origin_name, NULL, NULL,                            \
		"write each package's own name as its origin"),                                    \
	BO("out-dir", 0, STR, out_dir, "./packages/", "DIR", "repository to write to"),            \
	BO("dependency-log", 0, STR, dependency_log, "", "FILE",                                   \
		"JSON of generated dependencies, one object a package"),                           \
	BO("namespace", 0, STR, namespace_, "unknown", "NAME", "distribution, for purls"),         \
	BO("override-host-triplet-libc-substitution-flavor", 0, STR, libc, "gnu", "LIBC",          \
		"libc in the host triplets"),                                                      \
	BO("build-option", 0, LIST, build_options, "", "NAME", "options to enable"),               \
	BO("runner", 0, STR, runner, "", "NAME", "bubblewrap, the default"),                       \
	BO("keyring-append", 'k', LIST, keys, "", "KEY", "more keys for repositories"),            \
	BO("repository-append", 'r', LIST, repos, "", "REPO", "more repositories"),                \
	BO("package-append", 0, LIST, packages, "", "PKG", "more packages for the guest"),         \
	BO("ignore-signatures", 0, BOOL, ignore_signatures, NULL, NULL,                            \
		"do not verify repository indexes"),                                               \
	BO("create-build-log", 0, BOOL, create_build_log, NULL, NULL, "append to packages.log"),   \
	BO("persist-lint-results", 0, BOOL, persist_lint, NULL, NULL,                              \
		"write lint findings as JSON beside the packages"),                                \
	BO("lint-require", 0, LIST, lint_require, NULL, "LINTER", "linters that stop a build"),    \
	BO("lint-warn", 0, LIST, lint_warn, NULL, "LINTER", "linters that only warn"),             \
	BO("debug", 0, BOOL, debug, NULL, NULL, "show each command of the steps"),                 \
	BO("interactive", 'i', BOOL, interactive, NULL, NULL, "a shell where a step failed"),      \
	BO("rm", 0, BOOL, rm, "true", NULL, "remove the workspace when done"),                     \
	BO("cpu", 0, STR, cpu, "", "N", "overrides package.resources.cpu"),                        \
	BO("cpumodel", 0, STR, cpumodel, "", "NAME", "overrides package.resources.cpumodel"),      \
	BO("memory", 0, STR, memory, "", "SIZE", "overrides package.resources.memory"),            \
	BO("disk", 0, STR, disk, "", "SIZE", "overrides package.resources.disk"),                  \
	BO("timeout", 0, DURATION, timeout, "0s", "TIME", "most time a build may take"),           \
	BO("git-commit", 0, STR, git_commit, "", "HASH", "commit of the build file"),              \
	BO("git-repo-url", 0, STR, git_repo_url, "", "URL", "its repository"),                     \
	BO("license", 0, STR, license, "NOASSERTION", "LICENCE", "its licence, for the SBOM"),     \
	BO("generate-provenance", 0, BOOL, provenance, NULL, NULL, "write .attest.tar.gz files"),  \
	BO("rootfs", 0, STR, rootfs, "", "DIR",                                                    \
		"build in this existing root, read-only, instead of packages; / is allowed"),      \
	BO("trace", 0, STR, trace, "", "FILE", "write the phases and their times as JSON spans"),  \
	BO_NO_EFFECT("debug-runner", debug_runner, NULL),                                          \
	BO_NO_EFFECT("cache-source", cache_source, NULL),                                          \
	BO_NO_EFFECT("cleanup", cleanup, "true"),                                                  \
	BO_NO_EFFECT("fail-on-lint-warning", fail_on_lint_warning, NULL),                          \
	BO("no-network", 0, BOOL, no_network, NULL, NULL, "steps see no network")

/* Architectures of --arch: apk or OCI names, "all", "host"; none = all. Sorted, no duplicates.
 * Unknown names are errors. */
struct archs {
	const struct apk_arch *v[APK_ARCHS];
	size_t n;
};
/* NULL with an error when it is not one of ours. */
const struct sandbox_ops *build_opts_runner(const struct build_opts *o, struct err *err);
bool build_opts_archs(const struct build_opts *o, struct archs *ret, struct err *err) must_check;
const struct apk_arch *build_opts_arch(struct str name, struct err *err) must_check;
/* The argument, or the first of .melange.yaml .melange.yml melange.yaml melange.yml. */
bool build_opts_config(const struct strs *args, const char **ret_path, struct err *err) must_check;
void build_opts_load(const struct build_opts *o, struct load_opts *ret);
void build_opts_compile(const struct build_opts *o, const struct apk_arch *arch, struct arena *a,
	struct compile_opts *ret);
