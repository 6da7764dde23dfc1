#pragma once

#include <stdint.h>

/* How long the parts of a build take, for those who want to know (--log-level debug). */

/* Starts a phase. */
int64_t phase_begin(void);
/* Logs `phase NAME: N ms` for the phase begun at *at, and begins the next one there. */
void phase_end(int64_t *at, const char *name);
