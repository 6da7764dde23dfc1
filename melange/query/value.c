#include "melange/query/value.h"

#include <ctype.h>
#include <string.h>

#include "melange/config/schema.h"

struct gval gval_str(struct str s)
{
	return (struct gval){ .kind = GV_STR, .s = s };
}

struct gval gval_int(int64_t i)
{
	return (struct gval){ .kind = GV_INT, .i = i };
}

struct gval gval_bool(bool b)
{
	return (struct gval){ .kind = GV_BOOL, .b = b };
}

struct gval gval_config(const struct config *c)
{
	return (struct gval){ GV_STRUCT, true, &config_schema, c, { 0 } };
}

bool gval_true(struct gval v)
{
	size_t n;
	switch (v.kind) {
	case GV_NONE:
	case GV_NIL:
		return false;
	case GV_BOOL:
		return v.b;
	case GV_INT:
	case GV_UINT:
	case GV_DURATION:
		return v.i != 0;
	case GV_STRUCT:
		return v.p;
	default:
		return gval_len(v, &n) && n > 0;
	}
}

/* Names */

/* Keys whose Go name is not simply their words with capitals. */
static const struct {
	const char *key, *name;
} odd_names[] = {
	{ "url", "URL" },
	{ "cpe", "CPE" },
	{ "sw_edition", "SWEdition" },
	{ "target_sw", "TargetSW" },
	{ "target_hw", "TargetHW" },
	{ "cpu", "CPU" },
	{ "cpumodel", "CPUModel" },
	{ "setcap", "SetCap" },
	{ "working-directory", "WorkDir" },
	{ "release-monitor", "ReleaseMonitor" },
	{ "github", "GitHubMonitor" },
	{ "git", "GitMonitor" },
	{ "oci", "OCIMonitor" },
	{ "version_data", "VersionDataMonitor" },
	{ "use-tag", "UseTags" },
	{ "enable-prerelease-tags", "EnablePreReleaseTags" },
	{ "version_format", "Format" },
	{ "username", "UserName" },
	{ "uid", "UID" },
	{ "gid", "GID" },
	{ "homedir", "HomeDir" },
	{ "groupname", "GroupName" },
	{ "runtime_repositories", "RuntimeOnlyRepositories" },
	{ "baseimage", "BaseImage" },
	{ "vcs-url", "VCSUrl" },
};

static void go_name(const char *key, struct gfield *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < countof(odd_names); i++) {
		if (str_is(str_of(key), odd_names[i].key)) {
			strcpy(ret->name, odd_names[i].name);
			return;
		}
	}
	for (const char *p = key; *p && n + 1 < sizeof(ret->name); p++) {
		bool first = p == key || p[-1] == '-' || p[-1] == '_';
		if (*p != '-' && *p != '_')
			ret->name[n++] = first ? (char)toupper((unsigned char)*p) : *p;
	}
}

/* Go's type of each struct that a build file is made of, by the name of its table; `pointer`: held
 * by pointer there, though not here. */
static const struct type_name {
	const char *schema, *type;
	bool pointer;
} type_names[] = {
	{ "the build file", "config.Configuration", false },
	{ "package", "config.Package", false },
	{ "a pipeline step", "config.Pipeline", false },
	{ "an input", "config.Input", false },
	{ "needs", "config.Needs", true },
	{ "assertions", "config.PipelineAssertions", true },
	{ "dependencies", "config.Dependencies", false },
	{ "options", "config.PackageOption", false },
	{ "a trigger", "config.Trigger", false },
	{ "scriptlets", "config.Scriptlets", false },
	{ "copyright", "config.Copyright", false },
	{ "setcap", "config.Capability", false },
	{ "cpe", "config.CPE", false },
	{ "resources", "config.Resources", false },
	{ "checks", "config.Checks", false },
	{ "test", "config.Test", false },
	{ "a subpackage", "config.Subpackage", false },
	{ "data", "config.RangeData", false },
	{ "var-transforms", "config.VarTransforms", false },
	{ "capabilities", "config.Capabilities", false },
	{ "a build option", "config.BuildOption", false },
	{ "update", "config.Update", false },
	{ "github", "config.GitHubMonitor", false },
	{ "git", "config.GitMonitor", false },
	{ "oci", "config.OCIMonitor", false },
	{ "release-monitor", "config.ReleaseMonitor", false },
	{ "version-transform", "config.VersionTransform", false },
	{ "schedule", "config.Schedule", false },
	{ "the image configuration", "types.ImageConfiguration", false },
	{ "contents", "types.ImageContents", false },
	{ "entrypoint", "types.ImageEntrypoint", false },
	{ "accounts", "types.ImageAccounts", false },
	{ "a user", "types.User", false },
	{ "a group", "types.Group", false },
	{ "a path", "types.PathMutation", false },
};

static const struct type_name *type_of(const struct bind_schema *s)
{
	for (size_t i = 0; i < countof(type_names); i++)
		if (str_is(str_of(s->name), type_names[i].schema))
			return &type_names[i];
	return NULL;
}

static const char *struct_type(const struct bind_schema *s)
{
	const struct type_name *t = type_of(s);
	return t ? t->type : s->name;
}

const char *gval_type(struct gval v, struct arena *a)
{
	switch (v.kind) {
	case GV_NONE:
	case GV_NIL:
		return "nil";
	case GV_BOOL:
		return "bool";
	case GV_INT:
		return "int";
	case GV_UINT:
		return "uint64";
	case GV_DURATION:
		return "time.Duration";
	case GV_STR:
		return "string";
	case GV_STRS:
		return "[]string";
	case GV_KVS:
		return "map[string]string";
	case GV_STRUCT:
		return arena_printf(a, "%s%s", v.pointer ? "*" : "", struct_type(v.schema));
	case GV_LIST:
		return arena_printf(a, "[]%s", struct_type(v.schema));
	case GV_MAP:
		return arena_printf(a, "map[string]%s", struct_type(v.schema));
	}
	return "";
}

/* Elements */

bool gval_len(struct gval v, size_t *ret)
{
	switch (v.kind) {
	case GV_STR:
		*ret = v.s.n;
		return true;
	case GV_STRS:
		*ret = ((const struct ystrs *)v.p)->n;
		return true;
	case GV_KVS:
		*ret = ((const struct ykvs *)v.p)->n;
		return true;
	case GV_LIST:
		*ret = ((const struct bind_list *)v.p)->n;
		return true;
	case GV_MAP:
		*ret = ((const struct bind_map *)v.p)->n;
		return true;
	default:
		return false;
	}
}

static struct gval element(struct gval of, const void *p)
{
	return (struct gval){ GV_STRUCT, false, of.schema, p, { 0 } };
}

static struct str key_at(struct gval map, size_t i)
{
	return map.kind == GV_KVS ? ((const struct ykvs *)map.p)->v[i].key
				  : ((const struct bind_map *)map.p)->v[i].key;
}

struct strs gval_keys(struct gval v, struct arena *a)
{
	struct strs keys = { 0 };
	size_t n = 0;
	if (v.kind != GV_KVS && v.kind != GV_MAP)
		return keys;
	(void)gval_len(v, &n);
	for (size_t k = 0; k < n; k++)
		strs_push(a, &keys, key_at(v, k));
	strs_sort(&keys);
	return keys;
}

struct gval gval_item(struct gval list, size_t i)
{
	if (list.kind == GV_STRS)
		return gval_str(((const struct ystrs *)list.p)->v[i].s);
	const struct bind_list *l = list.p;
	return element(list, (const char *)l->v + i * list.schema->size);
}

struct gval gval_get(struct gval map, struct str key)
{
	const struct ystr *val = map.kind == GV_KVS ? ykvs_get(map.p, key) : NULL;
	if (val)
		return gval_str(val->s);
	const struct bind_map *m = map.kind == GV_MAP ? map.p : NULL;
	for (size_t i = 0; m && i < m->n; i++)
		if (str_eq(m->v[i].key, key))
			return element(map, m->v[i].val);
	return (struct gval){ .kind = GV_NONE };
}

struct gval gval_zero_entry(struct gval map)
{
	return map.kind == GV_KVS ? gval_str(STR_NONE) : element(map, NULL);
}

/* Fields */

static struct gval field_value(const struct bind_field *f, const struct bind_schema *of,
	const char *at)
{
	const struct bind_schema *sub = f->flags & BIND_RECURSE ? of : f->sub;
	struct gval v = { .schema = sub, .p = at };
	const struct type_name *t;
	switch (f->type) {
	case BIND_STR:
		return gval_str(((const struct ystr *)(const void *)at)->s);
	case BIND_BOOL:
		return gval_bool(*(const bool *)at);
	case BIND_INT:
		return gval_int(*(const int64_t *)(const void *)at);
	case BIND_OPT_INT:
		return gval_int(((const struct opt_int *)(const void *)at)->n);
	case BIND_UINT:
		v.kind = GV_UINT;
		v.u = *(const uint64_t *)(const void *)at;
		return v;
	case BIND_DURATION:
		v.kind = GV_DURATION;
		v.i = *(const int64_t *)(const void *)at;
		return v;
	case BIND_STRS:
		v.kind = GV_STRS;
		return v;
	case BIND_KVS:
		v.kind = GV_KVS;
		return v;
	case BIND_LIST:
		v.kind = GV_LIST;
		return v;
	case BIND_MAP:
		v.kind = GV_MAP;
		return v;
	case BIND_STRUCT:
		t = type_of(sub);
		v.kind = GV_STRUCT;
		v.pointer = t && t->pointer;
		if (v.pointer && sub->node_offset != BIND_NO_NODE &&
			!*(const void *const *)(const void *)(at + sub->node_offset))
			v.p = NULL;
		return v;
	case BIND_STRUCT_PTR:
		v.kind = GV_STRUCT;
		v.pointer = true;
		v.p = *(const void *const *)(const void *)at;
		return v;
	case BIND_NODE:
		break;
	}
	return (struct gval){ .kind = GV_NONE };
}

/* Keys that may be written in two ways have two entries for one field. */
static bool seen_before(const struct bind_field *fields, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (fields[k].offset == fields[i].offset)
			return true;
	return false;
}

struct gfield gval_field_at(struct gval v, size_t *next, struct arena *a)
{
	const struct bind_field *f = v.schema->fields;
	while (f[*next].key && seen_before(f, *next))
		++*next;
	const struct bind_field *at = &f[*next];
	if (!at->key)
		return (struct gfield){ 0 };
	++*next;
	const char *base = v.p ? v.p : arena_alloc(a, v.schema->size);
	struct gfield ret = { .val = field_value(at, v.schema, base + at->offset) };
	go_name(at->key, &ret);
	return ret;
}

bool gval_field(struct gval v, struct str name, struct arena *a, struct gval *ret)
{
	size_t next = 0;
	for (struct gfield f; (f = gval_field_at(v, &next, a)).name[0];) {
		if (!str_is(name, f.name))
			continue;
		*ret = f.val;
		return true;
	}
	return false;
}
