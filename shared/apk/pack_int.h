#pragma once

#include "shared/apk/pack.h"
#include "shared/crypto/digest.h"
#include "shared/store/store.h"

/* Shared by pack.c and pack_build.c only. */

#define PACK_MAX_TEXT ((size_t)1 << 31)
#define PACK_MAX_PKGS 2000000

/* Sets the checks of a pack made here. */
void pack_seal(const struct pack *k);
uint32_t pack_name_sum(const struct pack *k, uint32_t name);
uint32_t pack_pkg_sum(const struct pack *k, uint32_t pkg);
uint32_t pack_atoms_sum(const struct pack *k, uint32_t pkg);
uint32_t pack_record_sum(const struct pack *k, uint32_t pkg);
