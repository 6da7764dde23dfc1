#include "shared/image/imgconf.h"

#include <stddef.h>
#include <string.h>

#define END                                                                                        \
	{                                                                                          \
		0                                                                                  \
	}
#define F(key, type, st, field)                                                                    \
	{                                                                                          \
		key, BIND_##type, offsetof(st, field), NULL, NULL, 0                               \
	}
#define SUB(key, type, st, field, schema)                                                          \
	{                                                                                          \
		key, BIND_##type, offsetof(st, field), schema, NULL, 0                             \
	}
#define SCHEMA(label, st, fields)                                                                  \
	{                                                                                          \
		label, sizeof(st), fields, offsetof(st, at), false                                 \
	}

static const struct bind_field key_fields[] = {
	F("name", STR, struct imgconf_key, name),
	F("content", STR, struct imgconf_key, content),
	END,
};
static const struct bind_schema key_schema =
	SCHEMA("runtime_keyring", struct imgconf_key, key_fields);

static const struct bind_field base_fields[] = {
	F("image", STR, struct imgconf_base, image),
	F("apkindex", STR, struct imgconf_base, apkindex),
	END,
};
static const struct bind_schema base_schema = SCHEMA("baseimage", struct imgconf_base, base_fields);

#define IN_CONTENTS(field)                                                                         \
	(offsetof(struct imgconf, contents.field) - offsetof(struct imgconf, contents))
#define C(key, type, field)                                                                        \
	{                                                                                          \
		key, BIND_##type, IN_CONTENTS(field), NULL, NULL, 0                                \
	}
static const struct bind_field contents_fields[] = {
	C("build_repositories", STRS, build_repositories),
	C("runtime_repositories", STRS, runtime_repositories),
	C("repositories", STRS, repositories),
	C("keyring", STRS, keyring),
	{"runtime_keyring", BIND_LIST, IN_CONTENTS(runtime_keyring), &key_schema, NULL, 0},
	C("packages", STRS, packages),
	{"baseimage", BIND_STRUCT_PTR, IN_CONTENTS(baseimage), &base_schema, NULL, 0},
	END,
};
static const struct bind_schema contents_schema = {
	"contents", sizeof(((struct imgconf *)0)->contents), contents_fields, BIND_NO_NODE, false};

#define IN_ENTRYPOINT(field)                                                                       \
	(offsetof(struct imgconf, entrypoint.field) - offsetof(struct imgconf, entrypoint))
static const struct bind_field entrypoint_fields[] = {
	{"type", BIND_STR, IN_ENTRYPOINT(type), NULL, NULL, 0},
	{"command", BIND_STR, IN_ENTRYPOINT(command), NULL, NULL, 0},
	{"shell-fragment", BIND_STR, IN_ENTRYPOINT(shell_fragment), NULL, NULL, 0},
	{"services", BIND_KVS, IN_ENTRYPOINT(services), NULL, NULL, 0},
	END,
};
static const struct bind_schema entrypoint_schema = {"entrypoint",
	sizeof(((struct imgconf *)0)->entrypoint), entrypoint_fields, BIND_NO_NODE, false};

static const struct bind_field user_fields[] = {
	F("username", STR, struct imgconf_user, username),
	F("uid", OPT_INT, struct imgconf_user, uid),
	F("gid", OPT_INT, struct imgconf_user, gid),
	F("shell", STR, struct imgconf_user, shell),
	F("homedir", STR, struct imgconf_user, homedir),
	END,
};
static const struct bind_schema user_schema = SCHEMA("a user", struct imgconf_user, user_fields);

static const struct bind_field group_fields[] = {
	F("groupname", STR, struct imgconf_group, groupname),
	F("gid", OPT_INT, struct imgconf_group, gid),
	F("members", STRS, struct imgconf_group, members),
	END,
};
static const struct bind_schema group_schema =
	SCHEMA("a group", struct imgconf_group, group_fields);

#define IN_ACCOUNTS(field)                                                                         \
	(offsetof(struct imgconf, accounts.field) - offsetof(struct imgconf, accounts))
static const struct bind_field accounts_fields[] = {
	{"run-as", BIND_STR, IN_ACCOUNTS(run_as), NULL, NULL, 0},
	{"users", BIND_LIST, IN_ACCOUNTS(users), &user_schema, NULL, 0},
	{"groups", BIND_LIST, IN_ACCOUNTS(groups), &group_schema, NULL, 0},
	END,
};
static const struct bind_schema accounts_schema = {
	"accounts", sizeof(((struct imgconf *)0)->accounts), accounts_fields, BIND_NO_NODE, false};

static const struct bind_field path_fields[] = {
	F("path", STR, struct imgconf_path, path),
	F("type", STR, struct imgconf_path, type),
	F("uid", OPT_INT, struct imgconf_path, uid),
	F("gid", OPT_INT, struct imgconf_path, gid),
	F("permissions", OPT_INT, struct imgconf_path, permissions),
	F("source", STR, struct imgconf_path, source),
	F("recursive", BOOL, struct imgconf_path, recursive),
	END,
};
static const struct bind_schema path_schema = SCHEMA("a path", struct imgconf_path, path_fields);

static const struct bind_field layering_fields[] = {
	F("strategy", STR, struct imgconf_layering, strategy),
	F("budget", OPT_INT, struct imgconf_layering, budget),
	END,
};
static const struct bind_schema layering_schema =
	SCHEMA("layering", struct imgconf_layering, layering_fields);

static const struct bind_field cert_fields[] = {
	F("name", STR, struct imgconf_cert, name),
	F("content", STR, struct imgconf_cert, content),
	END,
};
static const struct bind_schema cert_schema =
	SCHEMA("a certificate", struct imgconf_cert, cert_fields);
static const struct bind_field certs_fields[] = {
	SUB("additional", LIST, struct imgconf_certs, additional, &cert_schema),
	F("providers", STRS, struct imgconf_certs, providers),
	END,
};
static const struct bind_schema certs_schema =
	SCHEMA("certificates", struct imgconf_certs, certs_fields);

static const struct bind_field imgconf_fields[] = {
	SUB("contents", STRUCT, struct imgconf, contents, &contents_schema),
	SUB("entrypoint", STRUCT, struct imgconf, entrypoint, &entrypoint_schema),
	F("cmd", STR, struct imgconf, cmd),
	F("stop-signal", STR, struct imgconf, stop_signal),
	F("work-dir", STR, struct imgconf, work_dir),
	SUB("accounts", STRUCT, struct imgconf, accounts, &accounts_schema),
	F("archs", STRS, struct imgconf, archs),
	F("environment", KVS, struct imgconf, environment),
	SUB("paths", LIST, struct imgconf, paths, &path_schema),
	F("vcs-url", STR, struct imgconf, vcs_url),
	F("annotations", KVS, struct imgconf, annotations),
	F("include", STR, struct imgconf, include),
	F("volumes", STRS, struct imgconf, volumes),
	SUB("layering", STRUCT_PTR, struct imgconf, layering, &layering_schema),
	F("format", STR, struct imgconf, format),
	SUB("certificates", STRUCT_PTR, struct imgconf, certificates, &certs_schema),
	END,
};
const struct bind_schema imgconf_schema =
	SCHEMA("the image configuration", struct imgconf, imgconf_fields);

static void copy_strs(struct arena *a, struct ystrs *list)
{
	list->v = arena_dup(a, list->v, list->n * sizeof(*list->v));
	list->cap = list->n;
}

static void copy_kvs(struct arena *a, struct ykvs *kv)
{
	kv->v = arena_dup(a, kv->v, kv->n * sizeof(*kv->v));
	kv->cap = kv->n;
}

static void copy_list(struct arena *a, struct bind_list *list, size_t size)
{
	list->v = arena_dup(a, list->v, list->n * size);
}

void imgconf_copy(const struct imgconf *c, struct arena *a, struct imgconf *ret)
{
	*ret = *c;
	struct ystrs *lists[] = {&ret->contents.keyring, &ret->contents.repositories,
		&ret->contents.build_repositories, &ret->contents.runtime_repositories,
		&ret->contents.packages, &ret->archs, &ret->volumes};
	for (size_t i = 0; i < countof(lists); i++)
		copy_strs(a, lists[i]);
	copy_kvs(a, &ret->environment);
	copy_kvs(a, &ret->annotations);
	copy_kvs(a, &ret->entrypoint.services);
	copy_list(a, &ret->contents.runtime_keyring, sizeof(struct imgconf_key));
	copy_list(a, &ret->accounts.users, sizeof(struct imgconf_user));
	copy_list(a, &ret->accounts.groups, sizeof(struct imgconf_group));
	copy_list(a, &ret->paths, sizeof(struct imgconf_path));
}
