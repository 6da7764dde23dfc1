#include "melange/config/schema.h"

#include <stddef.h>

#define END { 0 }
#define F(key, type, st, field) { key, BIND_##type, offsetof(st, field), NULL, NULL, 0 }
#define SUB(key, type, st, field, schema)                                                          \
	{ key, BIND_##type, offsetof(st, field), schema, NULL, 0 }
#define SCHEMA(label, st, fields, node) { label, sizeof(st), fields, node, false }

/* steps */

static const struct bind_field step_input_fields[] = {
	F("description", STR, struct step_input, description),
	F("default", STR, struct step_input, dflt),
	F("required", BOOL, struct step_input, required),
	END,
};
static const struct bind_schema step_input_schema = SCHEMA("an input", struct step_input,
	step_input_fields, offsetof(struct step_input, at));

struct needs {
	const struct ynode *at;
	struct ystrs packages;
};
static const struct bind_field needs_fields[] = {
	F("packages", STRS, struct needs, packages),
	F("Packages", STRS, struct needs, packages),
	END,
};
static const struct bind_schema needs_schema =
	SCHEMA("needs", struct needs, needs_fields, offsetof(struct needs, at));

struct assertions {
	const struct ynode *at;
	struct opt_int required_steps;
};
static const struct bind_field assertions_fields[] = {
	F("required-steps", OPT_INT, struct assertions, required_steps),
	END,
};
static const struct bind_schema assertions_schema = SCHEMA("assertions", struct assertions,
	assertions_fields, offsetof(struct assertions, at));

#define STEP_FIELDS                                                                                \
	F("name", STR, struct step, name), F("uses", STR, struct step, uses),                      \
	{ "with", BIND_KVS, offsetof(struct step, with), NULL, NULL, BIND_INPUTS },                \
	F("runs", STR, struct step, runs),                                                         \
	{ "pipeline", BIND_LIST, offsetof(struct step, pipeline), NULL, NULL, BIND_RECURSE },      \
	SUB("inputs", MAP, struct step, inputs, &step_input_schema),                               \
	SUB("needs", STRUCT, struct step, needs, &needs_schema),                                   \
	F("if", STR, struct step, if_), F("label", STR, struct step, label),                       \
	SUB("assertions", STRUCT, struct step, assertions, &assertions_schema),                    \
	F("working-directory", STR, struct step, working_directory),                               \
	F("environment", KVS, struct step, environment)

static const struct bind_field step_fields[] = { STEP_FIELDS, END };
static const struct bind_schema step_schema =
	SCHEMA("a pipeline step", struct step, step_fields, offsetof(struct step, at));

static const struct bind_field definition_fields[] = { STEP_FIELDS, END };
const struct bind_schema definition_schema = {
	"a pipeline definition", sizeof(struct step), definition_fields, offsetof(struct step, at),
	true,
};

/* packages */

static const struct bind_field dependencies_fields[] = {
	F("runtime", STRS, struct dependencies, runtime),
	F("provides", STRS, struct dependencies, provides),
	F("replaces", STRS, struct dependencies, replaces),
	F("provider-priority", STR, struct dependencies, provider_priority),
	F("replaces-priority", STR, struct dependencies, replaces_priority),
	END,
};
static const struct bind_schema dependencies_schema =
	SCHEMA("dependencies", struct dependencies, dependencies_fields, BIND_NO_NODE);

static const struct bind_field pkg_options_fields[] = {
	F("no-provides", BOOL, struct pkg_options, no_provides),
	F("no-depends", BOOL, struct pkg_options, no_depends),
	F("no-commands", BOOL, struct pkg_options, no_commands),
	F("no-versioned-shlib-deps", BOOL, struct pkg_options, no_versioned_shlib_deps),
	END,
};
static const struct bind_schema pkg_options_schema = SCHEMA("options", struct pkg_options,
	pkg_options_fields, offsetof(struct pkg_options, at));

struct trigger {
	const struct ynode *at;
	struct ystr script;
	struct ystrs paths;
};
static const struct bind_field trigger_fields[] = {
	F("script", STR, struct trigger, script),
	F("paths", STRS, struct trigger, paths),
	END,
};
static const struct bind_schema trigger_schema =
	SCHEMA("a trigger", struct trigger, trigger_fields, offsetof(struct trigger, at));

static const struct bind_field scriptlets_fields[] = {
	SUB("trigger", STRUCT, struct scriptlets, trigger, &trigger_schema),
	F("pre-install", STR, struct scriptlets, pre_install),
	F("post-install", STR, struct scriptlets, post_install),
	F("pre-deinstall", STR, struct scriptlets, pre_deinstall),
	F("post-deinstall", STR, struct scriptlets, post_deinstall),
	F("pre-upgrade", STR, struct scriptlets, pre_upgrade),
	F("post-upgrade", STR, struct scriptlets, post_upgrade),
	END,
};
static const struct bind_schema scriptlets_schema = SCHEMA("scriptlets", struct scriptlets,
	scriptlets_fields, offsetof(struct scriptlets, at));

static const struct bind_field copyright_fields[] = {
	F("paths", STRS, struct copyright, paths),
	F("attestation", STR, struct copyright, attestation),
	F("license", STR, struct copyright, license),
	F("license-path", STR, struct copyright, license_path),
	F("detection-override", STR, struct copyright, detection_override),
	END,
};
static const struct bind_schema copyright_schema =
	SCHEMA("copyright", struct copyright, copyright_fields, offsetof(struct copyright, at));

static const struct bind_field setcap_fields[] = {
	F("path", STR, struct setcap, path),
	F("add", KVS, struct setcap, add),
	F("reason", STR, struct setcap, reason),
	END,
};
static const struct bind_schema setcap_schema =
	SCHEMA("setcap", struct setcap, setcap_fields, offsetof(struct setcap, at));

static const struct bind_field cpe_fields[] = {
	F("part", STR, struct cpe, part),
	F("vendor", STR, struct cpe, vendor),
	F("product", STR, struct cpe, product),
	F("edition", STR, struct cpe, edition),
	F("language", STR, struct cpe, language),
	F("sw_edition", STR, struct cpe, sw_edition),
	F("target_sw", STR, struct cpe, target_sw),
	F("target_hw", STR, struct cpe, target_hw),
	F("other", STR, struct cpe, other),
	END,
};
static const struct bind_schema cpe_schema = SCHEMA("cpe", struct cpe, cpe_fields, BIND_NO_NODE);

static const struct bind_field resources_fields[] = {
	F("cpu", STR, struct resources, cpu),
	F("cpumodel", STR, struct resources, cpumodel),
	F("memory", STR, struct resources, memory),
	F("disk", STR, struct resources, disk),
	END,
};
static const struct bind_schema resources_schema =
	SCHEMA("resources", struct resources, resources_fields, BIND_NO_NODE);

struct checks {
	struct ystrs disabled;
};
static const struct bind_field checks_fields[] = {
	F("disabled", STRS, struct checks, disabled),
	END,
};
static const struct bind_schema checks_schema =
	SCHEMA("checks", struct checks, checks_fields, BIND_NO_NODE);

static const struct bind_field package_fields[] = {
	F("name", STR, struct package, name),
	F("version", STR, struct package, version),
	F("epoch", UINT, struct package, epoch),
	F("description", STR, struct package, description),
	F("annotations", KVS, struct package, annotations),
	F("url", STR, struct package, url),
	F("commit", STR, struct package, commit),
	F("target-architecture", STRS, struct package, target_architecture),
	SUB("copyright", LIST, struct package, copyright, &copyright_schema),
	SUB("dependencies", STRUCT, struct package, dependencies, &dependencies_schema),
	SUB("options", STRUCT_PTR, struct package, options, &pkg_options_schema),
	SUB("scriptlets", STRUCT_PTR, struct package, scriptlets, &scriptlets_schema),
	SUB("checks", STRUCT, struct package, checks, &checks_schema),
	SUB("cpe", STRUCT, struct package, cpe, &cpe_schema),
	SUB("setcap", LIST, struct package, setcap, &setcap_schema),
	F("timeout", DURATION, struct package, timeout),
	SUB("resources", STRUCT, struct package, resources, &resources_schema),
	SUB("test-resources", STRUCT_PTR, struct package, test_resources, &resources_schema),
	END,
};
static const struct bind_schema package_schema =
	SCHEMA("package", struct package, package_fields, offsetof(struct package, at));

static const struct bind_field test_fields[] = {
	SUB("environment", STRUCT, struct test, environment, &imgconf_schema),
	SUB("pipeline", LIST, struct test, pipeline, &step_schema),
	END,
};
static const struct bind_schema test_schema =
	SCHEMA("test", struct test, test_fields, offsetof(struct test, at));

static const struct bind_field subpackage_fields[] = {
	F("name", STR, struct subpackage, name),
	F("range", STR, struct subpackage, range),
	F("if", STR, struct subpackage, if_),
	F("description", STR, struct subpackage, description),
	F("url", STR, struct subpackage, url),
	F("commit", STR, struct subpackage, commit),
	F("annotations", KVS, struct subpackage, annotations),
	SUB("dependencies", STRUCT, struct subpackage, dependencies, &dependencies_schema),
	SUB("options", STRUCT_PTR, struct subpackage, options, &pkg_options_schema),
	SUB("scriptlets", STRUCT_PTR, struct subpackage, scriptlets, &scriptlets_schema),
	SUB("checks", STRUCT, struct subpackage, checks, &checks_schema),
	SUB("pipeline", LIST, struct subpackage, pipeline, &step_schema),
	SUB("test", STRUCT_PTR, struct subpackage, test, &test_schema),
	SUB("setcap", LIST, struct subpackage, setcap, &setcap_schema),
	END,
};
static const struct bind_schema subpackage_schema =
	SCHEMA("a subpackage", struct subpackage, subpackage_fields, offsetof(struct subpackage, at));

/* the rest of the file */

static const struct bind_field data_fields[] = {
	F("name", STR, struct data_set, name),
	F("items", KVS, struct data_set, items),
	END,
};
static const struct bind_schema data_schema =
	SCHEMA("data", struct data_set, data_fields, offsetof(struct data_set, at));

static const struct bind_field transform_fields[] = {
	F("from", STR, struct transform, from),
	F("match", STR, struct transform, match),
	F("replace", STR, struct transform, replace),
	F("to", STR, struct transform, to),
	END,
};
static const struct bind_schema transform_schema =
	SCHEMA("var-transforms", struct transform, transform_fields, offsetof(struct transform, at));

struct capabilities {
	struct ystrs add, drop;
};
static const struct bind_field capabilities_fields[] = {
	F("add", STRS, struct capabilities, add),
	F("drop", STRS, struct capabilities, drop),
	END,
};
static const struct bind_schema capabilities_schema =
	SCHEMA("capabilities", struct capabilities, capabilities_fields, BIND_NO_NODE);

/* Build options are read in lower case and, as `compile` of the existing tool prints them, in
 * capitals. */
struct option_packages {
	struct ystrs add, remove;
};
static const struct bind_field option_packages_fields[] = {
	F("add", STRS, struct option_packages, add),
	F("remove", STRS, struct option_packages, remove),
	F("Add", STRS, struct option_packages, add),
	F("Remove", STRS, struct option_packages, remove),
	END,
};
static const struct bind_schema option_packages_schema =
	SCHEMA("packages", struct option_packages, option_packages_fields, BIND_NO_NODE);
struct option_contents {
	struct option_packages packages;
};
static const struct bind_field option_contents_fields[] = {
	SUB("packages", STRUCT, struct option_contents, packages, &option_packages_schema),
	SUB("Packages", STRUCT, struct option_contents, packages, &option_packages_schema),
	END,
};
static const struct bind_schema option_contents_schema =
	SCHEMA("contents", struct option_contents, option_contents_fields, BIND_NO_NODE);
struct option_environment {
	struct option_contents contents;
};
static const struct bind_field option_environment_fields[] = {
	SUB("contents", STRUCT, struct option_environment, contents, &option_contents_schema),
	SUB("Contents", STRUCT, struct option_environment, contents, &option_contents_schema),
	END,
};
static const struct bind_schema option_environment_schema =
	SCHEMA("environment", struct option_environment, option_environment_fields, BIND_NO_NODE);
static const struct bind_field build_option_fields[] = {
	F("vars", KVS, struct build_option, vars),
	F("Vars", KVS, struct build_option, vars),
	SUB("environment", STRUCT, struct build_option, environment, &option_environment_schema),
	SUB("Environment", STRUCT, struct build_option, environment, &option_environment_schema),
	END,
};
static const struct bind_schema build_option_schema = SCHEMA("a build option",
	struct build_option, build_option_fields, offsetof(struct build_option, at));

static const struct bind_field config_fields[] = {
	SUB("package", STRUCT, struct config, package, &package_schema),
	SUB("environment", STRUCT, struct config, environment, &imgconf_schema),
	SUB("capabilities", STRUCT, struct config, capabilities, &capabilities_schema),
	SUB("pipeline", LIST, struct config, pipeline, &step_schema),
	SUB("subpackages", LIST, struct config, subpackages, &subpackage_schema),
	SUB("data", LIST, struct config, data, &data_schema),
	SUB("update", STRUCT, struct config, update, &update_schema),
	F("vars", KVS, struct config, vars),
	SUB("var-transforms", LIST, struct config, transforms, &transform_schema),
	SUB("options", MAP, struct config, options, &build_option_schema),
	SUB("test", STRUCT_PTR, struct config, test, &test_schema),
	END,
};
const struct bind_schema config_schema =
	SCHEMA("the build file", struct config, config_fields, BIND_NO_NODE);
