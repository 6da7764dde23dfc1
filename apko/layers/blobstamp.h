#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/store/store.h"

/* Layer blobs of the store are linked into layouts, where anyone may write to them. What they
 * were when they were made is recorded (size, inode, times, CRC-32): a blob that is still that is
 * used as it is; one that was linked or unlinked since is read and its checksum compared; one
 * that was written to is hashed. What does not agree is dropped from the store. */

/* Records a blob that was just made; a failure only costs time later. */
void blobstamp_put(struct store *s, const char *hex, uint32_t crc);
/* The object STORE_LAYER of this digest is there and has the bytes it is named by. */
bool blobstamp_holds(struct store *s, const char *hex, uint64_t size);
