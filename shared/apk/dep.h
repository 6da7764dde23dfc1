#pragma once

#include <stdbool.h>
#include "shared/apk/version.h"
#include "shared/base/arena.h"
#include "shared/base/err.h"

/* Dependency atoms: [!]name[@tag][op version][@tag], both tools' tag positions (apk-format 3.4).
 * All texts are slices of the source. */

struct apk_dep {
	struct str text;	/* the whole atom */
	struct str name;
	struct str version;	/* empty = any; for so: names already with "0." in front where the
				 * rule of 3.4 asks for it (then arena text) */
	struct str pin;		/* without '@' */
	unsigned op;		/* enum apk_op bits; 0 = any version */
	bool conflict;		/* '!' */
	bool checksum;		/* "><": version is an identity checksum */
};
struct apk_deps {
	struct apk_dep *v;
	size_t n, cap;
};

bool apk_dep_parse(struct str text, struct arena *a, struct apk_dep *ret, struct err *err)
	must_check;
/* All atoms of a blank-separated list. */
bool apk_deps_parse(struct str list, struct arena *a, struct apk_deps *ret, struct err *err)
	must_check;
/* The same two for `provides` and `install_if`, where an invalid version is kept as it is: both
 * tools take such packages, whose atom then meets no versioned demand. */
bool apk_provide_parse(struct str text, struct arena *a, struct apk_dep *ret, struct err *err)
	must_check;
bool apk_provides_parse(struct str list, struct arena *a, struct apk_deps *ret, struct err *err)
	must_check;
