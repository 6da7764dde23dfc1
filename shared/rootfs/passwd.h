#pragma once

#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* passwd and group texts: strict reading (7 and 4 fields, numbers in decimal; a blank or comment
 * line is an error naming file and line), and names by id. */

struct passwd_user {
	struct str name, gecos, home, shell;
	int64_t uid, gid;
};
struct passwd_group {
	struct str name, members;
	int64_t gid;
};
struct passwd_users {
	struct passwd_user *v;
	size_t n, cap;
};
struct passwd_groups {
	struct passwd_group *v;
	size_t n, cap;
};
/* Texts are slices of `text`. */
bool passwd_parse(struct str text, const char *file, struct arena *a, struct passwd_users *ret,
	struct err *err) must_check;
bool group_parse(struct str text, const char *file, struct arena *a, struct passwd_groups *ret,
	struct err *err) must_check;
/* Checks that every line has n fields. */
bool passwd_check_fields(struct str text, const char *file, unsigned n, struct err *err) must_check;

/* Names of ids as archives show them: of several lines with one id the last counts; lines that do
 * not parse are passed over. Empty when unknown. */
struct id_names {
	struct str passwd, group;
};
struct str id_user(const struct id_names *ids, int64_t uid);
struct str id_group(const struct id_names *ids, int64_t gid);
