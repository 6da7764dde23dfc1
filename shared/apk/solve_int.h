#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/apk/pack.h"
#include "shared/apk/solve.h"
#include "shared/base/ids.h"

/* What the parts of the resolver share: packages and names as small numbers, parsed atoms, and the
 * rules of matching, conflict and preference (apk-format 3.4, 4.1). Private to solve*.c. */

#define NO_ID UINT32_MAX

struct u32s {
	uint32_t *v;
	size_t n, cap;
};

/* A version, and whether apko can read it. */
struct sver {
	struct str text;
	bool valid;
};
struct satom {
	struct str text;	/* the whole atom; a package's has it only after stab_with_texts */
	struct sver version;
	uint32_t name;		/* id, NO_ID if no index speaks of it */
	uint8_t op;		/* enum apk_op bits; 0 = any version */
	bool conflict;
	bool checksum;		/* its version is one */
	bool versioned;		/* by a version, not a checksum */
	const struct apk_dep *asked;	/* of the request; NULL of what a package asks */
};
struct satoms {
	struct satom *v;
	uint32_t n;
};

/* What choosing among packages looks at; their lists are read when they are first asked for. */
struct spkg {
	struct sver version;
	struct str origin;
	int64_t provider_priority;
	const char *out;	/* why it can never be chosen; NULL = it can */
	struct satoms *lists[3];
	bool atoms_ok, record_ok;	/* they were checked */
};

/* One way to satisfy a name: a package, by its own name or by an item of its provides. */
struct cand {
	uint32_t pkg;
	bool own, versioned;
};

struct sname {
	struct str text;
	uint32_t hash;
	uint32_t local;		/* in the pack it was first met in */
	uint32_t source;
	bool ready, triggers_ready;
	uint32_t n_cands, n_triggers;
	const struct cand *cands;
	const uint32_t *triggers;	/* packages with it in their install_if, index order */
};

/* Something packages come from. */
struct ssource {
	const struct pack *pack;
	const struct apk_index *idx;		/* or */
	const struct apk_pkg *const *list;
	uint32_t base;		/* packages of the sources before it */
	struct ids names, pkgs;	/* by the pack's numbers: ours, + 1 */
	uint8_t *kept;		/* by the pack's numbers: KEEP_; NULL = none */
};
struct sref {
	uint32_t source, local;
	uint32_t own;		/* its name */
	struct spkg *parsed;
};
struct archset {
	struct str arch;
	struct ssource *src;
	uint32_t n_src;
};

/* What is installed is preferred; when it came from no tagged repository, that one has it now is
 * no bar. */
enum { KEEP = 1, KEEP_TAGGED = 2 };

/* Names and packages get their numbers when they are first met, so that the work and the memory
 * touched are those of the request, whatever the size of the indexes. */
struct stab {
	struct arena *a;
	struct ssource *src;
	uint32_t n_src;
	struct sref *refs;
	struct sname *names;
	uint32_t n_refs, n_names;
	uint32_t max_pkgs, max_names;	/* no more than these can be met */
	uint32_t *slots, mask;		/* name + 1; only when there are several sources */
	bool installed;			/* some packages are kept */
	struct archset *archs;		/* of the other architectures */
	size_t n_archs;
	bool strict;			/* match versions as apk-tools does, not as apko */
	bool texts;			/* atoms have theirs */
	const struct pack *damaged;	/* a mapped pack that proved bad: no answer is to be given */
};

/* Prepares what req offers. */
bool stab_build(struct stab *t, const struct solve_req *req, struct arena *a, struct err *err)
	must_check;
/* The same for the packages of a bare list. */
bool stab_build_list(struct stab *t, const struct apk_pkg *const *pkgs, uint32_t n, struct arena *a,
	struct err *err) must_check;
/* Marks those of a bare list that req has as installed. */
void stab_mark_installed(struct stab *t, const struct solve_req *req);
uint32_t stab_find(struct stab *t, struct str name);
/* Within one pack, by its own numbers; PACK_NO_NAME. */
uint32_t stab_find_in(struct stab *t, const struct pack *k, struct str name);
/* The number of a source's name. */
uint32_t stab_local(struct stab *t, uint32_t source, uint32_t local);
/* Whether it is that name. */
static inline bool stab_is_local(struct stab *t, uint32_t source, uint32_t local, uint32_t name)
{
	return t->n_src == 1 ? t->names[name].local == local : stab_local(t, source, local) == name;
}
const struct apk_pkg *ssource_pkg(const struct ssource *s, uint32_t local);
struct str stab_name(const struct stab *t, uint32_t name);
/* The number of a package of a source. */
uint32_t stab_ref(struct stab *t, uint32_t source, uint32_t local);
const struct apk_pkg *stab_p(struct stab *t, uint32_t pkg);
static inline uint32_t stab_own(const struct stab *t, uint32_t pkg)
{
	return t->refs[pkg].own;
}
/* Position among all packages, in repository order, then index order. */
uint32_t stab_order(const struct stab *t, uint32_t pkg);
struct spkg *stab_read(struct stab *t, uint32_t pkg);
static inline const struct spkg *stab_pkg(struct stab *t, uint32_t pkg)
{
	return t->refs[pkg].parsed ? t->refs[pkg].parsed : stab_read(t, pkg);
}
/* From here on the atoms of packages have their texts, which choosing can do without. */
void stab_with_texts(struct stab *t);
/* That of one of the deps of a package. */
struct str stab_dep_text(struct stab *t, uint32_t pkg, const struct satom *dep);
const struct satoms *stab_deps(struct stab *t, uint32_t pkg);
const struct satoms *stab_provides(struct stab *t, uint32_t pkg);
const struct satoms *stab_install_if(struct stab *t, uint32_t pkg);
/* What a package provides as its pack has it: where many candidates are looked at for one name. */
struct sprovides {
	const struct pack *pack;
	const struct pack_atom *v;
	uint32_t n, source;
};
struct sprovides stab_provided(struct stab *t, uint32_t pkg);
static inline bool sprovided_versioned(const struct sprovides *p, uint32_t i)
{
	return p->v[i].version_n && !(p->v[i].flags & PACK_CHECKSUM);
}
static inline struct sver sprovided_version(const struct sprovides *p, uint32_t i)
{
	return (struct sver){ pack_atom_version(p->pack, &p->v[i]),
		!(p->v[i].flags & PACK_BAD_VERSION) };
}
const struct cand *stab_cands(struct stab *t, uint32_t name, uint32_t *ret_n);
const uint32_t *stab_triggers(struct stab *t, uint32_t name, uint32_t *ret_n);
struct str stab_tag(const struct stab *t, uint32_t pkg);
/* KEEP_ bits: it is installed already. */
uint8_t stab_kept(const struct stab *t, uint32_t pkg);
/* Not from a tagged repository, or kept in spite of that. */
bool stab_open_to_all(const struct stab *t, uint32_t pkg);
/* Every name of the sources that has candidates, until fn returns false. */
void stab_each_name(struct stab *t, bool (*fn)(void *ctx, struct str name), void *ctx);
/* Sorted, each text once; EK_PARSE for a malformed atom or a tag that no repository has. */
bool stab_world(struct stab *t, const struct solve_req *req, struct arena *a,
	struct satoms *ret, struct err *err) must_check;
/* The atom of a request, or one like it. */
struct satom stab_atom(struct stab *t, const struct apk_dep *d);
struct str satom_name(const struct stab *t, const struct satom *s);
static inline struct str satom_pin(const struct satom *s)
{
	return s->asked ? s->asked->pin : STR_NONE;
}

/* Whether a version fits the atom's operator and version. */
bool smatch_version(const struct stab *t, const struct satom *want, struct sver have);
/* Whether any version fits that the package has for any name. */
bool smatch_any_version(struct stab *t, const struct satom *want, uint32_t pkg);
/* Whether the package fits the atom's name and version ('!' is not looked at). */
bool smatch(struct stab *t, const struct satom *want, uint32_t pkg);
/* The version a package has for a name: its own or its provide's; empty if none. */
struct sver sversion_for(struct stab *t, uint32_t pkg, uint32_t name);

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
