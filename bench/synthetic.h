#pragma once

#include <stdint.h>
#include "shared/base/buf.h"

/* A made-up index the size and shape of a large rolling distribution's: names with several versions
 * each, subpackages, shared libraries, commands, dependencies on what came before, descriptions; a
 * request of 300 names needs 800 packages, as it does of a real one. The
 * same count gives the same bytes. */
void synthetic_index(unsigned n_pkgs, struct buf *out);
/* n names of it, blank-separated, picked by seed. */
void synthetic_request(unsigned n_pkgs, unsigned n, uint32_t seed, struct buf *out);
