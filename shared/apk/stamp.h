#pragma once

#include <sys/stat.h>
#include "shared/apk/keyring.h"
#include "shared/store/store.h"

/* What a verification has proved, so that it need not be done again: that a file was verified with
 * just these keys (names and texts), and the digest that came of it. It holds as long as device,
 * inode, size and times of the file are the same, the time of the last change among them, which
 * nobody sets: the file has not been written since. One stamp a file. */

/* st: of the file. keys NULL: it was read without verification. False when there is no stamp. */
bool stamp_find(struct store *s, const struct stat *st, const struct keyring *keys,
	uint8_t ret_digest[SHA256_SIZE]);
/* before: from before the file was read. Nothing is kept of a file that has changed since, or so
 * lately that another change might not show in its times. */
void stamp_save(struct store *s, int fd, const struct stat *before, const struct keyring *keys,
	const uint8_t digest[SHA256_SIZE]);
