#pragma once

#include "shared/base/arena.h"
#include "shared/base/err.h"

/* Keeps credentials for a registry where docker keeps them ($DOCKER_CONFIG or ~/.docker,
 * config.json): with the program that the file names for it, else in the file itself, which is
 * made 0600. What else the file holds stays. ret_where says where they went. */
bool login_store(struct str registry, struct str user, struct str password, struct arena *a,
	struct str *ret_where, struct err *err) must_check;
