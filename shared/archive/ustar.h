#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/str.h"

/* The header block that the tar reader and writer share. */

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag;
	char linkname[100], magic[8], uname[32], gname[32], devmajor[8], devminor[8];
	char prefix[155], unused[12];
};
_Static_assert(sizeof(struct ustar) == 512, "a tar block has 512 bytes");

#define USTAR_MAGIC                                                                                \
	"ustar\0"                                                                                  \
	"00"
#define GNU_MAGIC "ustar  "

/* Sum of the block's bytes with blanks for the checksum. */
int32_t ustar_sum(const struct ustar *h);
/* Keys of pax records that stand for a field of struct tar_entry. */
bool ustar_key_known(struct str key);
