#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/apk/solve.h"

/* What the parts of the resolver share: packages and names as small numbers, parsed atoms, and the
 * rules of matching, conflict and preference (apk-format 3.4, 4.1). Private to solve*.c. */

#define NO_ID UINT32_MAX

struct u32s {
	uint32_t *v;
	size_t n, cap;
};

struct satom {
	struct apk_dep dep;
	uint32_t name;			/* id, NO_ID if nothing is named so or provides it */
	const struct apko_version *ver; /* of dep.version; NULL without one */
};
struct satoms {
	struct satom *v;
	uint32_t n;
};

/* A package's lists, parsed when the package is first looked at. */
struct spkg {
	const struct apk_pkg *p;
	struct satoms deps, provides, install_if;
	struct apko_version ver;
	const char *out;	/* why it can never be chosen; NULL = it can */
};

#define CAND_OWN (UINT32_MAX >> 1)
/* One way to satisfy a name: a package, by its own name or by an item of its provides. */
struct cand {
	uint32_t pkg;
	uint32_t item : 31;	/* of provides; CAND_OWN = the package's own name */
	uint32_t versioned : 1;
};

struct sname {
	const char *p;
	uint32_t n;
	uint32_t first;		/* its candidates are cands[first .. names[id + 1].first - 1] */
};
struct strigger {
	uint32_t name, pkg;
};
struct archset;

/* What is installed is preferred; when it came from no tagged repository, that one has it now is
 * no bar. */
enum { KEEP = 1, KEEP_TAGGED = 2 };

struct stab {
	struct arena *a;
	const struct apk_pkg **pkgs;	/* repository order, index order, installed ones at the end */
	uint32_t n_pkgs;
	uint32_t *own;			/* name of a package; these come first among the names */
	uint32_t n_own;
	struct sname *names;
	uint32_t n_names;
	uint64_t *slots;		/* hash << 32 | id + 1 */
	uint32_t mask;
	struct cand *cands;
	struct strigger *triggers;	/* install_if, by name, then package */
	uint32_t n_triggers;
	struct spkg **parsed;
	uint8_t *preferred;		/* NULL, or per package: KEEP_ if it is installed already */
	struct archset *archs;		/* of the other architectures */
	size_t n_archs;
	bool strict;			/* match versions as apk-tools does, not as apko */
};

/* Interns the names of what req offers. */
void stab_build(struct stab *t, const struct solve_req *req, struct arena *a);
/* The same for a bare list of packages. */
void stab_build_list(struct stab *t, const struct apk_pkg *const *pkgs, uint32_t n,
	struct arena *a);
/* Marks those of a bare list that req has as installed. */
void stab_mark_installed(struct stab *t, const struct solve_req *req);
uint32_t stab_find(const struct stab *t, struct str name);
struct str stab_name(const struct stab *t, uint32_t name);
const struct spkg *stab_pkg(struct stab *t, uint32_t pkg);
const struct cand *stab_cands(const struct stab *t, uint32_t name, uint32_t *ret_n);
const struct strigger *stab_triggers(const struct stab *t, uint32_t name, uint32_t *ret_n);
struct str stab_tag(const struct stab *t, uint32_t pkg);
/* Not from a tagged repository, or kept in spite of that. */
bool stab_open_to_all(const struct stab *t, uint32_t pkg);
/* Sorted, each text once; EK_PARSE for a malformed atom or a tag that no repository has. */
bool stab_world(struct stab *t, const struct solve_req *req, struct arena *a,
	struct satoms *ret, struct err *err) must_check;

/* Whether a version fits the atom's operator and version. */
bool smatch_version(const struct stab *t, const struct satom *want, struct str have,
	const struct apko_version *ver);
/* Whether the package fits the atom's name and version ('!' is not looked at). */
bool smatch(struct stab *t, const struct satom *want, uint32_t pkg);
/* The version a package has for a name: its own or its provide's; NULL if none. */
const struct apko_version *sversion_for(struct stab *t, uint32_t pkg, uint32_t name);

/* Calls fn for every other package that cannot be installed beside pkg because of a name: the
 * same name, or a name one of them provides with a version or bears. */
typedef bool sexcl_fn(void *ctx, uint32_t other, uint32_t name);
bool sexcl_each(struct stab *t, uint32_t pkg, sexcl_fn *fn, void *ctx);

/* Preference (rows 2 to 9 of apk-format 4.1) among candidates for a name. */
enum { PREF_CHOSEN = 1, PREF_ORIGIN = 2 };
struct spref {
	struct stab *t;
	uint32_t name;
	struct str pin;
	/* PREF_ bits of what is known of a package; NULL = nothing */
	unsigned (*known)(const struct spref *p, uint32_t pkg);
	void *ctx;
};
/* The best of n > 0 packages. */
uint32_t spref_best(const struct spref *p, const uint32_t *pkgs, uint32_t n);

/* install_if, as apko sees it: by package names, among what a requested package brought. */
struct striggers {
	const uint32_t *added;		/* per own name: the package that was brought, + 1 */
	const struct u32s *list;	/* the same in order */
	const struct u32s *tried;	/* not to be offered again */
};
/* The first package in index order that is due, NO_ID if none. */
uint32_t striggered(struct stab *t, const struct striggers *s);

struct sset {
	uint32_t *v;		/* packages in install order */
	const struct satom **pins;	/* per package: the world atom that pinned it, or NULL */
	uint32_t n, cap;
};
/* Stage 1; false when greedy choice finds no way. */
bool sgreedy(struct stab *t, const struct satoms *world, struct arena *a, struct sset *ret);
/* Stage 2; false with the derivation in err when there is no solution. */
bool ssearch(struct stab *t, const struct satoms *world, struct arena *a, struct sset *ret,
	struct err *err) must_check;
/* Moves what a package refuses versions of before it. */
void sorder(struct stab *t, struct sset *set);
/* Every atom, dependency, conflict and exclusion; err says the first that does not hold. */
bool scheck(struct stab *t, const struct satoms *world, const struct sset *set, struct err *err)
	must_check;
