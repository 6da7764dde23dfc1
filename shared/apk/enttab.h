#pragma once

#include "shared/apk/expand.h"
#include "shared/archive/tar.h"

/* The entry table of a data tar as kept in the store: one compact block, native byte order,
 * guarded by a checksum. What was written by another version, or is cut or damaged, does not
 * load. */

/* What tells that a data tar is the file the table was written for. */
struct enttab_stamp {
	uint64_t size;
	int64_t mtime, mtime_nsec;
	uint64_t ino;
};

struct enttab {
	struct buf recs, xattrs, strings;
	size_t n, n_xattrs;
	struct str uname, gname;	/* last ones, in strings: mostly all are alike */
	uint32_t uname_at, gname_at;
};
#define auto_enttab cleanup_with(enttab_release)

void enttab_init(struct enttab *t);
void enttab_release(struct enttab *t);
/* Fields of e are copied; pax gives the extended attributes. */
void enttab_add(struct enttab *t, const struct apk_entry *e, const struct tar_paxes *pax);
bool enttab_over(const struct enttab *t);	/* too big: what was added since is lost */
/* The block, replacing what out holds. crc is the data tar's CRC-32. */
void enttab_write(const struct enttab *t, const struct enttab_stamp *stamp, uint32_t crc,
	struct buf *out);

struct enttab_loaded {
	struct apk_entry *entries;
	size_t n;
	struct enttab_stamp stamp;
	uint32_t crc;
};
/* Texts point into bytes, which must stay; entries come from the arena. False: not a table. */
bool enttab_load(struct str bytes, struct arena *a, struct enttab_loaded *ret) must_check;
/* Puts another stamp into a block that was loaded. */
void enttab_restamp(char *bytes, size_t n, const struct enttab_stamp *stamp);

/* Reads a data tar and adds its entries, refusing what no package may hold (apk-format 8): bad
 * names, duplicates, entries beneath links, wrong checksums, more than max_entries. */
bool datatar_scan(struct source *from, uint64_t max_entries, struct enttab *t, struct err *err)
	must_check;
