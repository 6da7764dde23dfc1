#pragma once

#include "shared/base/map.h"
#include "shared/rootfs/tree.h"

/* Ids of the owners that v3 packages name: as the tree's etc/passwd and etc/group have them, else
 * as configured, else 0 for root and 65534 for anybody unknown. */

struct owner_id {
	struct str name;
	int64_t id;
};
struct owner_ids {
	const struct owner_id *v;
	size_t n;
};
struct owners {
	struct map users, groups;	/* to int64_t */
};
#define auto_owners cleanup_with(owners_release)
/* Lines that are none are passed over. Texts and entries live in the arena. */
bool owners_read(struct owners *o, struct tree *t, const struct owner_ids *users,
	const struct owner_ids *groups, struct arena *a, struct err *err) must_check;
void owners_release(struct owners *o);
int64_t owners_user(const struct owners *o, struct str name);
int64_t owners_group(const struct owners *o, struct str name);
