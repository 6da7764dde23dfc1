#include "shared/apk/adbpkg.h"

#include <endian.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/apk/pkgread.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

#define READ_SIZE (256u << 10)
#define DATA_HEAD 8		/* path and file number in front of a content */

struct taking {
	struct adb_file *f;
	struct adb_pkg *p;
	int out;
	uint32_t crc;
	struct digest sha1, sha256;
	char *buf;
	struct err *err;
};

static struct str name_of(const struct taking *t, const struct adb_content *c)
{
	return t->p->entries[c->entry].name;
}

/* The block says whose content it holds, which must be the next one's. */
static bool expected(const struct taking *t, const struct adb_content *c,
	const struct adb_block *b)
{
	uint32_t head[2];

	if (b->type != ADB_BLOCK_DATA || b->size < DATA_HEAD)
		return err_set(t->err, EK_PARSE, "%s: ADB block error: not a data block", t->f->name);
	if (!adb_file_read(t->f, head, sizeof(head), t->err))
		return false;
	if (le32toh(head[0]) != c->path || le32toh(head[1]) != c->file)
		return err_set(t->err, EK_PARSE, "%s: ADB block error: data of %u/%u where '%.*s' "
			"(%u/%u) is due", t->f->name, le32toh(head[0]), le32toh(head[1]),
			STR_ARG(name_of(t, c)), c->path, c->file);
	if (b->size - DATA_HEAD == t->p->entries[c->entry].size)
		return true;
	return err_set(t->err, EK_PARSE, "%s: ADB block error: %" PRIu64 " bytes of data for '%.*s'",
		t->f->name, b->size - DATA_HEAD, STR_ARG(name_of(t, c)));
}

static bool take_content(struct taking *t, const struct adb_content *c)
{
	struct apk_entry *e = &t->p->entries[c->entry];
	uint8_t md[SHA256_SIZE];

	digest_init(&t->sha1, DIGEST_SHA1);
	digest_init(&t->sha256, DIGEST_SHA256);
	for (uint64_t left = e->size; left;) {
		size_t n = left < READ_SIZE ? (size_t)left : READ_SIZE;
		if (!proc_check(t->err) || !adb_file_read(t->f, t->buf, n, t->err))
			return false;
		digest_add(&t->sha1, t->buf, n);
		digest_add(&t->sha256, t->buf, n);
		if (t->out >= 0) {
			t->crc = libdeflate_crc32(t->crc, t->buf, n);
			if (!fd_write_all(t->out, t->buf, n, "package data", t->err))
				return false;
		}
		left -= n;
	}
	digest_final(&t->sha1, e->sha1);
	digest_final(&t->sha256, md);
	return memcmp(md, c->sha256, sizeof(md)) == 0 || err_set(t->err, EK_TRUST,
		"%s: file integrity error: '%.*s' is not what its hash says", t->f->name,
		STR_ARG(e->name));
}

static bool take_all(struct taking *t, const struct adb_head *h)
{
	struct adb_block b = h->next;
	int more = h->more;

	for (size_t i = 0; i < t->p->n_contents; i++) {
		const struct adb_content *c = &t->p->contents[i];
		if (more == 0)
			return err_set(t->err, EK_PARSE, "%s: ADB block error: no data of '%.*s'",
				t->f->name, STR_ARG(name_of(t, c)));
		if (!expected(t, c, &b) || !take_content(t, c))
			return false;
		more = adb_file_next(t->f, &b, t->err);
		if (more < 0)
			return false;
	}
	for (size_t i = 0; i < t->p->n_entries; i++)
		if (t->p->entries[i].type == '1')
			memcpy(t->p->entries[i].sha1, t->p->entries[t->p->targets[i]].sha1, SHA1_SIZE);
	return !more || err_set(t->err, EK_PARSE, "%s: ADB block error: data that no file is due",
		t->f->name);
}

bool adb_pkg_data(struct adb_file *f, const struct adb_head *h, struct adb_pkg *p, int out,
	uint32_t *ret_crc, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct taking t = { .f = f, .p = p, .out = out, .err = err,
		.buf = arena_alloc(&scratch, READ_SIZE) };
	bool ok = take_all(&t, h);

	digest_release(&t.sha1);
	digest_release(&t.sha256);
	if (ok)
		*ret_crc = t.crc;
	return ok;
}

/* Verifying */

static bool verify_open(struct adb_source *s, const char *name, const struct keyring *keys,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct adb_file f;
	struct adb_head h;
	struct adb_pkg p = { 0 };
	uint32_t crc;

	if (!adb_file_begin(&f, &s->src, name, err) ||
	    !adb_head_read(&f, keys, APK_MAX_ADB, &a, &h, err) ||
	    (keys && !adb_head_trusted(&h, name, err)) || !adb_check(&h.adb, name, err))
		return false;
	if (h.adb.schema == ADB_SCHEMA_PACKAGE &&
	    !adb_pkg_parse(&h, name, APK_MAX_ENTRIES, &a, &p, err))
		return false;
	return adb_pkg_data(&f, &h, &p, -1, &crc, err);
}

bool adb_verify(int fd, const char *name, const struct keyring *keys, struct err *err)
{
	auto_adb_source struct adb_source s = { 0 };
	struct fd_source file;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot look at '%s'", name);
	fd_source_init(&file, fd, 0, st.st_size, name);
	return adb_source_open(&s, &file.src, name, err) && verify_open(&s, name, keys, err);
}
