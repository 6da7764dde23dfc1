#include "shared/apk/adbexpand.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/apk/pkgread.h"
#include "shared/apk/stored.h"
#include "shared/base/log.h"

#define ALARM_SIZE (1u << 20)
#define ALARM_RATIO 500

struct adb_expanding {
	const char *name;
	const struct apk_pkg *expect;
	const struct apk_limits *lim;
	struct store *store;
	struct arena *arena;
	uint64_t file_size;
	struct adb_file file;
	struct adb_head head;
	struct adb_pkg pkg;
};

/* The file's bytes, hashed as they pass. */
struct tap_source {
	struct source src;
	struct source *from;
	struct digest d;
};

static ssize_t tap_read(struct source *src, void *p, size_t n, struct err *err)
{
	struct tap_source *s = (struct tap_source *)src;
	ssize_t got = source_read(s->from, p, n, err);

	if (got > 0)
		digest_add(&s->d, p, (size_t)got);
	return got;
}

/* 32 bytes are the identity; 20 are cut from it, or of a v2 package, which this is not. */
static bool identity_agrees(const struct adb_expanding *x, struct err *err)
{
	const struct apk_pkg *want = x->expect;
	struct apk_pkg got = { .checksum_n = SHA256_SIZE };

	if (!want || (want->checksum_n == 0 && !want->index))
		return true;
	if (want->checksum_n && memcmp(want->checksum, x->head.sha256, want->checksum_n) == 0)
		return true;
	if (want->checksum_n)
		got.checksum_n = want->checksum_n;
	memcpy(got.checksum, x->head.sha256, got.checksum_n);
	return err_set(err, EK_TRUST, "package hash mismatch: expected %.*s, got %.*s",
		STR_ARG(apk_pkg_q(want, x->arena)), STR_ARG(apk_pkg_q(&got, x->arena)));
}

static bool read_head(struct adb_expanding *x, struct source *from, struct err *err)
{
	const struct keyring *keys = x->lim->keys;

	if (!adb_file_begin(&x->file, from, "file", err) ||
	    !adb_head_read(&x->file, keys, APK_MAX_ADB, x->arena, &x->head, err))
		return false;
	if (x->head.adb.schema != ADB_SCHEMA_PACKAGE)
		return err_set(err, EK_PARSE, "not a package: ADB schema 0x%08x",
			x->head.adb.schema);
	if (keys && x->head.n_known && !x->head.signer)
		return err_set(err, EK_TRUST, "bad signature: no known key signed the package");
	return identity_agrees(x, err) && adb_check(&x->head.adb, "metadata", err);
}

static bool read_meta(struct adb_expanding *x, struct err *err)
{
	struct adb_pkg *p = &x->pkg;

	if (!adb_pkg_parse(&x->head, "metadata", x->lim->max_entries, x->arena, p, err))
		return false;
	p->info.file_size = x->file_size;
	if (p->data_size > x->lim->max_data)
		return err_set(err, EK_PARSE, "size limit exceeded: limit is %" PRIu64 " bytes",
			x->lim->max_data);
	if (p->data_size > ALARM_SIZE && p->data_size / ALARM_RATIO > x->file_size)
		log_warn("the files of '%.*s' inflate from %" PRIu64 " to %" PRIu64 " bytes",
			STR_ARG(p->info.name), x->file_size, p->data_size);
	return !x->expect || apk_info_agrees(&p->info, x->expect, err);
}

static bool store_data(struct adb_expanding *x, struct apk_file *f, struct err *err)
{
	auto_store_new struct store_new new = { .fd = -1, .lock = -1 };
	auto_enttab struct enttab t;
	struct adb_pkg *p = &x->pkg;
	uint32_t crc = 0;

	enttab_init(&t);
	if (!store_begin(x->store, &new, err) ||
	    !adb_pkg_data(&x->file, &x->head, p, new.fd, &crc, err))
		return false;
	for (size_t i = 0; i < p->n_entries; i++)
		enttab_add(&t, &p->entries[i], &p->paxes[i]);
	if (enttab_over(&t))
		return err_set(err, EK_PARSE, "size limit exceeded: too much text in metadata");
	return stored_put_data(x->store, &new, &t, crc, x->head.sha256, x->arena, f, err);
}

/* What is stored already was verified; this file's own data is not taken on trust for it. */
static bool take_data(struct adb_expanding *x, struct apk_file *f, struct err *err)
{
	uint32_t crc;

	if (stored_get_data(x->store, x->head.sha256, x->arena, f))
		return adb_pkg_data(&x->file, &x->head, &x->pkg, -1, &crc, err);
	return store_data(x, f, err);
}

static void fill(const struct adb_pkg *p, struct apk_file *f)
{
	f->info = p->info;
	f->scripts = p->scripts;
	f->n_scripts = p->n_scripts;
	f->sums = (const uint8_t(*)[SHA1_SIZE])p->sums;
}

static bool expand(struct adb_expanding *x, struct tap_source *tap, struct apk_file *f,
	struct err *err)
{
	auto_adb_source struct adb_source s = { 0 };

	if (!adb_source_open(&s, &tap->src, "file", err) || !read_head(x, &s.src, err) ||
	    !read_meta(x, err) || !take_data(x, f, err))
		return false;
	fill(&x->pkg, f);
	f->sig_range = f->control_range = (struct apk_range){ 1, 0 };
	f->data_range = (struct apk_range){ 0, x->file_size - 1 };
	digest_final(&tap->d, f->data_sha256);
	memcpy(f->control_sha1, x->head.sha256, SHA1_SIZE);
	return stored_put_adb(x->store, x->head.adb.payload, x->head.sha256, x->expect, f, x->arena,
		err);
}

bool adb_expand(int fd, const char *name, const struct apk_pkg *expect,
	const struct apk_limits *lim, struct store *st, struct arena *a, struct apk_file *ret,
	struct err *err)
{
	struct adb_expanding x = { .name = name, .expect = expect, .lim = lim, .store = st,
		.arena = a };
	struct tap_source tap = { .src.read = tap_read };
	struct fd_source file;
	struct stat sb;

	if (fstat(fd, &sb) < 0)
		return err_sys(err, "cannot look at it");
	x.file_size = (uint64_t)sb.st_size;
	fd_source_init(&file, fd, 0, sb.st_size, name);
	tap.from = &file.src;
	digest_init(&tap.d, DIGEST_SHA256);
	bool ok = expand(&x, &tap, ret, err);
	digest_release(&tap.d);
	return ok;
}

bool adb_reopen(struct str payload, const uint8_t sha256[SHA256_SIZE], struct arena *a,
	struct apk_file *f)
{
	auto_err struct err ignored = ERR_INIT;
	struct adb_head h = { .adb = { ADB_SCHEMA_PACKAGE, payload } };
	struct adb_pkg p = { 0 };

	digest_once(DIGEST_SHA256, payload.p, payload.n, h.sha256);
	if (memcmp(h.sha256, sha256, sizeof(h.sha256)) != 0 ||
	    !adb_check(&h.adb, "stored package", &ignored) ||
	    !adb_pkg_parse(&h, "stored package", UINT64_MAX, a, &p, &ignored))
		return false;
	fill(&p, f);
	f->n_entries = p.n_entries;
	return true;
}
