#include "shared/apk/adbfile.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAGIC "ADB."
#define ALIGNMENT 8
#define TYPE_EXTENDED 3
#define SIZE_MASK 0x3fffffffu
#define MAX_SIGS 64
#define FIRST_ROOM (1u << 20)	/* a size that the bytes may not bear out is not allocated at once */

static uint32_t word(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

bool adb_file_begin(struct adb_file *f, struct source *from, const char *name, struct err *err)
{
	char head[8];

	*f = (struct adb_file){ .from = from, .name = name };
	if (!source_read_full(from, head, sizeof(head), name, err))
		return false;
	if (memcmp(head, FILE_MAGIC, 4) != 0)
		return err_set(err, EK_PARSE, "%s: not an ADB file: bad magic", name);
	f->schema = word(head + 4);
	return true;
}

/* The rest of the current block, and its padding, which is zero. */
static bool skip_block(struct adb_file *f, struct err *err)
{
	char pad[ALIGNMENT] = { 0 };

	if (!source_skip(f->from, f->left, f->name, err) ||
	    !source_read_full(f->from, pad, f->pad, f->name, err))
		return false;
	f->left = 0;
	for (unsigned i = 0; i < f->pad; i++)
		if (pad[i])
			return err_set(err, EK_PARSE, "%s: ADB block error: padding is not zero",
				f->name);
	return true;
}

/* 1: the first word of a block header; 0: the end. */
static int first_word(struct adb_file *f, uint32_t *ret, struct err *err)
{
	char p[sizeof(uint32_t)];
	ssize_t n = source_read(f->from, p, sizeof(p), err);

	if (n <= 0)
		return (int)n;
	if (!source_read_full(f->from, p + n, sizeof(p) - (size_t)n, f->name, err))
		return -1;
	*ret = word(p);
	return 1;
}

/* Sizes of the block: of all, and of its header. */
static bool sizes(struct adb_file *f, uint32_t head, unsigned *ret_type, uint64_t *ret_size,
	unsigned *ret_head, struct err *err)
{
	char rest[12];
	uint64_t size;

	*ret_type = head >> 30;
	*ret_size = head & SIZE_MASK;
	*ret_head = sizeof(uint32_t);
	if (*ret_type != TYPE_EXTENDED)
		return true;
	if (!source_read_full(f->from, rest, sizeof(rest), f->name, err))
		return false;
	memcpy(&size, rest + 4, sizeof(size));
	*ret_type = head & SIZE_MASK;
	*ret_size = le64toh(size);
	*ret_head = sizeof(uint32_t) + sizeof(rest);
	return word(rest) == 0 || err_set(err, EK_PARSE,
		"%s: ADB block error: unknown flags in a block header", f->name);
}

static bool in_order(const struct adb_file *f, unsigned type)
{
	if (!f->began)
		return type == ADB_BLOCK_ADB;
	return type == ADB_BLOCK_DATA || (type == ADB_BLOCK_SIG && f->last != ADB_BLOCK_DATA);
}

int adb_file_next(struct adb_file *f, struct adb_block *ret, struct err *err)
{
	unsigned type, head_size;
	uint64_t size;
	uint32_t head = 0;

	if (f->began && !skip_block(f, err))
		return -1;
	int more = first_word(f, &head, err);
	if (more <= 0)
		return more;
	if (!sizes(f, head, &type, &size, &head_size, err))
		return -1;
	if (!in_order(f, type) || size < head_size || size > INT64_MAX) {
		(void)err_set(err, EK_PARSE, "%s: ADB block error: block of type %u, %" PRIu64
			" bytes", f->name, type, size);
		return -1;
	}
	f->began = true;
	f->last = type;
	f->left = size - head_size;
	f->pad = (unsigned)(-size % ALIGNMENT);
	*ret = (struct adb_block){ .type = type, .size = f->left };
	return 1;
}

bool adb_file_read(struct adb_file *f, void *p, size_t n, struct err *err)
{
	if (n > f->left)
		return err_set(err, EK_PARSE, "%s: ADB block error: a block of %" PRIu64
			" bytes is too short", f->name, f->left);
	if (!source_read_full(f->from, p, n, f->name, err))
		return false;
	f->left -= n;
	return true;
}

/* The head */

/* All of the current block. Memory grows with what really comes. */
static bool read_block(struct adb_file *f, struct buf *out, struct err *err)
{
	buf_clear(out);
	while (f->left) {
		size_t n = out->n > FIRST_ROOM ? out->n : FIRST_ROOM;
		if (n > f->left)
			n = (size_t)f->left;
		char *to = buf_room(out, n);
		if (!to || !adb_file_read(f, to, n, err))
			return to ? false : err_set(err, EK_PARSE,
				"%s: size limit exceeded: limit is %zu bytes", f->name, out->max);
		out->n += n;
	}
	return true;
}

static void free_bytes(void *p)
{
	free(p);
}

static bool read_adb(struct adb_file *f, uint64_t max, struct arena *a, struct adb_head *h,
	struct err *err)
{
	struct buf b = BUF_INIT(max < BUF_NOLIMIT ? (size_t)max : BUF_NOLIMIT);
	struct adb_block block;
	int more = adb_file_next(f, &block, err);

	if (more <= 0)
		return more == 0 && err_set(err, EK_PARSE, "unexpected end of %s: no ADB block",
			f->name);
	if (block.size > max)
		return err_set(err, EK_PARSE, "%s: size limit exceeded: limit is %" PRIu64
			" bytes", f->name, max);
	bool ok = read_block(f, &b, err);
	h->adb = (struct adb){ .schema = f->schema, .payload = buf_str(&b) };
	arena_on_release(a, free_bytes, buf_steal(&b));
	if (!ok)
		return false;
	if (h->adb.schema == ADB_SCHEMA_PACKAGE)
		digest_once(DIGEST_SHA256, h->adb.payload.p, h->adb.payload.n, h->sha256);
	digest_once(DIGEST_SHA512, h->adb.payload.p, h->adb.payload.n, h->sha512);
	return true;
}

static bool take_sig(struct adb_file *f, const struct keyring *keys, struct adb_head *h,
	struct err *err)
{
	auto_buf struct buf b = BUF_INIT(ADB_SIG_MAX);
	bool known = false;

	if (++h->n_sigs > MAX_SIGS)
		return err_set(err, EK_PARSE, "%s: more than %d signatures", f->name, MAX_SIGS);
	if (!read_block(f, &b, err))
		return false;
	if (!keys)
		return true;
	const struct keyring_key *by = adb_sig_verify(keys, h->adb.schema, h->sha512, buf_str(&b),
		&known);
	h->n_known += known;
	if (!h->signer)
		h->signer = by;
	return true;
}

bool adb_head_read(struct adb_file *f, const struct keyring *keys, uint64_t max, struct arena *a,
	struct adb_head *ret, struct err *err)
{
	struct adb_head h = { 0 };
	int more;

	if (!read_adb(f, max, a, &h, err))
		return false;
	while ((more = adb_file_next(f, &h.next, err)) > 0 && h.next.type == ADB_BLOCK_SIG)
		if (!take_sig(f, keys, &h, err))
			return false;
	if (more < 0)
		return false;
	h.more = more > 0;
	*ret = h;
	return true;
}

bool adb_head_trusted(const struct adb_head *h, const char *name, struct err *err)
{
	if (h->signer)
		return true;
	if (!h->n_sigs)
		return err_set(err, EK_TRUST, "%s: untrusted: it is not signed", name);
	if (!h->n_known)
		return err_set(err, EK_TRUST, "%s: untrusted signature: by no known key", name);
	return err_set(err, EK_TRUST, "%s: signature verification failed, for all known keys",
		name);
}
