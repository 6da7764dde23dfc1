#pragma once

#include "shared/text/bind.h"

/* A dotenv file (melange-config 5.6): KEY=VALUE lines, quotes, comments, expansion of earlier
 * keys of the same file. */

bool envfile_load(const char *path, struct arena *a, struct ykvs *ret, struct err *err) must_check;
