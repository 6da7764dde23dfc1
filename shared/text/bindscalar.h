#pragma once

#include "shared/text/bind.h"

/* Scalars to values: one function per type, each adding to diags what is wrong. `what` names the
 * key in messages. They return false, leaving *out alone, when the node does not fit. */

bool bind_bool(const struct ynode *n, const char *what, bool *out, struct diags *d);
/* quoted: the digits may stand in quotes. */
bool bind_int(const struct ynode *n, const char *what, bool quoted, int64_t *out, struct diags *d);
bool bind_uint(const struct ynode *n, const char *what, uint64_t *out, struct diags *d);
bool bind_duration(const struct ynode *n, const char *what, int64_t *out, struct diags *d);
