#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/apk/pkg.h"
#include "shared/base/err.h"

/* An index in the form the resolver works on: packages, parsed dependency atoms, and a hashed table
 * of names with what bears or provides each. It holds numbers and offsets, no pointers, so that a
 * file of it is mapped and used as it is, without being read through.
 *
 * A mapped pack is checked on use: its head, hash table and triggers when it is opened, each name,
 * package, list of atoms and record when it is first looked at (pack_name_ok, pack_pkg_ok,
 * pack_atoms_ok, pack_record_ok). Choosing needs no record: those of the chosen are all of the
 * index's text that is touched. Only pack_save makes such files, under the digest of the index file
 * that was verified; one of another layout, size or digest does not open. Indexes over 2 GiB of
 * text or 2,000,000 packages cannot be packed. */

struct pack_text {
	uint32_t at, n;
};
enum {
	PACK_MALFORMED = 1,	/* a list has an atom that cannot be read */
	PACK_TWICE = 2,		/* it has one name at two versions */
	PACK_BAD_VERSION = 4,	/* one that apko cannot read */
};
struct pack_pkg {
	struct pack_text record;	/* of the index; checked apart */
	struct pack_text extra;		/* texts made for it: close to those of others, unlike records */
	struct pack_text version, origin;
	int64_t provider_priority;
	uint32_t name;
	uint32_t atoms;			/* first of its deps, then provides, then install_if */
	uint32_t n_deps, n_provides, n_install_if;
	uint32_t flags;
	uint32_t record_check, atoms_check;
	uint32_t check;
};
/* Beside these an atom may have PACK_BAD_VERSION. */
enum { PACK_CONFLICT = 1, PACK_CHECKSUM = 2 };
struct pack_atom {
	uint32_t text;		/* where it starts in the record: pack_atom_text */
	uint32_t version;	/* "0." is in front where the format asks for it */
	uint32_t name;
	uint16_t version_n;
	uint8_t op;		/* enum apk_op bits */
	uint8_t flags;
};
struct pack_name {
	struct pack_text text;
	uint32_t hash;
	uint32_t first;		/* its candidates: cands[first .. names[i + 1].first - 1] */
	uint32_t first_trigger;	/* alike; while building: the last atom that provides it, + 1 */
	uint32_t check;
};
/* A candidate: package << 2, with these bits. Those that bear the name come before those that
 * provide it, each in file order. */
enum { PACK_OWN = 2, PACK_VERSIONED = 1 };
struct pack_trigger {
	uint32_t name, pkg;	/* of install_if; by name, then in file order */
};

struct pack_build;
struct pack {
	const char *text, *extra;
	uint32_t text_n, extra_n;	/* offsets from text_n on are into extra */
	const struct pack_pkg *pkgs;
	const struct pack_atom *atoms;
	const struct pack_name *names;	/* one more than n_names */
	const uint32_t *cands;
	const uint32_t *slots;		/* name + 1, mask + 1 of them */
	const struct pack_trigger *triggers;
	uint32_t n_pkgs, n_atoms, n_names, n_cands, mask, n_triggers;
	struct pack_text description;
	const char *path;	/* of the file it is mapped from; NULL = made here, not to be checked */
	struct pack_build *build;	/* of one made here */
};

struct str pack_str(const struct pack *k, struct pack_text t);
static inline struct str pack_atom_version(const struct pack *k, const struct pack_atom *m)
{
	return pack_str(k, (struct pack_text){ m->version, m->version_n });
}
/* The whole atom; after pack_record_ok. */
struct str pack_atom_text(const struct pack *k, const struct pack_atom *m);
uint32_t pack_hash(struct str name);
/* The number of a name, PACK_NO_NAME if the index does not speak of it, PACK_DAMAGED if a name that
 * had to be looked at is. */
#define PACK_NO_NAME UINT32_MAX
#define PACK_DAMAGED (UINT32_MAX - 1)
uint32_t pack_find(const struct pack *k, struct str name, uint32_t hash);
/* Candidates of a name; none for PACK_NO_NAME. */
const uint32_t *pack_cands(const struct pack *k, uint32_t name, uint32_t *ret_n);
/* Packages whose install_if has the name; after pack_name_ok. */
const struct pack_trigger *pack_triggers(const struct pack *k, uint32_t name, uint32_t *ret_n);
/* Always true of packs made here. */
bool pack_name_ok(const struct pack *k, uint32_t name);
bool pack_pkg_ok(const struct pack *k, uint32_t pkg);
bool pack_atoms_ok(const struct pack *k, uint32_t pkg);		/* after pack_pkg_ok */
bool pack_record_ok(const struct pack *k, uint32_t pkg);	/* after pack_pkg_ok */

struct store;
/* Writes the pack as STORE_INDEX object of that digest. */
bool pack_save(const struct pack *k, struct store *s, const uint8_t digest[32], struct err *err)
	must_check;
/* Maps it, for as long as the arena lives; NULL when there is none or it is not fit for use (then
 * it is removed). */
const struct pack *pack_open(struct store *s, const uint8_t digest[32], struct arena *a);
/* Removes the file of a pack that proved bad. */
void pack_drop(const struct pack *k);

/* Building. */
/* text: what most texts of the packages are slices of, kept by reference; others are copied. */
struct pack_build *pack_begin(struct str text);
/* record: the slice of the text that the package was read from, or empty. */
void pack_add(struct pack_build *b, const struct apk_pkg *p, struct str record);
/* The pack, in memory that lives as long as the arena. Frees b. EK_PARSE when there is too much. */
const struct pack *pack_end(struct pack_build *b, struct str description, struct arena *a,
	struct err *err) must_check;
void pack_abort(struct pack_build *b);
