#pragma once

#include <stdint.h>
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* Java key stores of type JKS, version 2, protected by the usual password "changeit": read,
 * trusted certificates added, written. Entries are kept as they are but for their aliases, which
 * are lower case, and their order, which is that of the aliases. Of two entries with one alias
 * the later counts. */

struct jks_entry {
	struct str alias;
	uint32_t tag; /* 1 private key, 2 trusted certificate */
	uint64_t time_ms;
	struct str rest; /* what follows the time, encoded */
};
struct jks {
	VEC(struct jks_entry) list;
};

/* Texts of ret are slices of `bytes` or the arena's. EK_PARSE for another format or version,
 * EK_TRUST when the digest does not agree. */
bool jks_read(struct str bytes, struct arena *a, struct jks *ret, struct err *err) must_check;
/* Adds a trusted X.509 certificate, or replaces the entry of that alias. */
void jks_put(struct jks *j, struct str alias, struct str der, uint64_t time_ms, struct arena *a);
void jks_write(const struct jks *j, struct arena *a, struct buf *out);
