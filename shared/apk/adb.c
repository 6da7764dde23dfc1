#include "shared/apk/adb.h"

#include <endian.h>
#include <string.h>

#include "shared/base/compiler.h"

#define HEAD_SIZE 8		/* of the payload: versions, root */
#define MAX_DEPTH 64
#define VALUES_PER_BYTE 16	/* visited at most: real files stay below one */
#define NUMBER_MASK 0x0fffffffu

enum nibble {
	SPECIAL, SMALL_INT, INT_32, INT_64, BLOB_8 = 8, BLOB_16, BLOB_32, ARRAY = 13, OBJECT,
};

static unsigned nibble_of(uint32_t v)
{
	return v >> 28;
}

static uint32_t number_of(uint32_t v)
{
	return v & NUMBER_MASK;
}

static uint32_t word_at(const struct adb *db, size_t at)
{
	uint32_t v;

	memcpy(&v, db->payload.p + at, sizeof(v));
	return le32toh(v);
}

/* Reading: of what was checked */

void adb_versions(const struct adb *db, unsigned *ret_compat, unsigned *ret_version)
{
	*ret_compat = (unsigned char)db->payload.p[0];
	*ret_version = (unsigned char)db->payload.p[1];
}

static struct adb_obj obj_of(const struct adb *db, uint32_t v)
{
	struct adb_obj o = { .db = db, .n = 1 };

	if (v) {
		o.at = number_of(v);
		o.n = word_at(db, o.at);
	}
	return o;
}

struct adb_obj adb_root(const struct adb *db)
{
	return obj_of(db, word_at(db, sizeof(uint32_t)));
}

uint32_t adb_slot(const struct adb_obj *o, uint32_t i)
{
	return i < o->n ? word_at(o->db, o->at + (size_t)i * sizeof(uint32_t)) : 0;
}

struct adb_obj adb_obj(const struct adb_obj *o, uint32_t i)
{
	return obj_of(o->db, adb_slot(o, i));
}

uint64_t adb_int(const struct adb_obj *o, uint32_t i)
{
	uint32_t v = adb_slot(o, i);
	uint64_t wide;

	switch (nibble_of(v)) {
	case INT_32:
		return word_at(o->db, number_of(v));
	case INT_64:
		memcpy(&wide, o->db->payload.p + number_of(v), sizeof(wide));
		return le64toh(wide);
	default:
		return number_of(v);
	}
}

/* Bytes of the length in front of a blob. */
static unsigned prefix_size(unsigned nibble)
{
	return nibble == BLOB_8 ? 1 : nibble == BLOB_16 ? 2 : 4;
}

static uint32_t length_at(const struct adb *db, size_t at, unsigned prefix)
{
	const unsigned char *p = (const unsigned char *)db->payload.p + at;
	uint32_t n = 0;

	for (unsigned i = 0; i < prefix; i++)
		n |= (uint32_t)p[i] << 8 * i;
	return n;
}

struct str adb_blob(const struct adb_obj *o, uint32_t i)
{
	uint32_t v = adb_slot(o, i), at = number_of(v);
	unsigned prefix = prefix_size(nibble_of(v));

	if (!v)
		return STR_NONE;
	return str_n(o->db->payload.p + at + prefix, length_at(o->db, at, prefix));
}

/* Checking */

struct check {
	const struct adb *db;
	const char *name;
	uint64_t left;		/* values that may still be visited */
	struct err *err;
};

static bool check_value(struct check *c, const struct adb_type *type, uint32_t v, size_t below,
	unsigned depth);

static bool bad(const struct check *c, uint32_t v, const char *what)
{
	return err_set(c->err, EK_PARSE, "%s: ADB schema error: value 0x%08x %s", c->name, v, what);
}

/* n bytes at the value's offset lie in front of what refers to it. */
static bool placed(const struct check *c, uint32_t v, size_t n, size_t align, size_t below)
{
	size_t at = number_of(v);

	if (at % align)
		return bad(c, v, "is not aligned");
	if (at < HEAD_SIZE || at > c->db->payload.n || n > c->db->payload.n - at)
		return bad(c, v, "points outside of the ADB");
	return at < below || bad(c, v, "does not lie in front of what refers to it");
}

static bool check_blob(const struct check *c, uint32_t v, size_t below)
{
	unsigned prefix = prefix_size(nibble_of(v));

	return placed(c, v, prefix, prefix, below) &&
		placed(c, v, (size_t)prefix + length_at(c->db, number_of(v), prefix), prefix, below);
}

static bool check_int(const struct check *c, uint32_t v, size_t below)
{
	switch (nibble_of(v)) {
	case SMALL_INT:
		return true;
	case INT_32:
		return placed(c, v, sizeof(uint32_t), sizeof(uint32_t), below);
	case INT_64:
		return placed(c, v, sizeof(uint64_t), sizeof(uint32_t), below);
	default:
		return bad(c, v, "is not an integer");
	}
}

static bool check_slots(struct check *c, const struct adb_type *type, uint32_t v, size_t below,
	unsigned depth)
{
	if (!placed(c, v, sizeof(uint32_t), sizeof(uint32_t), below))
		return false;
	struct adb_obj o = obj_of(c->db, v);
	if (o.n == 0)
		return bad(c, v, "has no slots");
	if (!placed(c, v, (size_t)o.n * sizeof(uint32_t), sizeof(uint32_t), below))
		return false;
	for (uint32_t i = 1; i < o.n; i++) {
		const struct adb_type *t = type->item;
		if (type->kind != ADB_ARRAY) {
			if (i > type->n)
				break;
			t = type->fields[i - 1].type;
		}
		if (!check_value(c, t, adb_slot(&o, i), o.at, depth + 1))
			return false;
	}
	return true;
}

static bool check_value(struct check *c, const struct adb_type *type, uint32_t v, size_t below,
	unsigned depth)
{
	unsigned nibble = nibble_of(v);

	if (!v)
		return true;
	if (depth > MAX_DEPTH)
		return bad(c, v, "is nested too deeply");
	if (!c->left--)
		return bad(c, v, "is one of too many");
	switch (type->kind) {
	case ADB_INT:
	case ADB_OCTAL:
		return check_int(c, v, below);
	case ADB_DEP:
	case ADB_OBJECT:
	case ADB_ARRAY:
		if (nibble != ARRAY && nibble != OBJECT)
			return bad(c, v, "is neither an object nor an array");
		return check_slots(c, type, v, below, depth);
	default:
		if (nibble < BLOB_8 || nibble > BLOB_32)
			return bad(c, v, "is not a blob");
		return check_blob(c, v, below);
	}
}

bool adb_check(const struct adb *db, const char *name, struct err *err)
{
	struct check c = {
		.db = db, .name = name, .err = err,
		.left = (uint64_t)db->payload.n * VALUES_PER_BYTE,
	};
	const struct adb_type *type = adb_root_type(db->schema);
	unsigned compat, version;

	if (!type)
		return err_set(err, EK_PARSE, "%s: unknown ADB schema 0x%08x", name, db->schema);
	if (db->payload.n < HEAD_SIZE)
		return err_set(err, EK_PARSE, "%s: ADB block error: it is too short", name);
	adb_versions(db, &compat, &version);
	if (compat != 0)
		return err_set(err, EK_PARSE, "%s: incompatible ADB version %u", name, compat);
	return check_value(&c, type, word_at(db, sizeof(uint32_t)), db->payload.n, 0);
}

/* Dependencies */

enum { EQUAL = 1, LESS = 2, GREATER = 4, FUZZY = 8, CONFLICT = 16 };

static const struct {
	uint64_t match;
	const char *text;
} ops[] = {
	{ EQUAL, "=" }, { LESS, "<" }, { LESS | EQUAL, "<=" }, { GREATER, ">" },
	{ GREATER | EQUAL, ">=" }, { FUZZY, "~" }, { FUZZY | EQUAL, "~" },
	{ FUZZY | LESS, "<~" }, { FUZZY | LESS | EQUAL, "<~" }, { FUZZY | GREATER, ">~" },
	{ FUZZY | GREATER | EQUAL, ">~" }, { LESS | GREATER, "><" },
};

static const char *op_text(uint64_t match)
{
	for (size_t i = 0; i < countof(ops); i++)
		if (ops[i].match == match)
			return ops[i].text;
	return "?";
}

struct str adb_dep_text(const struct adb_obj *dep, struct arena *a)
{
	struct str name = adb_blob(dep, ADB_DEP_NAME), version = adb_blob(dep, ADB_DEP_VERSION);
	uint64_t match = adb_slot(dep, ADB_DEP_MATCH) ? adb_int(dep, ADB_DEP_MATCH) : EQUAL;
	const char *not = match & CONFLICT ? "!" : "";

	if (!version.p)
		return arena_strf(a, "%s%.*s", not, STR_ARG(name));
	return arena_strf(a, "%s%.*s%s%.*s", not, STR_ARG(name),
		op_text(match & ~(uint64_t)CONFLICT), STR_ARG(version));
}
