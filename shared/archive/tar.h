#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/archive/stream.h"
#include "shared/base/arena.h"
#include "shared/base/vec.h"

/* Deterministic ustar/pax: the encoding of Go's archive/tar that both tools' formats require
 * (apk-format 1.2), and a reader for hostile archives. */

struct tar_pax {
	struct str key, val; /* val may hold any bytes */
};
struct tar_paxes {
	struct tar_pax *v;
	size_t n, cap;
};

struct tar_entry {
	struct str name; /* as stored: no trailing slash is added or removed */
	char type;       /* '0' regular, '1' hard link, '2' symlink, '3' char, '4' block,
			  * '5' directory, '6' fifo */
	uint32_t mode;   /* permission and special bits, no type */
	int64_t uid, gid;
	uint64_t size;   /* of the content that follows; 0 unless regular */
	int64_t mtime;   /* seconds; a fraction in a pax record rounds half up */
	struct str link; /* of '1' and '2' */
	struct str uname, gname;
	uint32_t major, minor; /* of '3' and '4' */
	/* Writing: records beyond those the encoding itself needs (APK-TOOLS.checksum.SHA1,
	 * SCHILY.xattr.*), any order. Reading: all records but path, linkpath, size, uid, gid,
	 * uname, gname, mtime, which are already applied. */
	struct tar_paxes pax;
};

/* Appends header blocks (a pax header in front where one is needed). */
bool tar_header(const struct tar_entry *e, struct buf *out, struct err *err) must_check;
static inline unsigned tar_padding(uint64_t size)
{
	return (unsigned)(-size & 511);
}
#define TAR_END_SIZE 1024 /* two zero blocks */

/* Reading. Accepts v7, ustar, GNU (long names included) and pax; rejects header checksum
 * errors, other magics, unknown types, sparse files, negative or oversized numbers, sizes on what
 * has no content, pax records that lie, global ones that would change entries, NUL in pax path or
 * linkpath, more than 256 records or 1 MiB of them per entry. Names are given
 * as stored; tar_name_ok says whether one may be used. */
struct tar_reader {
	struct source *from;
	const char *name;    /* of the archive, for messages */
	struct arena *arena; /* texts of entries; the caller may reset it between entries */
	uint64_t at;         /* bytes consumed so far, headers and padding included */
	uint64_t left;       /* content of the current entry not yet read */
	unsigned pad;
	bool ended; /* both end blocks seen */
	bool failed;
};
void tar_reader_init(
	struct tar_reader *r, struct source *from, const char *name, struct arena *arena);
/* 1: *ret_entry is the next entry; 0: end (missing end blocks are tolerated: r->ended false);
 * -1: err set. Unread content is skipped. */
int tar_next(struct tar_reader *r, struct tar_entry *ret_entry, struct err *err) must_check;
/* Content of the current entry; 0 at its end. */
ssize_t tar_read(struct tar_reader *r, void *p, size_t n, struct err *err) must_check;
/* After the end: fails if anything but zero bytes follows. */
bool tar_finish(struct tar_reader *r, struct err *err) must_check;
/* Strips one leading "./" and one trailing "/" and checks path_is_safe; the usable name. */
bool tar_name_ok(struct str stored, struct str *ret_name);
