#include "melange/config/schema.h"

#include <stddef.h>

/* The `update` section (melange-config 1.6). */

#define END { 0 }
#define F(key, type, st, field) { key, BIND_##type, offsetof(st, field), NULL, NULL, 0 }
#define SUB(key, type, st, field, schema)                                                          \
	{ key, BIND_##type, offsetof(st, field), schema, NULL, 0 }
#define M(key, field) F(key, STR, struct update_monitor, field)

static const struct bind_field github_fields[] = {
	M("identifier", identifier),
	M("strip-prefix", strip_prefix),
	M("strip-suffix", strip_suffix),
	M("tag-filter", tag_filter),
	M("tag-filter-prefix", tag_filter_prefix),
	M("tag-filter-contains", tag_filter_contains),
	F("use-tag", BOOL, struct update_monitor, use_tags),
	END,
};
static const struct bind_field git_fields[] = {
	M("strip-prefix", strip_prefix),
	M("strip-suffix", strip_suffix),
	M("tag-filter-prefix", tag_filter_prefix),
	M("tag-filter-contains", tag_filter_contains),
	END,
};
static const struct bind_field oci_fields[] = {
	M("identifier", identifier),
	M("strip-prefix", strip_prefix),
	M("strip-suffix", strip_suffix),
	M("tag-filter-prefix", tag_filter_prefix),
	M("tag-filter-contains", tag_filter_contains),
	END,
};
#define MONITOR(label, fields)                                                                     \
	{ label, sizeof(struct update_monitor), fields, offsetof(struct update_monitor, at), false }
static const struct bind_schema github_schema = MONITOR("github", github_fields);
static const struct bind_schema git_schema = MONITOR("git", git_fields);
static const struct bind_schema oci_schema = MONITOR("oci", oci_fields);

static const struct bind_field release_fields[] = {
	{ "identifier", BIND_INT, offsetof(struct release_monitor, identifier), NULL, NULL,
		BIND_QUOTED },
	F("strip-prefix", STR, struct release_monitor, strip_prefix),
	F("strip-suffix", STR, struct release_monitor, strip_suffix),
	F("version-filter-contains", STR, struct release_monitor, version_filter_contains),
	F("version-filter-prefix", STR, struct release_monitor, version_filter_prefix),
	END,
};
static const struct bind_schema release_schema = { "release-monitor",
	sizeof(struct release_monitor), release_fields, offsetof(struct release_monitor, at), false };

static const struct bind_field version_transform_fields[] = {
	F("match", STR, struct version_transform, match),
	F("replace", STR, struct version_transform, replace),
	END,
};
static const struct bind_schema version_transform_schema = { "version-transform",
	sizeof(struct version_transform), version_transform_fields,
	offsetof(struct version_transform, at), false };

static const struct bind_field version_source_fields[] = {
	F("name", STR, struct version_source, name),
	F("stream", STR, struct version_source, stream),
	F("ignore", STRS, struct version_source, ignore),
	F("commit_source", STR, struct version_source, commit_source),
	F("use_release", BOOL, struct version_source, use_release),
	END,
};
static const struct bind_schema version_source_schema = { "a source",
	sizeof(struct version_source), version_source_fields, offsetof(struct version_source, at),
	false };
static const struct bind_field version_data_fields[] = {
	F("version_format", STR, struct version_data, version_format),
	SUB("sources", LIST, struct version_data, sources, &version_source_schema),
	END,
};
static const struct bind_schema version_data_schema = { "version_data",
	sizeof(struct version_data), version_data_fields, offsetof(struct version_data, at), false };

static const struct bind_field schedule_fields[] = {
	F("period", STR, struct update_schedule, period),
	F("reason", STR, struct update_schedule, reason),
	END,
};
static const struct bind_schema schedule_schema = { "schedule", sizeof(struct update_schedule),
	schedule_fields, offsetof(struct update_schedule, at), false };

#define U(key, type, field) F(key, type, struct update, field)
static const struct bind_field update_fields[] = {
	U("enabled", BOOL, enabled),
	U("manual", BOOL, manual),
	U("require-sequential", BOOL, require_sequential),
	U("shared", BOOL, shared),
	U("version-separator", STR, version_separator),
	U("ignore-regex-patterns", STRS, ignore_regex_patterns),
	SUB("release-monitor", STRUCT_PTR, struct update, release_monitor, &release_schema),
	SUB("github", STRUCT_PTR, struct update, github, &github_schema),
	SUB("git", STRUCT_PTR, struct update, git, &git_schema),
	SUB("oci", STRUCT_PTR, struct update, oci, &oci_schema),
	SUB("version_data", STRUCT_PTR, struct update, version_data, &version_data_schema),
	SUB("version-transform", LIST, struct update, version_transform, &version_transform_schema),
	U("exclude-reason", STR, exclude_reason),
	SUB("schedule", STRUCT_PTR, struct update, schedule, &schedule_schema),
	U("enable-prerelease-tags", BOOL, enable_prerelease_tags),
	END,
};
const struct bind_schema update_schema = { "update", sizeof(struct update), update_fields,
	offsetof(struct update, at), false };
