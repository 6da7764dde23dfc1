#pragma once

#include "shared/image/imgconf.h"
#include "shared/text/bind.h"

/* The build file as plain data (melange-config 1). Bound from YAML by schema.c; the loader then
 * applies vars, transforms, ranges and defaults; after that it is const. Compilation for an
 * architecture makes a new `struct config` of the same shape with every value substituted, which
 * is what `compile` prints, what `.melange.yaml` holds, and what the plan is made of. */

struct step_input {
	const struct ynode *at;
	struct ystr description, dflt;
	bool required;
};

struct step {
	const struct ynode *at;
	struct ystr name, uses, runs, if_, label, working_directory;
	struct ykvs with, environment;
	struct bind_map inputs;		/* struct step_input */
	struct {
		const struct ynode *at;	/* NULL: absent */
		struct ystrs packages;
	} needs;
	struct {
		const struct ynode *at;	/* NULL: no assertions */
		struct opt_int required_steps;
	} assertions;
	struct bind_list pipeline;	/* struct step */
	/* Set by compilation. */
	bool skipped;			/* its `if` is false */
	struct str commented;		/* `runs` with the author's comments still in it */
	const struct step *source;	/* the step as the author wrote it (for positions) */
	const char *definition;		/* file of the definition it came from, NULL = build file */
};

struct dependencies {
	struct ystrs runtime, provides, replaces;
	struct ystr provider_priority, replaces_priority;
};
struct pkg_options {
	const struct ynode *at;		/* NULL: absent */
	bool no_provides, no_depends, no_commands, no_versioned_shlib_deps;
};
struct scriptlets {
	const struct ynode *at;		/* NULL: absent */
	struct {
		const struct ynode *at;
		struct ystr script;
		struct ystrs paths;
	} trigger;
	struct ystr pre_install, post_install, pre_deinstall, post_deinstall, pre_upgrade,
		post_upgrade;
};
struct copyright {
	const struct ynode *at;
	struct ystrs paths;
	struct ystr attestation, license, license_path, detection_override;
};
struct setcap {
	const struct ynode *at;
	struct ystr path, reason;
	struct ykvs add;
};
struct cpe {
	struct ystr part, vendor, product, edition, language, sw_edition, target_sw, target_hw,
		other;
};
struct resources {
	struct ystr cpu, cpumodel, memory, disk;
};

struct package {
	const struct ynode *at;
	struct ystr name, version, description, url, commit;
	uint64_t epoch;
	struct ykvs annotations;
	struct ystrs target_architecture;
	struct bind_list copyright;	/* struct copyright */
	struct dependencies dependencies;
	struct pkg_options *options;
	struct scriptlets *scriptlets;
	struct {
		struct ystrs disabled;
	} checks;
	struct cpe cpe;
	struct bind_list setcap;	/* struct setcap */
	int64_t timeout;		/* nanoseconds, 0 = none */
	struct resources resources;
	struct resources *test_resources;
};

struct test {
	const struct ynode *at;
	struct imgconf environment;
	struct bind_list pipeline;	/* struct step */
};

struct subpackage {
	const struct ynode *at;
	struct ystr name, range, if_, description, url, commit;
	struct ykvs annotations;
	struct dependencies dependencies;
	struct pkg_options *options;
	struct scriptlets *scriptlets;
	struct {
		struct ystrs disabled;
	} checks;
	struct bind_list pipeline;	/* struct step */
	struct test *test;
	struct bind_list setcap;
	/* Set by range expansion; empty outside ranges. */
	struct str range_key, range_value;
	const char *range_note;		/* "in range N item K", for messages */
	/* Set by compilation. */
	bool skipped;			/* its `if` is false */
};

struct data_set {
	const struct ynode *at;
	struct ystr name;
	struct ykvs items;
};
struct transform {
	const struct ynode *at;
	struct ystr from, match, replace, to;
};
struct build_option {
	const struct ynode *at;
	struct ykvs vars;
	struct {
		struct {
			struct {
				struct ystrs add, remove;
			} packages;
		} contents;
	} environment;
};

/* `update` (1.6): kept and printed, acted on by external updaters only. */
struct update_monitor {
	const struct ynode *at;		/* NULL: absent */
	struct ystr identifier, strip_prefix, strip_suffix, tag_filter, tag_filter_prefix,
		tag_filter_contains, version_filter_contains, version_filter_prefix;
	bool use_tags;
};
struct release_monitor {
	const struct ynode *at;
	int64_t identifier;
	struct ystr strip_prefix, strip_suffix, version_filter_contains, version_filter_prefix;
};
struct version_transform {
	const struct ynode *at;
	struct ystr match, replace;
};
struct version_source {
	const struct ynode *at;
	struct ystr name, stream, commit_source;
	struct ystrs ignore;
	bool use_release;
};
struct version_data {
	const struct ynode *at;
	struct ystr version_format;
	struct bind_list sources;	/* struct version_source */
};
struct update_schedule {
	const struct ynode *at;
	struct ystr period, reason;
};
struct update {
	const struct ynode *at;
	bool enabled, manual, require_sequential, shared, enable_prerelease_tags;
	struct ystr version_separator, exclude_reason;
	struct ystrs ignore_regex_patterns;
	struct bind_list version_transform;	/* struct version_transform */
	struct update_schedule *schedule;
	struct update_monitor *github, *git, *oci;
	struct release_monitor *release_monitor;
	struct version_data *version_data;
};

struct config {
	const struct ydoc *doc;
	struct package package;
	struct imgconf environment;
	struct {
		struct ystrs add, drop;
	} capabilities;
	struct bind_list pipeline;	/* struct step */
	struct bind_list subpackages;	/* struct subpackage */
	struct bind_list data;		/* struct data_set */
	struct ykvs vars;
	struct bind_list transforms;	/* struct transform */
	struct bind_map options;	/* struct build_option */
	struct update update;
	struct test *test;
};
