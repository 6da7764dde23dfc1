#pragma once

#include "shared/apk/solve.h"
#include "shared/apk/version.h"

/* What the resolver looks up: names interned to numbers, for each the packages of that name in
 * index order and then those that provide it. Atoms of a package's dependencies are parsed when
 * they are first asked for. */

struct cand {
	uint32_t pkg;		/* number of the package in the table */
	bool own;		/* it is of this name, not a provider */
	struct str version;	/* for this name: own or provided; empty = unversioned */
};
struct solve_name {
	struct str name;
	struct cand *v;
	uint32_t n, cap;
};
struct solve_pkg {
	const struct apk_pkg *pkg;
	uint32_t name;		/* number of its name */
	bool parsed, bad;	/* deps: bad = malformed atom */
	struct apk_deps deps;
	struct apko_version ver;
	bool ver_known;
};
struct solve_table {
	struct arena *arena;
	struct solve_pkg *pkgs;
	uint32_t n_pkgs;
	struct solve_name *names;
	uint32_t n_names, cap_names;
	uint32_t *slots;	/* open addressing: number + 1 */
	uint32_t n_slots;
};
void solve_table_build(struct solve_table *t, const struct apk_indexes *idx, struct arena *a);
#define NO_NAME UINT32_MAX
uint32_t solve_name_find(const struct solve_table *t, struct str name);
const struct apk_deps *solve_deps(struct solve_table *t, uint32_t pkg);
const struct apko_version *solve_version(struct solve_table *t, uint32_t pkg);
/* Takes the next provides atom off `rest`: name and version, so: versions rewritten (3.4). */
bool solve_next_provide(struct str *rest, struct str *name, struct str *version, struct arena *a);
/* text OP want with apko's meaning; invalid versions satisfy nothing. */
bool solve_version_ok(struct str have, const struct apk_dep *d);
